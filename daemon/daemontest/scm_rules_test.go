package daemontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host/scm"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// service is a service that uses the API directly. Its zero value keeps all rules.
type service struct {
	process func(context.Context, scm.API) error                     // replaces everything below
	main    func(scm.API)                                            // replaces the fields below
	start   []scm.Status                                             // its first reports
	stop    []scm.Status                                             // its reports after it was asked to stop
	pace    time.Duration                                            // the time between two reports
	handle  func(c scm.Control, stop func() win32.Errno) win32.Errno // replaces its handler
	result  error                                                    // the result of its process
	exit    int                                                      // the exit code of its process, if not 0
	body    func(*SCM)                                               // the body of the test
}

// Statuses that keep all rules.
var (
	starting = scm.Status{State: win32.StartPending, CheckPoint: 1, WaitHint: 5 * time.Second}
	serving  = scm.Status{State: win32.Running, Accepted: win32.AcceptStop | win32.AcceptShutdown | win32.AcceptPauseContinue}
	pausing  = scm.Status{State: win32.PausePending, Accepted: win32.AcceptStop, CheckPoint: 1, WaitHint: 5 * time.Second}
	paused   = scm.Status{State: win32.Paused, Accepted: win32.AcceptStop}
	resuming = scm.Status{State: win32.ContinuePending, Accepted: win32.AcceptStop, CheckPoint: 1, WaitHint: 5 * time.Second}
	stopping = scm.Status{State: win32.StopPending, CheckPoint: 1, WaitHint: 5 * time.Second}
	stopped  = scm.Status{State: win32.Stopped}
)

// with returns a changed copy of s.
func with(s scm.Status, change func(*scm.Status)) scm.Status {
	change(&s)
	return s
}

func (v service) run(ctx context.Context, api scm.API) error {
	if v.process != nil {
		return v.process(ctx, api)
	}
	err := api.Dispatch(func([]string) {
		if v.main != nil {
			v.main(api)
			return
		}
		v.serve(ctx, api)
	})
	return errors.Join(err, v.result)
}

// serve is the ServiceMain. ctx ends when the process is killed.
func (v service) serve(ctx context.Context, api scm.API) {
	asked := make(chan struct{})
	var once sync.Once
	stop := func() win32.Errno {
		once.Do(func() { close(asked) })
		return win32.NoError
	}
	_ = api.Register(func(c scm.Control) win32.Errno {
		if v.handle != nil {
			return v.handle(c, stop)
		}
		return handle(c, stop)
	})
	start, end := v.start, v.stop
	if start == nil {
		start = []scm.Status{starting, serving}
	}
	if end == nil {
		end = []scm.Status{stopping, stopped}
	}
	report := func(list []scm.Status) (over bool) {
		for i, s := range list {
			if i > 0 && v.pace > 0 {
				<-time.After(v.pace)
			}
			_ = api.Report(s)
			over = over || s.State == win32.Stopped
		}
		return over
	}
	if !report(start) {
		select {
		case <-asked:
			report(end)
		case <-ctx.Done():
		}
	}
}

// handle is a handler that keeps all rules.
func handle(c scm.Control, stop func() win32.Errno) win32.Errno {
	switch c.Code {
	case win32.ControlStop, win32.ControlShutdown, win32.ControlPreshutdown:
		return stop()
	case win32.ControlInterrogate, win32.ControlPause, win32.ControlContinue:
		return win32.NoError
	}
	return win32.ErrorCallNotImplemented
}

// answering returns a handler with a special answer to one control. The service stops only
// after it has answered, because nobody expects an answer from a stopped service.
func answering(code win32.Control, answer win32.Errno) func(scm.Control, func() win32.Errno) win32.Errno {
	return func(c scm.Control, stop func() win32.Errno) win32.Errno {
		a := handle(c, func() win32.Errno {
			time.AfterFunc(time.Millisecond, func() { stop() })
			return win32.NoError
		})
		if c.Code == code {
			return answer
		}
		return a
	}
}

// watch runs v as Drive runs a program, and returns the broken rules.
func watch(t *testing.T, v service) (broken []string) {
	t.Helper()
	var mu sync.Mutex
	s := &SCM{Args: []string{"-v"}, Errorf: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		broken = append(broken, fmt.Sprintf(format, args...))
	}}
	d := &drive{t: t, manager: s, config: daemon.Config{Name: "test"}, exit: -1}
	if v.exit != 0 {
		d.exit = v.exit
	}
	d.bubble(func(ctx context.Context) {
		d.begun, d.done = time.Now(), make(chan struct{})
		ctx, d.cancel = context.WithCancelCause(ctx)
		defer d.cancel(nil)
		api := s.begin(d)
		go func() {
			defer close(d.done)
			s.ended(v.run(ctx, api), d.exit)
		}()
		synctest.Wait()
		if v.body != nil {
			v.body(s)
		}
		if !d.hasEnded() {
			s.stop()
			Sleep(2 * scmPatience)
		}
	})
	return broken
}

func TestSCM_AcceptsAServiceThatKeepsTheRules(t *testing.T) {
	for name, v := range map[string]service{
		"stops as asked": {},
		"fails":          {start: ends(fail(1)), result: errors.New("boom")},
		"fails to stop":  {result: errors.New("boom")},
		"cannot start":   {start: []scm.Status{with(stopped, fail(1))}, result: errors.New("boom")},
		"a Win32 error":  {start: []scm.Status{starting, with(stopped, func(s *scm.Status) { s.ExitCode = 5 })}, result: errors.New("boom")},
		"gives up":       {start: ends(fail(124)), result: daemon.ErrStopTimeout, exit: 124},
		"does not stop":  {result: daemon.ErrStopTimeout, exit: 124},
		"pauses": {start: []scm.Status{
			starting, serving, pausing, paused, resuming, serving, pausing, serving,
			pausing, paused, resuming, paused, paused,
		}},
		"takes its time": {pace: 4 * time.Second, stop: []scm.Status{stopping, with(stopping, higher), stopped}},
		"is asked this and that": {body: func(s *SCM) {
			for _, c := range []Control{ControlInterrogate, ControlPause, ControlContinue, ControlParamChange, 200} {
				_ = s.Control(c)
			}
		}},
		"shuts down": {body: func(s *SCM) { s.Shutdown() }},
		"does not accept shutdowns": {
			start: []scm.Status{starting, with(serving, func(s *scm.Status) { s.Accepted = win32.AcceptStop })},
			body:  func(s *SCM) { s.Shutdown() },
		},
		"ServiceMain returns early": {main: func(api scm.API) {
			_ = api.Register(func(c scm.Control) win32.Errno {
				return handle(c, func() win32.Errno {
					go func() { _ = api.Report(stopping); _ = api.Report(stopped) }()
					return win32.NoError
				})
			})
			_ = api.Report(starting)
			_ = api.Report(serving)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if broken := watch(t, v); len(broken) > 0 {
				t.Errorf("%d rules broken:\n%s", len(broken), strings.Join(broken, "\n"))
			}
		})
	}
}

// ends returns the reports of a service that stops by itself.
func ends(how func(*scm.Status)) []scm.Status {
	return []scm.Status{starting, serving, stopping, with(stopped, how)}
}

func well(*scm.Status) {}

func fail(code uint32) func(*scm.Status) {
	return func(s *scm.Status) { s.ExitCode, s.SpecificCode = win32.ErrorServiceSpecific, code }
}

func higher(s *scm.Status) { s.CheckPoint++ }
