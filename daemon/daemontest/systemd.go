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

// Systemd is a double of systemd, on any operating system, in the synthetic time of
// [Drive]. It has started the process that Drive runs, as the service of a unit,
// sends it signals, and receives what that sends to NOTIFY_SOCKET. It does with it
// what systemd 257 does (but STOPPING=1 is final, as it is since version 259), and
// holds the service to what the manual allows, where systemd takes a lot and stays
// silent:
//
//   - Messages are lines of known assignments with sound values, none of which is lost.
//   - READY=1 comes once, and once more after each RELOADING=1, which carries the time.
//     After STOPPING=1 neither of them comes, nor a sign of life.
//   - The service is ready in TimeoutStart, and its process gone in TimeoutStop. It
//     asks for more with EXTEND_TIMEOUT_USEC, in time, and only where time is limited.
//   - A service that is ready gives a sign of life in each Watchdog.
//   - The exit code is that of what Run has returned, and 0 only after READY=1, unless
//     systemd itself has stopped the service.
//
// Each broken rule is an error of the test that says what the service did, which rule
// that breaks and on which page it is, and what it had sent before.
//
// The zero value is ready to use, for one call of Drive. Its methods are for the body
// of that; Status and Messages are also good after it, and on any goroutine. Nothing
// restarts the service.
type Systemd struct {
	// Type is the unit's: "notify-reload", which it is if empty, or "notify", with
	// ExecReload=kill -HUP $MAINPID.
	Type string

	// TimeoutStart is TimeoutStartSec, how long a start or a reload may take.
	// TimeoutStop is TimeoutStopSec, how long the process may take to end. Both are 90
	// seconds if zero.
	TimeoutStart, TimeoutStop time.Duration

	// Watchdog is WatchdogSec, how long a service that is ready may give no sign of
	// life. There is no limit if it is zero.
	Watchdog time.Duration

	// Expect is the Result that the unit is to end with; another one is an error of
	// the test. If it is empty "success" and "exit-code" are none, but "timeout",
	// "watchdog" and "protocol" are, by which systemd says that a rule was broken.
	Expect string

	// Folder is below what daemon.Directories has its folders, for a service that finds
	// what another call of Drive has left; if empty, it is a temporary one.
	Folder string

	// Errorf, if not nil, hears of broken rules instead of the test: for a test
	// that a program breaks one. It may be called on any goroutine of the bubble.
	Errorf func(format string, args ...any)

	mu       sync.Mutex
	drive    *drive // nil before the call of Drive
	unit     *unit
	process  *process
	timer    *time.Timer      // fires when the patience of systemd is over
	changed  chan struct{}    // closed when the state of the unit changes
	received []SystemdMessage // from the service
	awaited  int              // the state of the unit that Await found last
	closed   bool             // the service has let go of the socket
	untold   []string         // broken rules, yet to be told
}

// SystemdMessage is one message of the service.
type SystemdMessage struct {
	At   time.Duration // since the process was started
	Text string        // KEY=value lines, as they were sent
}

// SystemdStatus is what systemctl show says of the unit, by the names of its
// properties.
type SystemdStatus struct {
	ActiveState string // activating, active, reloading, deactivating, inactive or failed
	SubState    string // start, running, reload-signal, reload-notify, stop-sigterm, dead or failed

	Result       string // success, exit-code, timeout, watchdog or protocol: what came first of what is not success
	ReloadResult string // success or timeout: of the last reload

	StatusText  string // the STATUS that came last
	StatusErrno int    // the ERRNO that came last

	ExecMainCode   string // "" while the process runs, exited, or killed
	ExecMainStatus int    // the exit code, or the number of the signal that has killed it
}

// Status is systemctl show.
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

// Await lets time pass until ActiveState is state ("activating", "active",
// "reloading", "deactivating", "inactive" or "failed") and everything that follows at
// once has happened. What it was since the last call of Await counts, and so does
// the state that this has found: after a SIGHUP, await "reloading" before "active".
//
// If the service ends before, or does not come to state within a day, the test fails at
// once, as by FailNow.
func (s *Systemd) Await(state string) {
	d := s.driven("Await")
	d.t.Helper()
	if !activeStates[state] {
		d.t.Fatalf("Systemd.Await(%q): there is no such ActiveState", state)
	}
	found := s.wait(func(u *unit) bool {
		i := slices.Index(u.passed[s.awaited:], state)
		s.awaited += max(i, 0)
		return i >= 0
	})
	Sleep(0)
	if !found {
		is := s.Status()
		d.t.Fatalf("the unit does not become %q any more: it is %s, with Result=%s and StatusText=%q", state, is.ActiveState, is.Result, is.StatusText)
	}
}

// Stop is systemctl stop --no-block. The process gets SIGTERM and TimeoutStop begins,
// unless the service stops already. Stop returns when everything that follows at once
// has happened; await "inactive" or "failed" for the end.
func (s *Systemd) Stop() {
	s.driven("Stop")
	s.do(func(now time.Duration) { s.unit.stop(now) })
	Sleep(0)
}

// Reload is systemctl reload. It waits for the end of a reload that goes on already.
// Then the process gets SIGHUP, and Reload lets time pass until the service is ready
// again and everything that follows at once has happened; if Type is "notify", it does
// not wait for READY=1. It returns an error where systemctl has one: if the unit is
// not active, if the service stops meanwhile, or if it was not ready again within
// TimeoutStart. For that it is not stopped, and is waited for all the same.
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

// Kill is kill(1): the process gets SIGTERM, SIGINT or SIGHUP, which package syscall
// has on every operating system, but not from systemd. Kill returns when everything
// that follows at once has happened.
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
	return []host.Host{systemd.Over(notifySocket{s}, s.Watchdog, d.since), s.process}, nil
}

func (s *Systemd) check() error {
	switch {
	case s.drive != nil:
		return errors.New("a Systemd is good for one call of Drive: use a new one")
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

// driven returns the call of Drive that is under way.
func (s *Systemd) driven(method string) *drive {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drive == nil {
		panic("daemontest: Systemd." + method + " is for the body of Drive")
	}
	return s.drive
}

// do lets the unit catch up with the time since the process was started, and calls f
// with it.
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
		// What comes at the very end of the time is in time. systemd too looks at
		// the watchdog after everything else.
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

// awaitLimit is for how long a state is awaited: systemd does not limit all of them.
const awaitLimit = 24 * time.Hour

// wait lets time pass until the unit is as wanted. It reports whether it is.
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

// signal is what the unit does to the process.
func (s *Systemd) signal(signal os.Signal) {
	if signal == syscall.SIGABRT || signal == syscall.SIGKILL {
		s.drive.kill()
		return
	}
	s.process.signal(signal)
}
