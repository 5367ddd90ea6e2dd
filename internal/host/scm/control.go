package scm

import (
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

const (
	// What the limits of the system leave for the process to be gone.
	shutdownMargin    = 500 * time.Millisecond
	preshutdownMargin = time.Second

	// answerBound is how long an answer waits for its state.
	answerBound = 250 * time.Millisecond

	// suspendBound is how long Windows waits before it suspends the machine all the same
	// (PBT_APMSUSPEND, "Remarks").
	suspendBound = 2 * time.Second

	powerSuspend = 0x4 // PBT_APMSUSPEND
)

// control is HandlerEx. It runs on the thread of the dispatcher, where everything
// else of the manager waits for it: it asks, and does not wait for what the program
// makes of it. But where the state changes it waits for that to be reported, as
// handlers do that report it themselves: whoever has sent a stop is to see
// STOP_PENDING when the answer comes, and not a service that runs on. And it answers
// PBT_APMSUSPEND only when the program has seen to it, since the machine sleeps after that.
func (h *Host) control(c Control) win32.Errno {
	state := lifecycle.State(h.told.Load())
	switch {
	case c.Code == win32.ControlInterrogate:
		return win32.NoError // the manager knows: every change was reported
	case !h.open.Load():
		return win32.ErrorServiceCannotAcceptCtrl
	case !h.handles(c.Code):
		return win32.ErrorCallNotImplemented
	case state == lifecycle.Starting:
		return win32.ErrorServiceCannotAcceptCtrl
	case state == lifecycle.Stopped && c.Code.Ends():
		return win32.NoError // it has stopped by itself, which the manager is about to hear
	}
	switch c.Code {
	case win32.ControlStop:
		return h.ask(host.Request{Trigger: host.TriggerStop, Detail: "SERVICE_CONTROL_STOP"})
	case win32.ControlShutdown:
		return h.ask(host.Request{
			Trigger: host.TriggerShutdown, Detail: "SERVICE_CONTROL_SHUTDOWN",
			Budget: less(h.api.ShutdownTimeout(), shutdownMargin),
		})
	case win32.ControlPreshutdown:
		return h.ask(host.Request{
			Trigger: host.TriggerPreshutdown, Detail: "SERVICE_CONTROL_PRESHUTDOWN",
			Budget: less(time.Duration(h.preshutdown.Load()), preshutdownMargin),
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

// notify hands e to the program, and waits for it where the machine is suspended next.
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
		case <-bound.C: // the machine is suspended in any case
		}
	}
	return win32.NoError
}

// ask asks for something that changes the state, and waits until that has changed.
func (h *Host) ask(q host.Request) win32.Errno {
	h.mu.Lock()
	changed := h.changed
	h.mu.Unlock()
	h.run.Post(q)
	bound := time.NewTimer(answerBound)
	defer bound.Stop()
	select {
	case <-changed:
	case <-bound.C: // it stops already, or pauses after a reload, or cannot keep up
	}
	return win32.NoError
}

// handles reports whether the program can do anything with a control.
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

// levelControl is what a control asks of the level of the log.
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

// event is c in the words of hosts.
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

// less is limit without margin, or half of a limit that is hardly longer.
func less(limit, margin time.Duration) time.Duration { return max(limit-margin, limit/2) }

// accepted is what the manager may send in a state. In START_PENDING that is
// nothing: a stop that arrived there could find a program half made
// (SetServiceStatus, "Remarks"). STOP_PENDING has one way on.
func (h *Host) accepted(s win32.State) (a win32.Accepted) {
	switch s {
	case win32.Running, win32.Paused, win32.PausePending, win32.ContinuePending:
	default:
		return 0
	}
	a = win32.AcceptStop | win32.AcceptShutdown | win32.AcceptParamChange // where the program cannot, its log can
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
