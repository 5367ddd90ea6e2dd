package daemontest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/systemd"
)

// Systemd is a double of systemd that works on any operating system, in the synthetic time
// of [Drive]. It has started the process that Drive runs as the service of a unit, sends it
// signals, and receives what the service sends to NOTIFY_SOCKET. It behaves like systemd
// 257, except that STOPPING=1 is final, as since version 259. It also checks that the
// service follows the manual where systemd silently accepts violations:
//
//   - Messages are lines of known assignments with valid values, none of which is lost.
//   - READY=1 comes once, and once more after each RELOADING=1, which carries the time.
//     Neither comes after STOPPING=1, nor does WATCHDOG=1.
//   - The service is ready within TimeoutStart, and its process ends within TimeoutStop.
//     It extends these times with EXTEND_TIMEOUT_USEC, before they end, and only where
//     there is a limit.
//   - A service that is ready sends WATCHDOG=1 in every Watchdog interval.
//   - The exit code matches the result of Run. It is 0 only after READY=1, unless systemd
//     itself stopped the service.
//
// Each broken rule is an error of the test. It says what the service did, which rule that
// breaks, on which page the rule is, and what the service had sent before.
//
// The zero value is ready to use, for one call of Drive. Call its methods in the body of
// that call; Status and Messages also work after it, and on any goroutine. Nothing restarts
// the service.
type Systemd struct {
	// Type is the unit's Type. The default is "notify-reload". The alternative is "notify",
	// with ExecReload=kill -HUP $MAINPID.
	Type string

	// TimeoutStart is TimeoutStartSec, the limit for a start or a reload. TimeoutStop is
	// TimeoutStopSec, the limit for the end of the process. The default of both is 90
	// seconds.
	TimeoutStart, TimeoutStop time.Duration

	// Watchdog is WatchdogSec, the longest time between two WATCHDOG=1 of a service that is
	// ready. Zero means no limit.
	Watchdog time.Duration

	// Expect is the expected Result of the unit; a different one is an error of the test.
	// If it is empty, "success" and "exit-code" are accepted. "timeout", "watchdog" and
	// "protocol" are errors, because they mean that a rule was broken.
	Expect string

	// Folder is the parent of the folders of daemon.Directories, for a service that reads
	// files from an earlier call of Drive. The default is a temporary folder.
	Folder string

	// Errorf, if not nil, is called for each broken rule instead of failing the test. Use
	// it to test that a program breaks a rule. It may be called on any goroutine of the
	// bubble.
	Errorf func(format string, args ...any)

	mu       sync.Mutex
	drive    *drive // nil before the call of Drive
	unit     *unit
	process  *process
	timer    *time.Timer      // fires when a limit of systemd is reached
	changed  chan struct{}    // closed when the state of the unit changes
	received []SystemdMessage // messages from the service
	awaited  int              // the index of the state that Await found last
	closed   bool             // the service has closed the socket
	untold   []string         // broken rules that were not reported yet
}

// SystemdMessage holds one message of the service.
type SystemdMessage struct {
	At   time.Duration // since the process was started
	Text string        // KEY=value lines, as they were sent
}

// SystemdStatus holds what systemctl show prints about the unit. The fields are named like
// its properties.
type SystemdStatus struct {
	ActiveState string // activating, active, reloading, deactivating, inactive or failed
	SubState    string // start, running, reload-signal, reload-notify, stop-sigterm, dead or failed

	Result       string // the first of exit-code, timeout, watchdog or protocol that occurred, else success
	ReloadResult string // the result of the last reload: success or timeout

	StatusText  string // the last STATUS
	StatusErrno int    // the last ERRNO

	ExecMainCode   string // "" while the process runs, exited, or killed
	ExecMainStatus int    // the exit code, or the number of the signal that killed the process
}

// Status returns the properties that systemctl show prints.
func (s *Systemd) Status() SystemdStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unit == nil {
		return SystemdStatus{ActiveState: "inactive", SubState: string(subDead), Result: resultSuccess, ReloadResult: resultSuccess}
	}
	return s.unit.status()
}

