package daemontest

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/daemon/event"
	"github.com/go-glidepath/glidepath/internal/host/scm"
)

// Control is ControlService, what a client of the manager does. It returns when the
// service has answered, before anything has come of it: Await, Query and [Sleep] wait
// for that. The error is an [Errno]:
//
//   - ErrorInvalidParameter if a client cannot send c,
//   - ErrorServiceNotActive if the service has stopped,
//   - ErrorServiceCannotAcceptCtrl while it starts and while it stops, from the
//     moment when it has accepted STOP,
//   - ErrorInvalidServiceControl if it does not accept c,
//   - ErrorServiceRequestTimeout if it does not answer for 30 seconds, or is busy
//     with another control for so long,
//   - else what it has answered: ErrorCallNotImplemented for a user-defined control
//     if the program is not a daemon.Notified.
//
// ControlInterrogate always arrives, but after the end (HandlerEx); Windows itself
// answers it while a service starts and stops.
func (s *SCM) Control(c Control) error {
	switch c {
	case ControlStop, ControlPause, ControlContinue, ControlInterrogate, ControlParamChange:
	default:
		if !c.userDefined() {
			return ErrorInvalidParameter
		}
	}
	return s.send(scm.Control{Code: uint32(c)})
}

// SessionChange is what the system sends when somebody logs on or off, if the service
// accepts it. The errors are those of Control.
func (s *SCM) SessionChange(t event.SessionChangeType, sessionID uint32) error {
	return s.send(scm.Control{Code: uint32(controlSessionChange), Type: uint32(t), Session: sessionID})
}

// PowerChange is what the system sends when it goes to sleep or wakes up, if the
// service accepts it. The errors are those of Control.
func (s *SCM) PowerChange(t event.PowerChangeType) error {
	return s.send(scm.Control{Code: uint32(controlPowerEvent), Type: uint32(t)})
}

// TimeChange is what the system sends when its clock is set, if the service accepts
// it. The errors are those of Control.
func (s *SCM) TimeChange(now, old time.Time) error {
	return s.send(scm.Control{Code: uint32(controlTimeChange), New: now, Old: old})
}

// Shutdown is what happens when the system shuts down. A service that accepts
// PRESHUTDOWN is sent that, and has PreshutdownTimeout to stop; one that accepts
// SHUTDOWN is sent that, and has WaitToKillServiceTimeout. One that has been stopping
// has as long. All of this lets time pass. Then the system is down: a process that is
// still there is killed, and if its service had heard of the shutdown, that is an
// error of the test. A service that starts hears nothing.
func (s *SCM) Shutdown() {
	s.settle()
	s.lock()
	accepted := s.status.ControlsAccepted
	s.unlock()
	switch {
	case accepted.Has(AcceptPreshutdown):
		s.shutDown(controlPreshutdown, s.PreshutdownTimeout, "SERVICE_PRESHUTDOWN_INFO")
	case accepted.Has(AcceptShutdown):
		s.shutDown(controlShutdown, s.WaitToKillServiceTimeout, "HandlerEx, Remarks")
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

// shutDown has the service stop for a shutdown of the system.
func (s *SCM) shutDown(c Control, limit time.Duration, page string) {
	err := s.send(scm.Control{Code: uint32(c)})
	if s.wait(limit, s.hasStopped) || err != nil {
		return
	}
	s.lock()
	defer s.unlock()
	s.breaks(fmt.Sprintf("was killed: it had not stopped %s after %s", limit, c), page)
}

// hasStopped is called with s locked.
func (s *SCM) hasStopped() bool { return s.gone || s.status.State == Stopped }

// send sends c to the service if that accepts it, and waits for the answer. The
// manager sends one control at a time (ControlService, "Remarks").
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
	refused, handle, probe := s.refuses(Control(c.Code)), s.handler, !s.probed
	if refused == NoError && Control(c.Code).ends() && s.asked == 0 {
		s.asked = Control(c.Code)
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
			s.answered(controlUnknown, Errno(handle(scm.Control{Code: uint32(controlUnknown)})))
		}
		answer := Errno(handle(c))
		s.answered(Control(c.Code), answer)
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
		s.breaks(fmt.Sprintf("has been handling %s for %s: the handler has to return at once", Control(c.Code), handlerLimit),
			"HandlerEx, Remarks")
		return ErrorServiceRequestTimeout
	}
}

// refuses says why the manager does not send c. s is locked.
func (s *SCM) refuses(c Control) Errno {
	bit := acceptBit(c)
	switch state := s.status.State; {
	case state == Stopped:
		return ErrorServiceNotActive
	case s.handler == nil:
		return ErrorServiceCannotAcceptCtrl
	case c == ControlInterrogate:
		return NoError
	case state == StartPending, state == StopPending, s.ending != 0:
		// After a STOP that was accepted the manager sends nothing else (HandlerEx,
		// SERVICE_CONTROL_STOP).
		return ErrorServiceCannotAcceptCtrl
	case !s.status.ControlsAccepted.Has(bit):
		return ErrorInvalidServiceControl
	}
	return NoError
}

// answered checks what the service has answered to c.
func (s *SCM) answered(c Control, answer Errno) {
	s.lock()
	defer s.unlock()
	const page = "HandlerEx, Return value"
	stopped := s.hasStopped() // while it handled c: nobody listens any more
	switch {
	case c == controlUnknown:
		s.probed = true
		if answer != ErrorCallNotImplemented {
			s.breaks(fmt.Sprintf("answered %d to a control that it cannot know: want ERROR_CALL_NOT_IMPLEMENTED", uint32(answer)), page)
		}
	case c == ControlInterrogate && answer != NoError:
		s.breaks(fmt.Sprintf("answered %d to INTERROGATE: want NO_ERROR", uint32(answer)), page)
	case c.ends() && answer == NoError:
		s.ending = c
	case c.ends() && !stopped:
		s.breaks(fmt.Sprintf("accepts %s, but answered %d to it: want NO_ERROR", c, uint32(answer)), page)
	case acceptBit(c) != 0 && answer == ErrorCallNotImplemented && !stopped:
		s.breaks(fmt.Sprintf("accepts %s, but answered that it does not handle it", c), page)
	}
}
