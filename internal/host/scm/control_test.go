package scm

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// limits is a manager that only returns timeouts.
type limits struct{ API }

func (limits) Confine() error                    { return nil }
func (limits) ShutdownTimeout() time.Duration    { return 5 * time.Second }
func (limits) PreshutdownTimeout() time.Duration { return 10 * time.Second }

// asked holds the requests and events that controls have caused.
type asked struct {
	requests []host.Request
	events   []host.Event
	full     bool
}

// opened returns a host in a state, without a manager.
func opened(state lifecycle.State, can bool, preshutdown bool) (*Host, *asked) {
	a := &asked{}
	h := newHost(limits{})
	h.Open(host.Run{
		Post: func(q host.Request) { a.requests = append(a.requests, q) },
		Notify: func(e host.Event) bool {
			if e.Done != nil {
				e.Done()
				e.Done = nil
			}
			a.events = append(a.events, e)
			return !a.full
		},
		CanPause: can, CanNotify: can, Preshutdown: preshutdown,
	})
	h.preshutdown.Store(int64(10 * time.Second))
	h.Tell(host.Status{State: state})
	return h, a
}

func TestControl_Requests(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		control Control
		state   lifecycle.State
		want    any
	}{
		{Control{Code: win32.ControlStop}, lifecycle.Running, host.Request{Trigger: "stop", Detail: "SERVICE_CONTROL_STOP"}},
		{Control{Code: win32.ControlShutdown}, lifecycle.Running, host.Request{Trigger: "shutdown", Detail: "SERVICE_CONTROL_SHUTDOWN", Budget: 4500 * time.Millisecond}},
		{Control{Code: win32.ControlShutdown}, lifecycle.Stopping, host.Request{Trigger: "shutdown", Detail: "SERVICE_CONTROL_SHUTDOWN", Budget: 4500 * time.Millisecond}},
		{Control{Code: win32.ControlPause}, lifecycle.Running, host.Request{Action: host.Pause, Detail: "SERVICE_CONTROL_PAUSE"}},
		{Control{Code: win32.ControlPause}, lifecycle.Reloading, host.Request{Action: host.Pause, Detail: "SERVICE_CONTROL_PAUSE"}},
		{Control{Code: win32.ControlContinue}, lifecycle.Paused, host.Request{Action: host.Continue, Detail: "SERVICE_CONTROL_CONTINUE"}},
		{Control{Code: win32.ControlParamChange}, lifecycle.Running, host.Request{Action: host.Reload, Detail: "SERVICE_CONTROL_PARAMCHANGE"}},
		{Control{Code: win32.ControlSessionChange, Type: 7, Session: 2}, lifecycle.Paused, host.Event{Kind: host.SessionChange, Code: 7, Session: 2}},
		{Control{Code: win32.ControlPowerEvent, Type: 4}, lifecycle.Running, host.Event{Kind: host.PowerEvent, Code: 4}},
		{Control{Code: win32.ControlTimeChange, New: noon, Old: noon}, lifecycle.Running, host.Event{Kind: host.TimeChange, New: noon, Old: noon}},
		{Control{Code: 128}, lifecycle.Pausing, host.Event{Kind: host.UserControl, Code: 128}},
		{Control{Code: 255}, lifecycle.Running, host.Event{Kind: host.UserControl, Code: 255}},
	} {
		t.Run(fmt.Sprintf("%s in %s", test.control.Code, test.state), func(t *testing.T) {
			h, a := opened(test.state, true, false)
			code := h.control(test.control)
			if got := fmt.Sprint(a.requests, a.events); code != win32.NoError || got != printed(test.want) {
				t.Errorf("%+v in %s: error %d, %s; want %+v", test.control, test.state, code, got, test.want)
			}
		})
	}
}

func TestControl_TwoControlsStepTheLogLevel(t *testing.T) {
	for code, want := range map[win32.Control]host.Action{254: host.MoreVerbose, 255: host.LessVerbose} {
		for _, can := range []bool{false, true} { // whether the program handles events
			h, a := opened(lifecycle.Running, can, false)
			h.run.LevelControls = true
			got := h.control(Control{Code: code})
			if q := (host.Request{Action: want, Detail: fmt.Sprint("control ", uint32(code))}); got != win32.NoError || fmt.Sprint(a.requests) != fmt.Sprint([]host.Request{q}) || a.events != nil {
				t.Errorf("%d: error %d, it asks for %+v %v", code, got, a.requests, a.events)
			}
			h.Tell(host.Status{State: lifecycle.Starting})
			if got := h.control(Control{Code: code}); got != win32.ErrorServiceCannotAcceptCtrl {
				t.Errorf("%d while starting: error %d", code, got)
			}
		}
	}
}

