package daemontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// SCM is a double of the Windows service control manager that works on any operating
// system. It has started the process that [Drive] runs, sends it controls, and keeps what
// the service reports. It checks the rules that Microsoft documents. It is stricter than
// Windows, which silently accepts many violations:
//
//   - The process connects within 30 s, registers its handler once, and then reports
//     START_PENDING, all before anything else.
//   - Each report is a legal transition. Checkpoints rise in pending states, and the
//     next report comes before the wait hint of the last one has elapsed: otherwise the
//     service is considered hung. This detects a Pause or Continue that takes longer than
//     Config.StopTimeout.
//   - The service accepts a control only in states in which it can arrive, and handles
//     each accepted control within 30 s.
//   - A service that has accepted STOP, SHUTDOWN or PRESHUTDOWN reports STOPPED, once,
//     last, and in time. Only then does its process end.
//   - The exit code of STOPPED is true. If STOP, SHUTDOWN or PRESHUTDOWN was the first
//     reason, it is 0, even if the service failed while stopping: for any other code,
//     Windows runs the recovery actions, which start the service again.
//
// Each broken rule is an error of the test. It says what the service did, which rule that
// breaks, on which page the rule is, and what the service had reported before.
//
// The zero value is ready to use, for one call of Drive. Call its methods in the body of
// that call; Query and History also work after it. The program itself must not call them,
// nor may several goroutines at the same time.
type SCM struct {
	// Args are the arguments of StartService, without the name of the service: see
	// daemon.StartArgs.
	Args []string

	// WaitToKillServiceTimeout is how long services may take to stop when the system shuts
	// down. The default is 5 seconds.
	WaitToKillServiceTimeout time.Duration

	// PreshutdownTimeout is how long this service may take to stop before the system shuts
	// down. The default is 10 seconds.
	PreshutdownTimeout time.Duration

	// Folder is the parent of the folders of daemon.Directories, for a service that reads
	// files from an earlier call of Drive. The default is a temporary folder.
	Folder string

	// Errorf, if not nil, is called for each broken rule instead of failing the test. Use
	// it to test that a program breaks a rule. It may be called on any goroutine of the
	// bubble.
	Errorf func(format string, args ...any)

	drive    *drive
	witness  witness
	turn     chan struct{} // held while the service handles a control
	released chan struct{} // closed when the dispatcher may return

	mu         sync.Mutex
	dispatched bool                          // StartServiceCtrlDispatcher has been called
	returned   bool                          // and has returned
	handler    func(scm.Control) win32.Errno // HandlerEx
	status     Status                        // the current status of the service
	reports    []Report                      // the reports of the service
	awaited    int                           // the index of the report that Await found last
	due        time.Time                     // the deadline for the next report, zero if there is none
	overdue    *time.Timer                   // fires at due
	asked      win32.Control                 // the first control sent that ends the service, 0 if none
	ending     win32.Control                 // the first such control that it accepted
	probed     bool                          // a control that no service knows was sent
	gone       bool                          // the process has ended or was killed
	changed    chan struct{}                 // closed at the next change, nil if nobody waits
	broken     []string                      // broken rules that were not reported yet
}

// The defaults of Windows.
const (
	defaultWaitToKill  = 5 * time.Second
	defaultPreshutdown = 10 * time.Second
)

// scmPatience is how long Await and stop wait for a service that reports nothing.
const scmPatience = time.Hour

func (s *SCM) folder() string { return s.Folder }

func (s *SCM) connect(d *drive) ([]host.Host, error) {
	if s.drive != nil {
		return nil, errors.New("SCM already used; create one per Drive")
	}
	h, err := scm.Connect(s.begin(d))
	if err != nil {
		s.ended(err, -1)
		return nil, err
	}
	return []host.Host{h, &s.witness}, nil
}

// witness is a host that only records why the run stops.
type witness struct{ trigger string }

func (*witness) Open(host.Run) {}

func (w *witness) Tell(s host.Status) { w.trigger = s.Trigger }

func (*witness) Close(context.Context) {}