// Messages returns what the service has sent so far, in order.
func (s *Systemd) Messages() []SystemdMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Await lets time pass until ActiveState is state ("activating", "active", "reloading",
// "deactivating", "inactive" or "failed") and everything that follows immediately has
// happened. It considers the states since the last call of Await, including the one that
// this call found: after a SIGHUP, await "reloading" before "active".
//
// If the service ends first, or does not reach the state within a day, the test fails at
// once, as by FailNow.
func (s *Systemd) Await(state string) {
	d := s.driven("Await")
	d.t.Helper()
	if !activeStates[state] {
		d.t.Fatalf("Systemd.Await(%q): unknown ActiveState", state)
	}
	found := s.wait(func(u *unit) bool {
		i := slices.Index(u.passed[s.awaited:], state)
		s.awaited += max(i, 0)
		return i >= 0
	})
	Sleep(0)
	if !found {
		is := s.Status()
		d.t.Fatalf("the unit did not become %q: it is %s, with Result=%s and StatusText=%q", state, is.ActiveState, is.Result, is.StatusText)
	}
}

// Stop stops the unit like systemctl stop --no-block. The process receives SIGTERM and
// TimeoutStop begins, unless the service is already stopping. Stop returns when everything
// that follows immediately has happened; await "inactive" or "failed" for the end.
func (s *Systemd) Stop() {
	s.driven("Stop")
	s.do(func(now time.Duration) { s.unit.stop(now) })
	Sleep(0)
}

// Reload reloads the unit like systemctl reload. If a reload is in progress, it waits for
// its end first. Then the process receives SIGHUP, and Reload lets time pass until the
// service is ready again and everything that follows immediately has happened. If Type is
// "notify", it does not wait for READY=1. Reload returns an error when systemctl does: if
// the unit is not active, if the service stops meanwhile, or if it is not ready again
// within TimeoutStart. A late reload does not stop the service, and Reload still waits for
// it.
func (s *Systemd) Reload() error {
	s.driven("Reload")
	settled := func(u *unit) bool { return u.active() != "reloading" }
	s.wait(settled)
	asked := false
	s.do(func(now time.Duration) { asked = s.unit.reload(now) })
	if !asked {
		return fmt.Errorf("cannot reload: the unit is %s", s.Status().ActiveState)
	}
	s.wait(settled)
	is := s.Status()
	Sleep(0)
	switch {
	case is.ReloadResult != resultSuccess:
		return fmt.Errorf("the reload has failed: ReloadResult=%s", is.ReloadResult)
	case is.ActiveState != "active":
		return fmt.Errorf("the reload has not ended: the unit is %s", is.ActiveState)
	}
	return nil
}

// Kill sends a signal like kill(1). The signal is SIGTERM, SIGINT or SIGHUP, which package
// syscall has on every operating system. It does not count as sent by systemd. Kill returns
// when everything that follows immediately has happened.
func (s *Systemd) Kill(signal os.Signal) {
	d := s.driven("Kill")
	d.t.Helper()
	if signal != syscall.SIGTERM && signal != syscall.SIGINT && signal != syscall.SIGHUP {
		d.t.Fatalf("Systemd.Kill(%v): want SIGTERM, SIGINT or SIGHUP", signal)
	}
	s.do(func(time.Duration) {
		if !s.unit.gone {
			s.process.signal(signal)
		}
	})
	Sleep(0)
}

func (s *Systemd) folder() string { return s.Folder }

func (s *Systemd) connect(d *drive) ([]host.Host, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drive, s.process, s.changed = d, &process{}, make(chan struct{})
	s.unit = newUnit(s, s.signal, s.breaks)
	s.timer = time.AfterFunc(0, func() { s.do(func(time.Duration) {}) })
	return []host.Host{systemd.NewOver(notifySocket{s}, s.Watchdog, d.since), s.process}, nil
}

func (s *Systemd) check() error {
	switch {
	case s.drive != nil:
		return errors.New("Systemd already used; create one per Drive")
	case s.Type != "" && s.Type != "notify" && s.Type != "notify-reload":
		return fmt.Errorf(`Systemd.Type is %q: want "notify" or "notify-reload"`, s.Type)
	case s.TimeoutStart < 0 || s.TimeoutStop < 0 || s.Watchdog < 0:
		return errors.New("a duration of Systemd is negative")
	}
	return nil
}

func (s *Systemd) stop() { s.Stop() }

func (s *Systemd) ended(err error, exit int) {
	s.do(func(now time.Duration) {
		code := daemon.ExitCode(err)
		if exit >= 0 && exit != code && !s.unit.gone {
			s.breaks(ruleExit, "the process has exited with %d, but Run has returned what is %d: %v", exit, code, err)
		}
		if exit >= 0 {
			code = exit
		}
		s.unit.exited(now, code)
	})
}

// driven returns the current call of Drive.
func (s *Systemd) driven(method string) *drive {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drive == nil {
		panic("daemontest: Systemd." + method + " is for the body of Drive")
	}
	return s.drive
}

// do updates the unit to the time since the process was started, and calls f with that
// time.
func (s *Systemd) do(f func(now time.Duration)) {
	s.mu.Lock()
	before, now := len(s.unit.passed), s.drive.since()
	s.unit.elapse(now)
	f(now)
	if len(s.unit.passed) != before {
		close(s.changed)
		s.changed = make(chan struct{})
	}
	s.timer.Stop()
	if next := s.unit.next(); next < never {
		// An event at the very end of the limit is in time. Like systemd, check the
		// watchdog after everything else.
		s.timer.Reset(next - now + 1)
	}
	untold := s.untold
	s.untold = nil
	s.mu.Unlock()
	for _, what := range untold {
		if s.Errorf != nil {
			s.Errorf("%s", what)
		} else {
			s.drive.errorf("%s", what)
		}
	}
}

// awaitLimit is how long Await waits for a state: systemd does not limit all of them.
const awaitLimit = 24 * time.Hour

// wait lets time pass until wanted returns true. It returns false if that does not happen.
func (s *Systemd) wait(wanted func(*unit) bool) bool {
	limit := time.NewTimer(awaitLimit)
	defer limit.Stop()
	for {
		s.mu.Lock()
		ok, gone, changed := wanted(s.unit), s.unit.gone, s.changed
		s.mu.Unlock()
		if ok || gone {
			return ok
		}
		select {
		case <-changed:
		case <-limit.C:
			return false
		}
	}
}

// signal delivers a signal of the unit to the process.
func (s *Systemd) signal(signal os.Signal) {
	if signal == syscall.SIGABRT || signal == syscall.SIGKILL {
		s.drive.kill()
		return
	}
	s.process.signal(signal)
}
