package daemontest

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// The limits of the manager.
const (
	// connectLimit is how long a process may take to connect (StartServiceCtrlDispatcher,
	// "Remarks").
	connectLimit = 30 * time.Second

	// silenceLimit is how long a new service may report nothing before it counts as hung
	// ("Service Startup").
	silenceLimit = 80 * time.Second

	// handlerLimit is how long a handler may take (HandlerEx, "Remarks").
	handlerLimit = 30 * time.Second
)

// scmAPI implements the API of an SCM for the process.
type scmAPI struct{ scm *SCM }

var _ scm.API = scmAPI{}

// Dispatch implements StartServiceCtrlDispatcher.
func (a scmAPI) Dispatch(main func(args []string)) error {
	s := a.scm
	s.lock()
	if s.dispatched {
		s.breaks("called StartServiceCtrlDispatcher a second time", "StartServiceCtrlDispatcher, Return value")
		s.unlock()
		return ErrorServiceAlreadyRunning
	}
	s.late()
	s.dispatched = true
	s.expect(silenceLimit)
	args := append([]string{s.drive.config.Name}, s.Args...)
	s.unlock()

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		main(args)
	}()
	<-s.released
	<-ended
	s.lock()
	defer s.unlock()
	s.returned = true
	return nil
}

// Register implements RegisterServiceCtrlHandlerEx.
func (a scmAPI) Register(handle func(scm.Control) win32.Errno) error {
	s := a.scm
	s.lock()
	defer s.unlock()
	switch {
	case !s.dispatched:
		s.breaks("registered its handler before it was connected", "RegisterServiceCtrlHandlerEx, Return value")
		return ErrorInvalidHandle
	case s.handler != nil:
		s.breaks("registered a second handler", "RegisterServiceCtrlHandlerEx, Remarks")
	}
	s.handler = handle
	return nil
}

// Report implements SetServiceStatus. Like Windows, it also accepts transitions that are
// not legal ("Service State Transitions").
func (a scmAPI) Report(r scm.Status) error {
	s := a.scm
	s.lock()
	defer s.unlock()
	if s.gone {
		return nil
	}
	next := Report{At: s.drive.since(), Status: Status{
		State: State(r.State), ControlsAccepted: Accepted(r.Accepted),
		Win32ExitCode: Errno(r.ExitCode), ServiceSpecificExitCode: r.SpecificCode,
		CheckPoint: r.CheckPoint, WaitHint: r.WaitHint,
	}}
	var last Status
	if len(s.reports) > 0 {
		last = s.status
	}
	switch {
	case s.handler == nil:
		s.breaks(fmt.Sprintf("reported %s before it registered a handler", next.State), "SetServiceStatus, Remarks")
		return ErrorInvalidHandle
	case last.State == Stopped:
		// The first STOPPED closes the connection; another call can crash the process.
		s.breaks(fmt.Sprintf("reported %s after STOPPED", next.State), "SetServiceStatus, Remarks")
		return ErrorInvalidHandle
	case !next.State.valid():
		s.breaks(fmt.Sprintf("reported a state that does not exist, %d", uint32(next.State)), "SERVICE_STATUS, dwCurrentState")
		return ErrorInvalidData
	}
	s.late()
	for _, rule := range statusRules {
		if what := rule.broken(last, next.Status); what != "" {
			s.breaks(what, rule.page)
		}
	}
	s.reports, s.status = append(s.reports, next), next.Status
	s.expect(0)
	if next.State.pending() {
		s.expect(next.WaitHint)
	}
	if next.State == Stopped {
		s.release()
	}
	s.change()
	return nil
}

// Confine does nothing: the test process is not a service.
func (a scmAPI) Confine() error { return nil }

// ShutdownTimeout returns WaitToKillServiceTimeout from the registry.
func (a scmAPI) ShutdownTimeout() time.Duration { return a.scm.WaitToKillServiceTimeout }

// PreshutdownTimeout returns the timeout in SERVICE_PRESHUTDOWN_INFO.
func (a scmAPI) PreshutdownTimeout() time.Duration { return a.scm.PreshutdownTimeout }

// expect sets the deadline for the next report to d from now, or removes it if d is 0. The
// caller holds the lock of s.
func (s *SCM) expect(d time.Duration) {
	s.due = time.Time{}
	if s.overdue != nil {
		s.overdue.Stop()
	}
	if d <= 0 {
		return
	}
	s.due = time.Now().Add(d)
	if s.overdue == nil {
		s.overdue = time.AfterFunc(d, func() {
			s.lock()
			defer s.unlock()
			s.late()
		})
		return
	}
	s.overdue.Reset(d)
}

// late checks whether the next report is overdue. The caller holds the lock of s.
func (s *SCM) late() {
	if s.due.IsZero() || time.Until(s.due) > 0 {
		return
	}
	s.due = time.Time{}
	switch state := s.status.State; {
	case !s.dispatched:
		s.breaks(fmt.Sprintf("has not called StartServiceCtrlDispatcher for %s", connectLimit),
			"StartServiceCtrlDispatcher, Remarks")
	case len(s.reports) == 0:
		s.breaks(fmt.Sprintf("has reported nothing for %s", silenceLimit), "Service Startup")
	default:
		s.breaks(fmt.Sprintf("is hung in %s: it has reported nothing for %s, its wait hint", state, s.status.WaitHint)+
			hungHelp(state), "SERVICE_STATUS, dwWaitHint")
	}
}

// hungHelp returns advice for a user of package daemon.
func hungHelp(state State) string {
	switch state {
	case PausePending:
		return "; Pause has taken longer than Config.StopTimeout"
	case ContinuePending:
		return "; Continue has taken longer than Config.StopTimeout"
	}
	return ""
}
