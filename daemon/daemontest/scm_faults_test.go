package daemontest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// faults are services that each break one rule and keep all others, with the text that the
// test must report.
var faults = map[string]struct {
	service
	want string
}{
	"connects too late": {service{process: func(_ context.Context, api scm.API) error {
		<-time.After(connectLimit)
		return service{}.run(context.Background(), api)
	}, body: func(*SCM) { Sleep(time.Minute) }}, "has not called StartServiceCtrlDispatcher for 30s"},

	"never connects": {service{process: func(context.Context, scm.API) error { return nil }}, "without having reported STOPPED"},

	"connects twice": {service{process: func(ctx context.Context, api scm.API) error {
		err := service{}.run(ctx, api)
		if err := api.Dispatch(func([]string) {}); !errors.Is(err, ErrorServiceAlreadyRunning) {
			return err
		}
		return err
	}}, "called StartServiceCtrlDispatcher a second time"},

	"registers before it is connected": {service{process: func(ctx context.Context, api scm.API) error {
		_ = api.Register(func(scm.Control) win32.Errno { return win32.NoError })
		return service{}.run(ctx, api)
	}}, "registered its handler before it was connected"},

	"registers twice": {service{main: func(api scm.API) {
		_ = api.Register(func(scm.Control) win32.Errno { return win32.NoError })
		service{}.serve(context.Background(), api)
	}}, "registered a second handler"},

	"reports before it registers": {service{main: func(api scm.API) {
		_ = api.Report(starting)
		service{}.serve(context.Background(), api)
	}}, "reported START_PENDING before it registered a handler"},

	"reports nothing at first": {service{main: func(api scm.API) {
		<-time.After(silenceLimit)
		service{}.serve(context.Background(), api)
	}, body: func(*SCM) { Sleep(2 * time.Minute) }}, "has reported nothing for 1m20s"},

	"is running at once": {service{start: []scm.Status{serving}}, "first reported RUNNING"},

	"a state that does not exist": {
		service{start: []scm.Status{starting, serving, {State: 8}, serving}},
		"reported a state that does not exist, 8",
	},

	"starts again":               {service{start: []scm.Status{starting, serving, starting, serving}}, "went from RUNNING to START_PENDING"},
	"is paused before it runs":   {service{start: []scm.Status{starting, paused}}, "went from START_PENDING to PAUSED"},
	"continues though it runs":   {service{start: []scm.Status{starting, serving, resuming}}, "went from RUNNING to CONTINUE_PENDING"},
	"pauses though it is paused": {service{start: []scm.Status{starting, serving, paused, pausing}}, "went from PAUSED to PAUSE_PENDING"},
	"runs again while it stops":  {service{stop: []scm.Status{stopping, serving, stopping, stopped}}, "went from STOP_PENDING to RUNNING"},
	"stops twice":                {service{stop: []scm.Status{stopping, stopped, stopped}}, "reported STOPPED after STOPPED"},
	"goes on after the end":      {service{stop: []scm.Status{stopping, stopped, stopping}}, "reported STOP_PENDING after STOPPED"},

	"makes no progress": {service{start: []scm.Status{starting, starting, serving}}, "reported checkpoint 1 after 1 in START_PENDING"},
	"goes backwards":    {service{stop: []scm.Status{with(stopping, higher), stopping, stopped}}, "reported checkpoint 1 after 2 in STOP_PENDING"},
	"a checkpoint while it runs": {
		service{start: []scm.Status{starting, with(serving, higher)}},
		"reported checkpoint 1 in RUNNING",
	},
	"a wait hint while it runs": {
		service{start: []scm.Status{starting, with(serving, func(s *scm.Status) { s.WaitHint = time.Second })}},
		"reported a wait hint of 1s in RUNNING",
	},
	"no wait hint": {
		service{start: []scm.Status{with(starting, func(s *scm.Status) { s.WaitHint = 0 }), serving}},
		"reported a wait hint of 0s in START_PENDING",
	},
	"starts in silence": {service{pace: 5 * time.Second, body: awaitRunning, stop: []scm.Status{stopped}}, "is hung in START_PENDING: it has reported nothing for 5s"},
	"stops in silence": {
		service{stop: []scm.Status{stopping, stopped}, pace: 6 * time.Second, start: []scm.Status{starting}, main: slowStop},
		"is hung in STOP_PENDING",
	},
	"pauses in silence": {
		service{start: []scm.Status{starting, serving, pausing}, body: func(*SCM) { Sleep(time.Minute) }},
		"is hung in PAUSE_PENDING: it has reported nothing for 5s, its wait hint; Pause has taken longer than Config.StopTimeout",
	},
	"continues in silence": {
		service{start: []scm.Status{starting, serving, paused, resuming}, body: func(*SCM) { Sleep(time.Minute) }},
		"is hung in CONTINUE_PENDING: it has reported nothing for 5s, its wait hint; Continue has taken longer than Config.StopTimeout",
	},

	"accepts a control that does not exist": {service{start: []scm.Status{starting, accepting(serving, 0x1000)}}, "accepts controls that do not exist, 0x1000"},
	"accepts while it starts":               {service{start: []scm.Status{accepting(starting, win32.AcceptStop), serving}}, "accepts STOP in START_PENDING"},
	"accepts while it stops":                {service{stop: []scm.Status{accepting(stopping, win32.AcceptStop), stopped}}, "accepts STOP in STOP_PENDING"},
	"accepts when it has stopped":           {service{stop: []scm.Status{stopping, accepting(stopped, win32.AcceptStop)}}, "accepts STOP in STOPPED"},
	"accepts both shutdowns": {
		service{start: []scm.Status{starting, accepting(serving, win32.AcceptPreshutdown)}},
		"accepts SHUTDOWN, but has stopped by then",
	},

	"an exit code while it runs": {
		service{start: []scm.Status{starting, with(serving, func(s *scm.Status) { s.ExitCode = 5 })}},
		"reported exit code 5 in RUNNING",
	},
	"an exit code of its own that is none": {
		service{start: ends(fail(0)), result: errors.New("boom")},
		"reported service-specific exit code 0 with exit code 1066",
	},
	"an exit code of its own that does not count": {
		service{start: ends(func(s *scm.Status) { s.SpecificCode = 1 })},
		"reported service-specific exit code 1 with exit code 0",
	},
	"a failure that looks like success": {service{start: ends(well), result: errors.New("boom")}, "reported exit code 0/0, but Run has returned: boom"},
	"success that looks like a failure": {service{start: ends(fail(1))}, "reported exit code 1066/1, but Run has returned: <nil>"},
	"another failure": {
		service{start: ends(fail(2)), result: errors.New("boom")},
		"reported exit code 1066/2",
	},
	"another exit code of the process": {
		service{start: ends(fail(1)), result: errors.New("boom"), exit: 124},
		"the process has exited with code 124",
	},
	"another exit code of the process after a stop": {
		service{result: errors.New("boom"), exit: 124},
		"the process has exited with code 124",
	},
	"a stop that looks like a failure": {
		service{stop: []scm.Status{stopping, with(stopped, fail(1))}, result: errors.New("boom")},
		"reported exit code 1066/1 after STOP: want 0/0",
	},
	"a shutdown that looks like a failure": {
		service{stop: []scm.Status{stopping, with(stopped, func(s *scm.Status) { s.ExitCode = 5 })}, result: errors.New("boom"), body: shutDown},
		"reported exit code 5/0 after SHUTDOWN: want 0/0",
	},

	"ends without a word": {service{process: func(_ context.Context, api scm.API) error {
		go func() { _ = api.Dispatch(func([]string) {}) }()
		<-time.After(time.Second)
		return nil
	}, body: func(*SCM) { Sleep(time.Minute) }}, "ended without having reported STOPPED"},
	"ends though it has yet to stop": {service{process: func(ctx context.Context, api scm.API) error {
		asked := make(chan struct{})
		go func() {
			_ = api.Dispatch(func([]string) {
				_ = api.Register(func(c scm.Control) win32.Errno {
					return handle(c, func() win32.Errno { close(asked); return win32.NoError })
				})
				_ = api.Report(starting)
				_ = api.Report(serving)
			})
		}()
		<-asked
		<-time.After(time.Millisecond) // after it has answered
		return nil
	}}, "though it accepted STOP"},
	"ends before ServiceMain has returned": {service{process: func(ctx context.Context, api scm.API) error {
		go func() {
			_ = api.Dispatch(func([]string) {
				service{start: []scm.Status{with(stopped, fail(1))}}.serve(ctx, api)
				<-time.After(time.Second)
			})
		}()
		<-time.After(time.Millisecond)
		return errors.New("boom")
	}, body: func(*SCM) { Sleep(time.Minute) }}, "ended before the dispatcher and ServiceMain had returned"},

	"takes a control that it cannot know": {service{handle: answering(controlUnknown, win32.NoError)}, "answered 0 to a control that it cannot know"},
	"does not answer INTERROGATE": {
		service{handle: answering(win32.ControlInterrogate, win32.ErrorCallNotImplemented), body: func(s *SCM) { _ = s.Control(ControlInterrogate) }},
		"answered 120 to INTERROGATE",
	},
	"denies that it stops":      {service{handle: answering(win32.ControlStop, 5)}, "accepts STOP, but answered 5"},
	"denies that it shuts down": {service{handle: answering(win32.ControlShutdown, 5), body: (*SCM).Shutdown}, "accepts SHUTDOWN, but answered 5"},
	"accepts what it does not handle": {
		service{handle: answering(win32.ControlPause, win32.ErrorCallNotImplemented), body: func(s *SCM) { _ = s.Control(ControlPause) }},
		"accepts PAUSE, but answered that it does not handle it",
	},
	"handles for too long": {
		service{handle: func(c scm.Control, stop func() win32.Errno) win32.Errno {
			if c.Code == win32.ControlPause {
				<-time.After(40 * time.Second)
			}
			return handle(c, stop)
		}, body: func(s *SCM) {
			if err := s.Control(ControlPause); !errors.Is(err, ErrorServiceRequestTimeout) {
				panic(err)
			}
			if err := s.Control(ControlInterrogate); err != nil {
				panic(err)
			}
		}},
		"has been handling PAUSE for 30s",
	},
	"takes too long for a shutdown": {
		service{stop: []scm.Status{with(stopping, long), stopped}, pace: 6 * time.Second, body: shutDown, start: []scm.Status{with(starting, long), serving}},
		"was killed: it had not stopped 5s after SHUTDOWN",
	},
	"takes too long before a shutdown": {
		service{
			start: []scm.Status{with(starting, long), {State: win32.Running, Accepted: win32.AcceptPreshutdown}},
			stop:  []scm.Status{with(stopping, long), stopped}, pace: 11 * time.Second, body: shutDown,
		},
		"was killed: it had not stopped 10s after PRESHUTDOWN",
	},
	"cannot be stopped": {
		service{start: []scm.Status{starting, {State: win32.Running}}}, "cannot be stopped: it does not accept STOP",
	},
	"does not stop": {
		service{handle: func(c scm.Control, _ func() win32.Errno) win32.Errno {
			return handle(c, func() win32.Errno { return win32.NoError })
		}}, "has not stopped within 24h0m0s",
	},
	"does not start": {
		service{start: []scm.Status{with(starting, func(s *scm.Status) { s.WaitHint = 1000 * time.Hour })}}, "has not started within 24h0m0s",
	},
}

