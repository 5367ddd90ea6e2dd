package daemontest

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/daemon/event"
	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// controlUnknown is a control that no service knows: LOWRESOURCES, which is undocumented.
const controlUnknown win32.Control = 0x60

// Control sends a control like ControlService, as a client of the manager does. It returns
// when the service has answered, before the control has any effect: use Await, Query or
// [Sleep] to wait for that. The error is an [Errno]:
//
//   - ErrorInvalidParameter if a client cannot send c,
//   - ErrorServiceNotActive if the service has stopped,
//   - ErrorServiceCannotAcceptCtrl while it starts and, once it has accepted STOP, while
//     it stops,
//   - ErrorInvalidServiceControl if it does not accept c,
//   - ErrorServiceRequestTimeout if it does not answer for 30 seconds, or handles another
//     control for so long,
//   - otherwise the service's answer: ErrorCallNotImplemented for a user-defined control
//     if the program is not a daemon.Notified.
//
// ControlInterrogate always arrives, except after the end (HandlerEx). While a service
// starts or stops, Windows itself answers it.
func (s *SCM) Control(c Control) error {
	switch c {
	case ControlStop, ControlPause, ControlContinue, ControlInterrogate, ControlParamChange:
	default:
		if !win32.Control(c).UserDefined() {
			return ErrorInvalidParameter
		}
	}
	return s.send(scm.Control{Code: win32.Control(c)})
}

// SessionChange sends the control for a user who logs on or off, if the service accepts it.
// It returns the same errors as Control.
func (s *SCM) SessionChange(t event.SessionChangeType, sessionID uint32) error {
	return s.send(scm.Control{Code: win32.ControlSessionChange, Type: uint32(t), Session: sessionID})
}

// PowerChange sends the control for a system that suspends or resumes, if the service
// accepts it. It returns the same errors as Control.
func (s *SCM) PowerChange(t event.PowerChangeType) error {
	return s.send(scm.Control{Code: win32.ControlPowerEvent, Type: uint32(t)})
}

// TimeChange sends the control for a system clock that is set, if the service accepts it.
// It returns the same errors as Control.
func (s *SCM) TimeChange(now, old time.Time) error {
	return s.send(scm.Control{Code: win32.ControlTimeChange, New: now, Old: old})
}

// Shutdown shuts down the system. A service that accepts PRESHUTDOWN receives that, and has
// PreshutdownTimeout to stop. One that accepts SHUTDOWN receives that, and has
// WaitToKillServiceTimeout. A service that is already stopping has the same time. All of
// this lets time pass. Then a process that still runs is killed. If its service was told of
// the shutdown, that is an error of the test. A service that is starting is not told.
func (s *SCM) Shutdown() {
	s.settle()
	s.lock()
	accepted := s.status.ControlsAccepted
	s.unlock()
	switch {
	case accepted.Has(AcceptPreshutdown):
		s.shutDown(win32.ControlPreshutdown, s.PreshutdownTimeout, "SERVICE_PRESHUTDOWN_INFO")
	case accepted.Has(AcceptShutdown):
		s.shutDown(win32.ControlShutdown, s.WaitToKillServiceTimeout, "HandlerEx, Remarks")
	default:
		s.wait(s.WaitToKillServiceTimeout, s.hasStopped)
	}
	s.lock()
	down := s.hasStopped()
	s.unlock()
	if !down {
		s.kill()
	}
}

// shutDown makes the service stop for a shutdown of the system.
func (s *SCM) shutDown(c win32.Control, limit time.Duration, page string) {
	err := s.send(scm.Control{Code: c})
	if s.wait(limit, s.hasStopped) || err != nil {
		return
	}
	s.lock()
	defer s.unlock()
	s.breaks(fmt.Sprintf("was killed: it had not stopped %s after %s", limit, c), page)
}

// hasStopped reports whether the service has stopped. The caller holds the lock of s.
func (s *SCM) hasStopped() bool { return s.gone || s.status.State == Stopped }

// send sends c to the service, if it accepts c, and waits for the answer. The manager sends
// one control at a time (ControlService, "Remarks").
func (s *SCM) send(c scm.Control) error {
	s.lock()
	over := s.drive == nil || s.gone
	s.unlock()
	if over {
		return ErrorServiceNotActive
	}
	timer := time.NewTimer(handlerLimit)
	defer timer.Stop()
	select {
	case s.turn <- struct{}{}:
	case <-timer.C:
		return ErrorServiceRequestTimeout
	}
	s.lock()
	refused, handle, probe := s.refuses(c.Code), s.handler, !s.probed
	if refused == NoError && c.Code.Ends() && s.asked == 0 {
		s.asked = c.Code
	}
	s.unlock()
	if refused != NoError {
		<-s.turn
		return refused
	}
	timer.Reset(handlerLimit)
	answers := make(chan Errno, 1)
	go func() {
		if probe {
			s.answered(controlUnknown, Errno(handle(scm.Control{Code: controlUnknown})))
		}
		answer := Errno(handle(c))
		s.answered(c.Code, answer)
		<-s.turn
		answers <- answer
	}()
	select {
	case answer := <-answers:
		if answer == NoError {
			return nil
		}
		return answer
	case <-timer.C:
		s.lock()
		defer s.unlock()
		s.breaks(fmt.Sprintf("has been handling %s for %s: the handler has to return at once", c.Code, handlerLimit),
			"HandlerEx, Remarks")
		return ErrorServiceRequestTimeout
	}
}

// refuses returns the reason why the manager does not send c. The caller holds the lock of
// s.
func (s *SCM) refuses(c win32.Control) Errno {
	switch state := s.status.State; {
	case state == Stopped:
		return ErrorServiceNotActive
	case s.handler == nil:
		return ErrorServiceCannotAcceptCtrl
	case c == win32.ControlInterrogate:
		return NoError
	case state == StartPending, state == StopPending, s.ending != 0:
		// After an accepted STOP the manager sends nothing else (HandlerEx,
		// SERVICE_CONTROL_STOP).
		return ErrorServiceCannotAcceptCtrl
	case !s.status.ControlsAccepted.Has(Accepted(c.Accept())):
		return ErrorInvalidServiceControl
	}
	return NoError
}

// answered checks the service's answer to c.
func (s *SCM) answered(c win32.Control, answer Errno) {
	s.lock()
	defer s.unlock()
	const page = "HandlerEx, Return value"
	stopped := s.hasStopped() // while it handled c: nobody waits for the answer any more
	switch {
	case c == controlUnknown:
		s.probed = true
		if answer != ErrorCallNotImplemented {
			s.breaks(fmt.Sprintf("answered %d to a control that it cannot know: want ERROR_CALL_NOT_IMPLEMENTED", uint32(answer)), page)
		}
	case c == win32.ControlInterrogate && answer != NoError:
		s.breaks(fmt.Sprintf("answered %d to INTERROGATE: want NO_ERROR", uint32(answer)), page)
	case c.Ends() && answer == NoError:
		s.ending = c
	case c.Ends() && !stopped:
		s.breaks(fmt.Sprintf("accepts %s, but answered %d to it: want NO_ERROR", c, uint32(answer)), page)
	case c.Accept() != 0 && answer == ErrorCallNotImplemented && !stopped:
		s.breaks(fmt.Sprintf("accepts %s, but answered that it does not handle it", c), page)
	}
}