// begin starts the process. It returns the API that the process sees.
func (s *SCM) begin(d *drive) scm.API {
	if s.WaitToKillServiceTimeout == 0 {
		s.WaitToKillServiceTimeout = defaultWaitToKill
	}
	if s.PreshutdownTimeout == 0 {
		s.PreshutdownTimeout = defaultPreshutdown
	}
	s.drive = d
	s.turn, s.released = make(chan struct{}, 1), make(chan struct{})
	s.lock()
	defer s.unlock()
	s.status = Status{State: StartPending} // as set by the manager itself
	s.expect(connectLimit)
	return scmAPI{s}
}

// Query returns the last status that the service reported, like QueryServiceStatusEx, after
// everything that follows immediately has happened. A service whose process ended without
// reporting Stopped is Stopped with ErrorProcessAborted.
func (s *SCM) Query() Status {
	s.settle()
	s.lock()
	defer s.unlock()
	return s.status
}

// History returns all reports of the service so far, in order, after everything that
// follows immediately has happened.
func (s *SCM) History() []Report {
	s.settle()
	s.lock()
	defer s.unlock()
	return append([]Report(nil), s.reports...)
}

// Await lets time pass until the service reports state and everything that follows
// immediately has happened. It returns that report. It considers reports since the last
// call of Await, including the one that this call returned: after ControlPause, which may
// fail, await PausePending before Running or Paused.
//
// If the service stops first, or reports nothing for an hour, the test fails at once, as by
// FailNow.
func (s *SCM) Await(state State) Report {
	if s.drive == nil {
		panic("daemontest: SCM.Await is for the body of Drive")
	}
	s.drive.t.Helper()
	for {
		s.settle()
		s.lock()
		known := len(s.reports)
		for i := s.awaited; i < known; i++ {
			if r := s.reports[i]; r.State == state {
				s.awaited = i
				s.unlock()
				return r
			}
		}
		over := s.gone || s.status.State == Stopped
		story := s.story()
		s.unlock()
		if over || !s.wait(scmPatience, func() bool { return s.gone || len(s.reports) > known }) {
			s.drive.t.Fatalf("the service did not become %s\nit has reported:\n%s", state, story)
		}
	}
}

// stop stops the service as an operator does.
func (s *SCM) stop() {
	limit := s.drive.config.StartTimeout + s.drive.config.StopTimeout + 24*time.Hour
	if !s.wait(limit, func() bool { return s.gone || s.status.State != StartPending }) {
		s.abort(fmt.Sprintf("has not started within %s", limit))
		return
	}
	if err := s.Control(ControlStop); errors.Is(err, ErrorInvalidServiceControl) {
		s.abort("cannot be stopped: it does not accept STOP")
		return
	}
	if !s.wait(limit, func() bool { return s.gone }) {
		s.abort(fmt.Sprintf("has not stopped within %s", limit))
	}
}

// abort ends a service that does not end by itself.
func (s *SCM) abort(what string) {
	s.lock()
	if !s.gone {
		s.breaks(what, "ControlService, Remarks")
	}
	s.unlock()
	s.kill()
}

// ended checks how the process ended.
func (s *SCM) ended(err error, exit int) {
	s.lock()
	defer s.unlock()
	if s.gone {
		return // killed: what happens afterwards does not count
	}
	s.leave()
	how := fmt.Sprintf("Run has returned: %v", err)
	if exit >= 0 {
		how = fmt.Sprintf("the process has exited with code %d", exit)
	}
	if s.status.State != Stopped {
		what := "ended without having reported STOPPED: to the manager it terminated unexpectedly"
		if s.ending != 0 {
			what += ", though it accepted " + s.ending.String()
		}
		s.breaks(what+" ("+how+")", "SERVICE_FAILURE_ACTIONS, Remarks")
		s.status = Status{State: Stopped, Win32ExitCode: ErrorProcessAborted}
		return
	}
	if !s.returned {
		s.breaks("ended before the dispatcher and ServiceMain had returned ("+how+")", "StartServiceCtrlDispatcher, Remarks")
	}
	code := fmt.Sprintf("%d/%d", uint32(s.status.Win32ExitCode), s.status.ServiceSpecificExitCode)
	switch asked := s.stopsForManager(); {
	case asked && (s.status.Win32ExitCode != NoError || s.status.ServiceSpecificExitCode != 0):
		s.breaks(fmt.Sprintf("reported exit code %s after %s: want 0/0, or the manager starts it again", code, s.asked),
			"SERVICE_FAILURE_ACTIONS_FLAG, fFailureActionsOnNonCrashFailures")
	case !truthful(s.status, err, exit, asked):
		s.breaks(fmt.Sprintf("reported exit code %s, but %s", code, how), "SERVICE_STATUS, dwWin32ExitCode")
	}
}