func accepting(s scm.Status, a win32.Accepted) scm.Status {
	s.Accepted |= a
	return s
}

func long(s *scm.Status) { s.WaitHint = time.Minute }

func awaitRunning(s *SCM) { s.Await(Running) }

func shutDown(s *SCM) {
	s.Await(Running)
	s.Shutdown()
}

// slowStop is the ServiceMain of a service that reports too little while it stops.
func slowStop(api scm.API) {
	service{stop: []scm.Status{stopping, stopped}}.serve(context.Background(), slow{api})
}

// slow delays STOPPED.
type slow struct{ scm.API }

func (a slow) Report(s scm.Status) error {
	if s.State == win32.Stopped {
		<-time.After(6 * time.Second)
	}
	return a.API.Report(s)
}

func TestSCM_ReportsEachBrokenRule(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			broken := watch(t, fault.service)
			switch {
			case len(broken) != 1:
				t.Errorf("%d rules broken, want one:\n%s", len(broken), strings.Join(broken, "\n"))
			case !strings.Contains(broken[0], fault.want) || !strings.Contains(broken[0], "(see ") || !strings.Contains(broken[0], "it had reported:"):
				t.Errorf("got %q\nwant %q", broken[0], fault.want)
			}
			t.Log(strings.Join(broken, "\n"))
		})
	}
}
