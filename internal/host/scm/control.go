package scm

import (
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

const (
	// The margins are subtracted from the limits of the system, so that the process has ended
	// when they are reached.
	shutdownMargin    = 500 * time.Millisecond
	preshutdownMargin = time.Second

	// answerBound limits how long an answer waits for the change of state.
	answerBound = 250 * time.Millisecond

	// suspendBound is how long Windows waits for an answer before it suspends the machine
	// anyway (PBT_APMSUSPEND, "Remarks").
	suspendBound = 2 * time.Second

	powerSuspend = 0x4 // PBT_APMSUSPEND
)

// control implements HandlerEx. It runs on the thread of the dispatcher, on which all other
// requests of the manager wait for it. Therefore it posts a request to the run, and does not wait
// for the program.
//
// There are two exceptions. If the state changes, control waits until the new state is reported,
// so that a client that has sent a stop sees STOP_PENDING when it gets the answer. And it answers
// PBT_APMSUSPEND only after the program has handled it, because the machine is suspended next.
func (h *Host) control(c Control) win32.Errno {
	state := lifecycle.State(h.told.Load())
	switch {
	case c.Code == win32.ControlInterrogate:
		return win32.NoError // the manager knows the state: every change was reported
	case !h.open.Load():
		return win32.ErrorServiceCannotAcceptCtrl
	case !h.handles(c.Code):
		return win32.ErrorCallNotImplemented
	case state == lifecycle.Starting:
		return win32.ErrorServiceCannotAcceptCtrl
	case state == lifecycle.Stopped && c.Code.Ends():
		return win32.NoError // it has stopped by itself, which is about to be reported
	}
	switch c.Code {
	case win32.ControlStop:
		return h.ask(host.Request{Trigger: host.TriggerStop, Detail: "SERVICE_CONTROL_STOP"})
	case win32.ControlShutdown:
		return h.ask(host.Request{
			Trigger: host.TriggerShutdown, Detail: "SERVICE_CONTROL_SHUTDOWN",
			Budget: withoutMargin(h.api.ShutdownTimeout(), shutdownMargin),
		})
	case win32.ControlPreshutdown:
		return h.ask(host.Request{
			Trigger: host.TriggerPreshutdown, Detail: "SERVICE_CONTROL_PRESHUTDOWN",
			Budget: withoutMargin(time.Duration(h.preshutdown.Load()), preshutdownMargin),
		})
	}
	if state == lifecycle.Stopping || state == lifecycle.Stopped {
		return win32.ErrorServiceCannotAcceptCtrl
	}
	switch c.Code {
	case win32.ControlPause:
		if !state.Ready() {
			return win32.ErrorInvalidServiceControl
		}
		return h.ask(host.Request{Action: host.Pause, Detail: "SERVICE_CONTROL_PAUSE"})
	case win32.ControlContinue:
		if state != lifecycle.Paused {
			return win32.ErrorInvalidServiceControl
		}
		return h.ask(host.Request{Action: host.Continue, Detail: "SERVICE_CONTROL_CONTINUE"})
	case win32.ControlParamChange:
		h.run.Post(host.Request{Action: host.Reload, Detail: "SERVICE_CONTROL_PARAMCHANGE"})
	default:
		if q, ok := h.levelControl(c.Code); ok {
			h.run.Post(q)
			break
		}
		return h.notify(event(c))
	}
	return win32.NoError
}

// notify passes e to the program. It waits for the program if the machine is suspended next.
func (h *Host) notify(e host.Event) win32.Errno {
	suspends := e.Kind == host.PowerEvent && e.Code == powerSuspend
	done := make(chan struct{})
	if suspends {
		e.Done = func() { close(done) }
	}
	switch {
	case !h.run.Notify(e):
		return win32.ErrorServiceCannotAcceptCtrl
	case suspends:
		bound := time.NewTimer(suspendBound)
		defer bound.Stop()
		select {
		case <-done:
		case <-bound.C: // the machine is suspended anyway
		}
	}
	return win32.NoError
}

// ask posts a request that changes the state, and waits until the change is reported.
func (h *Host) ask(q host.Request) win32.Errno {
	h.mu.Lock()
	changed := h.changed
	h.mu.Unlock()
	h.run.Post(q)
	bound := time.NewTimer(answerBound)
	defer bound.Stop()
	select {
	case <-changed:
	case <-bound.C: // it is stopping already, pauses only after a reload, or is slow
	}
	return win32.NoError
}

// handles reports whether the program handles a control.
func (h *Host) handles(code win32.Control) bool {
	switch code {
	case win32.ControlStop, win32.ControlParamChange:
		return true
	case win32.ControlShutdown, win32.ControlPreshutdown:
		return h.run.Preshutdown == (code == win32.ControlPreshutdown)
	case win32.ControlPause, win32.ControlContinue:
		return h.run.CanPause
	case win32.ControlSessionChange, win32.ControlPowerEvent, win32.ControlTimeChange:
		return h.run.CanNotify
	}
	if _, ok := h.levelControl(code); ok {
		return true
	}
	return h.run.CanNotify && code.UserDefined()
}

// levelControl returns the request of a control that changes the level of the log.
func (h *Host) levelControl(code win32.Control) (host.Request, bool) {
	detail := "control " + strconv.Itoa(int(code))
	switch {
	case h.run.LevelControls && code == controlMoreVerbose:
		return host.Request{Action: host.MoreVerbose, Detail: detail}, true
	case h.run.LevelControls && code == controlLessVerbose:
		return host.Request{Action: host.LessVerbose, Detail: detail}, true
	}
	return host.Request{}, false
}

// event converts a control to an event for the run.
func event(c Control) host.Event {
	switch c.Code {
	case win32.ControlSessionChange:
		return host.Event{Kind: host.SessionChange, Code: c.Type, Session: c.Session}
	case win32.ControlPowerEvent:
		return host.Event{Kind: host.PowerEvent, Code: c.Type}
	case win32.ControlTimeChange:
		return host.Event{Kind: host.TimeChange, New: c.New, Old: c.Old}
	}
	return host.Event{Kind: host.UserControl, Code: uint32(c.Code)}
}

// withoutMargin returns limit without margin, but at least half of limit.
func withoutMargin(limit, margin time.Duration) time.Duration { return max(limit-margin, limit/2) }

// accepted returns the controls that the service accepts in a state. In START_PENDING it accepts
// none, because a stop could arrive when the program is only half initialized (SetServiceStatus,
// "Remarks"). In STOP_PENDING there is nothing left to control.
func (h *Host) accepted(s win32.State) (a win32.Accepted) {
	switch s {
	case win32.Running, win32.Paused, win32.PausePending, win32.ContinuePending:
	default:
		return 0
	}
	a = win32.AcceptStop | win32.AcceptShutdown | win32.AcceptParamChange // even if the program cannot reload, its log can
	if h.run.Preshutdown {
		a = win32.AcceptStop | win32.AcceptPreshutdown | win32.AcceptParamChange
	}
	if h.run.CanPause && !s.Pending() {
		a |= win32.AcceptPauseContinue
	}
	if h.run.CanNotify {
		a |= win32.AcceptSessionChange | win32.AcceptPowerEvent | win32.AcceptTimeChange
	}
	return a
}