// printed prints what is wanted as the lists of requests and of events.
func printed(want any) string {
	if e, ok := want.(host.Event); ok {
		return fmt.Sprint([]host.Request(nil), []host.Event{e})
	}
	return fmt.Sprint([]host.Request{want.(host.Request)}, []host.Event(nil))
}

func TestControl_Refusals(t *testing.T) {
	for _, test := range []struct {
		name  string
		code  win32.Control
		state lifecycle.State
		can   bool
		want  win32.Errno
	}{
		{"a stop while starting", win32.ControlStop, lifecycle.Starting, true, win32.ErrorServiceCannotAcceptCtrl},
		{"a control of the program while starting", 200, lifecycle.Starting, true, win32.ErrorServiceCannotAcceptCtrl},
		{"a stop after the end", win32.ControlStop, lifecycle.Stopped, true, win32.NoError},
		{"a control of the program after the end", 200, lifecycle.Stopped, true, win32.ErrorServiceCannotAcceptCtrl},
		{"a pause while stopping", win32.ControlPause, lifecycle.Stopping, true, win32.ErrorServiceCannotAcceptCtrl},
		{"a control of the program while stopping", 200, lifecycle.Stopping, true, win32.ErrorServiceCannotAcceptCtrl},
		{"continue while running", win32.ControlContinue, lifecycle.Running, true, win32.ErrorInvalidServiceControl},
		{"pause while paused", win32.ControlPause, lifecycle.Paused, true, win32.ErrorInvalidServiceControl},
		{"pause while pausing", win32.ControlPause, lifecycle.Pausing, true, win32.ErrorInvalidServiceControl},
		{"pause of a program that cannot", win32.ControlPause, lifecycle.Running, false, win32.ErrorCallNotImplemented},
		{"continue of a program that cannot", win32.ControlContinue, lifecycle.Running, false, win32.ErrorCallNotImplemented},
		{"a control of a program that has none", 200, lifecycle.Running, false, win32.ErrorCallNotImplemented},
		{"a session change of a program that does not listen", win32.ControlSessionChange, lifecycle.Running, false, win32.ErrorCallNotImplemented},
		{"preshutdown that was not accepted", win32.ControlPreshutdown, lifecycle.Running, true, win32.ErrorCallNotImplemented},
		{"a control that nobody knows", 0x60, lifecycle.Running, true, win32.ErrorCallNotImplemented},
		{"a control below those of programs", 127, lifecycle.Running, true, win32.ErrorCallNotImplemented},
		{"a control above those of programs", 256, lifecycle.Running, true, win32.ErrorCallNotImplemented},
		{"interrogate", win32.ControlInterrogate, lifecycle.Stopping, false, win32.NoError},
		{"interrogate while starting", win32.ControlInterrogate, lifecycle.Starting, false, win32.NoError},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, a := opened(test.state, test.can, false)
			if got := h.control(Control{Code: test.code}); got != test.want || len(a.requests)+len(a.events) > 0 {
				t.Errorf("error %d, want %d; it asks for %v %v", got, test.want, a.requests, a.events)
			}
		})
	}
}

func TestControl_RefusesEventsIfTheProgramIsSlow(t *testing.T) {
	h, a := opened(lifecycle.Running, true, false)
	a.full = true
	if got := h.control(Control{Code: 200}); got != win32.ErrorServiceCannotAcceptCtrl {
		t.Errorf("error %d", got)
	}
}

func TestControl_PreshutdownHasItsTimeout(t *testing.T) {
	h, a := opened(lifecycle.Running, false, true)
	code := h.control(Control{Code: win32.ControlPreshutdown})
	if code != win32.NoError || len(a.requests) != 1 || a.requests[0].Budget != 9*time.Second || a.requests[0].Trigger != "preshutdown" {
		t.Errorf("error %d, %+v", code, a.requests)
	}
	if got := h.control(Control{Code: win32.ControlShutdown}); got != win32.ErrorCallNotImplemented {
		t.Errorf("a shutdown gets error %d", got)
	}
}

func TestWithoutMargin_IsAtLeastHalf(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{
		20 * time.Second:       19500 * time.Millisecond,
		time.Second:            500 * time.Millisecond,
		600 * time.Millisecond: 300 * time.Millisecond,
	} {
		t.Run(limit.String(), func(t *testing.T) {
			if got := withoutMargin(limit, shutdownMargin); got != want {
				t.Errorf("of %s there is %s, want %s", limit, got, want)
			}
		})
	}
}