// stopsForManager reports whether a control of the manager was the first reason to stop.
// Only the run knows that: a failure can precede a control that is sent at the same time.
// The caller holds the lock of s.
func (s *SCM) stopsForManager() bool {
	switch s.witness.trigger {
	case "":
		return s.asked != 0
	case host.TriggerStop, host.TriggerShutdown, host.TriggerPreshutdown:
		if s.asked == 0 {
			s.breaks("stopped for a control that was not sent", "HandlerEx, Remarks")
		}
		return true
	}
	return false
}

// truthful reports whether the status of a stopped service matches how it ended: success or
// failure, and its own exit code unless Windows defines one. After a requested stop, only
// the exit code of the process counts.
func truthful(status Status, err error, exit int, asked bool) bool {
	want := daemon.ExitCode(err)
	if exit >= 0 && exit != want {
		return false
	}
	if asked {
		return true
	}
	switch status.Win32ExitCode {
	case NoError:
		return want == 0
	case ErrorServiceSpecific:
		code := status.ServiceSpecificExitCode // 0 is an error too
		return want != 0 && (code == uint32(want) || code == 0)
	}
	return want == 1
}

// leave records that the process is gone. The caller holds the lock of s.
func (s *SCM) leave() {
	s.gone = true
	s.expect(0)
	s.release()
	s.change()
}

// kill ends the process, as a system that shuts down does. The caller does not hold the
// lock of s.
func (s *SCM) kill() {
	s.lock()
	if !s.gone {
		s.leave()
		s.status = Status{State: Stopped, Win32ExitCode: ErrorProcessAborted}
	}
	s.unlock()
	s.drive.kill()
}

// release lets the dispatcher return. The caller holds the lock of s.
func (s *SCM) release() {
	select {
	case <-s.released:
	default:
		close(s.released)
	}
}

// settle waits until everything that follows immediately has happened.
func (s *SCM) settle() {
	s.lock()
	waits := s.drive != nil && !s.gone
	s.unlock()
	if waits {
		synctest.Wait()
	}
}

// wait lets time pass until reached returns true. It calls reached with the lock of s held.
// It returns false after limit.
func (s *SCM) wait(limit time.Duration, reached func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.lock()
		if reached() {
			s.unlock()
			return true
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.unlock()
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}

// change wakes all waiting calls. The caller holds the lock of s.
func (s *SCM) change() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *SCM) lock() { s.mu.Lock() }

// unlock unlocks s and reports the rules that were broken meanwhile.
func (s *SCM) unlock() {
	broken := s.broken
	s.broken = nil
	s.mu.Unlock()
	errorf := s.Errorf
	if errorf == nil && len(broken) > 0 {
		errorf = s.drive.errorf
	}
	for _, b := range broken {
		errorf("%s", b)
	}
}

// breaks records that the service broke a rule, and the page with that rule. The caller
// holds the lock of s.
func (s *SCM) breaks(what, page string) {
	s.broken = append(s.broken, fmt.Sprintf("after %s the service %s (see %s)\nit had reported:\n%s",
		s.drive.since(), what, page, s.story()))
}

// story returns the reports of the service, one per line. It omits reports that only repeat
// the last one with progress. The caller holds the lock of s.
func (s *SCM) story() string {
	if len(s.reports) == 0 {
		return "\tnothing"
	}
	var lines []string
	skipped := 0
	for i, r := range s.reports {
		same := func(j int) bool { return 0 <= j && j < len(s.reports) && s.reports[j].State == r.State }
		if same(i-1) && same(i+1) {
			skipped++
			continue
		}
		if skipped > 0 {
			lines = append(lines, fmt.Sprintf("\t           … and %d more", skipped))
			skipped = 0
		}
		lines = append(lines, "\t"+r.String())
	}
	return strings.Join(lines, "\n")
}
