package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/daemon/event"
)

// stateHistory returns the states of a service in order, without repetitions.
func stateHistory(s *daemontest.SCM) string {
	var names []string
	for _, r := range s.History() {
		if name := r.State.String(); len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// checkEnded checks how the service and the run ended.
func checkEnded(t *testing.T, s *daemontest.SCM, err error, win32 daemontest.Errno, own uint32) {
	t.Helper()
	toldManager(t, s, win32, own)
	expect(t, "exit code", daemon.ExitCode(err), int(own))
}

// toldManager checks what the manager was told at the end.
func toldManager(t *testing.T, s *daemontest.SCM, win32 daemontest.Errno, own uint32) {
	t.Helper()
	last := s.Query()
	expect(t, "state", last.State, daemontest.Stopped)
	expect(t, "dwWin32ExitCode", last.Win32ExitCode, win32)
	expect(t, "dwServiceSpecificExitCode", last.ServiceSpecificExitCode, own)
}

// control sends c and checks that the service accepts it.
func control(t *testing.T, s *daemontest.SCM, c daemontest.Control) {
	t.Helper()
	if err := s.Control(c); err != nil {
		t.Errorf("%s: %v", c, err)
	}
}

// refused sends c and checks that the service does not get or accept it.
func refused(t *testing.T, s *daemontest.SCM, c daemontest.Control, want daemontest.Errno) {
	t.Helper()
	before := len(s.History())
	if err := s.Control(c); !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", c, err, want)
	}
	expect(t, "reports that follow from "+c.String(), len(s.History())-before, 0)
}

// found collects the broken rules that a manager reports.
type found struct {
	mu     sync.Mutex
	broken []string
}

func (f *found) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = append(f.broken, fmt.Sprintf(format, args...))
}

// expectOnly checks that exactly one rule was broken, or none if what is "".
func (f *found) expectOnly(t *testing.T, what string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if what == "" && len(f.broken) > 0 || what != "" && (len(f.broken) != 1 || !strings.Contains(f.broken[0], what)) {
		t.Errorf("broken rules: %q, want %q", f.broken, what)
	}
}

const always = daemontest.AcceptStop | daemontest.AcceptShutdown | daemontest.AcceptParamChange

func TestSCM_StartAndStop(t *testing.T) {
	s := &daemontest.SCM{}
	err := daemontest.Drive(t, s, program{}, daemon.Config{}, func() {
		expect(t, "state", s.Query().State, daemontest.Running)
		expect(t, "accepted", s.Query().ControlsAccepted, always)
		control(t, s, daemontest.ControlStop)
		s.Await(daemontest.Stopped)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_StopsWhenTheTestEnds(t *testing.T) {
	s := &daemontest.SCM{}
	err := daemontest.Drive(t, s, program{start: until(time.Minute-time.Second, nil)}, daemon.Config{}, func() {})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_SlowStartReportsProgress(t *testing.T) {
	s := &daemontest.SCM{}
	_ = daemontest.Drive(t, s, program{start: until(12*time.Second, nil)}, daemon.Config{}, func() {
		refused(t, s, daemontest.ControlStop, daemontest.ErrorServiceCannotAcceptCtrl)
		refused(t, s, daemontest.ControlPause, daemontest.ErrorServiceCannotAcceptCtrl)
		control(t, s, daemontest.ControlInterrogate)
		expect(t, "time of RUNNING", s.Await(daemontest.Running).At, 12*time.Second)
	})
	starting := 0
	for _, r := range s.History() {
		if r.State == daemontest.StartPending {
			starting++
		}
	}
	if starting < 12 {
		t.Errorf("it reported START_PENDING %d times", starting)
	}
}

func TestSCM_ExitCodeOfAFailure(t *testing.T) {
	fails := func(context.Context) error { return errBoom }
	later := func(context.Context) error { pass(time.Minute); return errBoom } // after Start has returned
	goes := func(ctx context.Context) error { daemon.Go(ctx, later); return nil }
	for name, test := range map[string]struct {
		program daemon.Program
		config  daemon.Config
		states  string
		code    uint32
	}{
		"Start fails":                 {program{start: fails}, daemon.Config{}, "START_PENDING STOP_PENDING STOPPED", 1},
		"Start panics":                {program{start: func(context.Context) error { panic("boom") }}, daemon.Config{}, "START_PENDING STOP_PENDING STOPPED", 1},
		"Start takes too long":        {program{start: blocked}, daemon.Config{}, "START_PENDING STOP_PENDING STOPPED", 1},
		"Start's configuration":       {program{start: func(context.Context) error { return fmt.Errorf("port: %w", daemon.ErrConfig) }}, daemon.Config{}, "START_PENDING STOP_PENDING STOPPED", 78},
		"Run's configuration":         {program{}, daemon.Config{Name: "no name"}, "START_PENDING STOPPED", 78},
		"a goroutine fails":           {program{start: goes}, daemon.Config{}, "START_PENDING RUNNING STOP_PENDING STOPPED", 1},
		"Stop does not end after it":  {program{start: goes, stop: until(3*time.Hour, nil)}, daemon.Config{StopTimeout: 5 * time.Second}, "START_PENDING RUNNING STOP_PENDING STOPPED", 124},
		"Start does not end":          {program{start: until(3*time.Hour, nil)}, daemon.Config{StartTimeout: 5 * time.Second, StopTimeout: 5 * time.Second}, "START_PENDING STOP_PENDING STOPPED", 124},
		"a job fails":                 {daemon.Func(func(context.Context, func()) error { return errBoom }), daemon.Config{}, "START_PENDING STOP_PENDING STOPPED", 1},
		"a job fails while it serves": {daemon.Func(func(_ context.Context, ready func()) error { ready(); pass(time.Hour); return errBoom }), daemon.Config{}, "START_PENDING RUNNING STOP_PENDING STOPPED", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &daemontest.SCM{}
			err := daemontest.Drive(t, s, test.program, test.config, func() { daemontest.Sleep(2 * time.Hour) })
			expect(t, "states", stateHistory(s), test.states)
			checkEnded(t, s, err, daemontest.ErrorServiceSpecific, test.code)
		})
	}
}

func TestSCM_RequestedStopEndsWithZeroEvenIfItFails(t *testing.T) {
	fails := func(context.Context) error { return errBoom }
	hangs := until(3*time.Hour, nil)
	goes := func(f func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error { daemon.Go(ctx, f); return nil }
	}
	atTheEnd := func(ctx context.Context) error { <-ctx.Done(); return errBoom }
	stop := func(s *daemontest.SCM) { _ = s.Control(daemontest.ControlStop) }
	early := daemon.Config{Windows: daemon.Windows{Preshutdown: true}}
	for name, test := range map[string]struct {
		program daemon.Program
		config  daemon.Config
		ask     func(*daemontest.SCM)
		code    int // the exit code of the process
	}{
		"Stop fails":                      {program{stop: fails}, daemon.Config{}, stop, 1},
		"Stop fails with a configuration": {program{stop: func(context.Context) error { return daemon.ErrConfig }}, daemon.Config{}, stop, 78},
		"Stop panics":                     {program{stop: func(context.Context) error { panic("boom") }}, daemon.Config{}, stop, 1},
		"a goroutine fails":               {program{start: goes(atTheEnd)}, daemon.Config{}, stop, 1},
		"Stop does not end":               {program{stop: hangs}, daemon.Config{}, stop, 124},
		"a goroutine does not end":        {program{start: goes(hangs)}, daemon.Config{}, stop, 124},
		"Stop fails in a shutdown":        {program{stop: fails}, daemon.Config{}, (*daemontest.SCM).Shutdown, 1},
		"Stop hangs in a shutdown":        {program{stop: hangs}, daemon.Config{}, (*daemontest.SCM).Shutdown, 124},
		"Stop fails before a shutdown":    {program{stop: fails}, early, (*daemontest.SCM).Shutdown, 1},
		"Stop hangs before a shutdown":    {program{stop: hangs}, early, (*daemontest.SCM).Shutdown, 124},
	} {
		t.Run(name, func(t *testing.T) {
			s := &daemontest.SCM{}
			err := daemontest.Drive(t, s, test.program, test.config, func() { test.ask(s) })
			toldManager(t, s, daemontest.NoError, 0)
			expect(t, "exit code of the process", daemon.ExitCode(err), test.code)
		})
	}
}

func TestSCM_FailureKeepsItsCodeIfAStopFollows(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "on the way down": time.Second} {
		t.Run(name, func(t *testing.T) {
			s := &daemontest.SCM{}
			var run context.Context
			p := program{start: func(ctx context.Context) error { run = ctx; return nil }, stop: until(5*time.Second, nil)}
			err := daemontest.Drive(t, s, p, daemon.Config{}, func() {
				daemon.Fail(run, errBoom)
				if wait > 0 {
					daemontest.Sleep(wait)
				}
				_ = s.Control(daemontest.ControlStop)
			})
			checkEnded(t, s, err, daemontest.ErrorServiceSpecific, 1)
		})
	}
}

func TestSCM_FinishEndsTheService(t *testing.T) {
	s := &daemontest.SCM{}
	job := daemon.Func(func(context.Context, func()) error { return nil })
	err := daemontest.Drive(t, s, job, daemon.Config{}, func() { s.Await(daemontest.Stopped) })
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_FailEndsTheService(t *testing.T) {
	s := &daemontest.SCM{}
	var run context.Context
	p := program{start: func(ctx context.Context) error { run = ctx; return nil }}
	err := daemontest.Drive(t, s, p, daemon.Config{}, func() {
		daemontest.Sleep(time.Hour)
		daemon.Fail(run, errBoom)
		expect(t, "time of STOPPED", s.Await(daemontest.Stopped).At, time.Hour)
	})
	checkEnded(t, s, err, daemontest.ErrorServiceSpecific, 1)
}

func TestSCM_SlowStopReportsProgress(t *testing.T) {
	s := &daemontest.SCM{}
	p := program{stop: until(20*time.Second, nil)}
	err := daemontest.Drive(t, s, p, daemon.Config{DrainDelay: 5 * time.Second}, func() {
		control(t, s, daemontest.ControlStop)
		for i := range 12 {
			daemontest.Sleep(2 * time.Second)
			now := s.Query()
			expect(t, "state", now.State, daemontest.StopPending)
			if now.CheckPoint < uint32(2*i) {
				t.Errorf("checkpoint %d after %d s", now.CheckPoint, 2*(i+1))
			}
			control(t, s, daemontest.ControlInterrogate)
			refused(t, s, daemontest.ControlStop, daemontest.ErrorServiceCannotAcceptCtrl)
		}
		expect(t, "time of STOPPED", s.Await(daemontest.Stopped).At, 25*time.Second)
		refused(t, s, daemontest.ControlInterrogate, daemontest.ErrorServiceNotActive)
	})
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_UnsupportedControlIsRefused(t *testing.T) {
	s := &daemontest.SCM{}
	_ = daemontest.Drive(t, s, program{}, daemon.Config{}, func() {
		refused(t, s, daemontest.ControlPause, daemontest.ErrorInvalidServiceControl)
		refused(t, s, daemontest.ControlContinue, daemontest.ErrorInvalidServiceControl)
		refused(t, s, 200, daemontest.ErrorCallNotImplemented)
		refused(t, s, 5, daemontest.ErrorInvalidParameter)
		expect(t, "a session change is sent", s.SessionChange(event.SessionLogon, 1), error(daemontest.ErrorInvalidServiceControl))
	})
}

func TestSCM_ParamChangeReloads(t *testing.T) {
	s := &daemontest.SCM{}
	reloads := 0
	p := able{reload: func(context.Context) error { reloads++; return nil }}
	_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {
		control(t, s, daemontest.ControlParamChange)
		daemontest.Sleep(0)
		expect(t, "reloads", reloads, 1)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING STOP_PENDING STOPPED")
}

func TestSCM_EventsReachTheProgram(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var heard []event.Event
	s := &daemontest.SCM{}
	p := listener{notify: func(_ context.Context, e event.Event) { heard = append(heard, e) }}
	_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {
		want := always | daemontest.AcceptSessionChange | daemontest.AcceptPowerEvent | daemontest.AcceptTimeChange
		expect(t, "accepted", s.Query().ControlsAccepted, want)
		expect(t, "session change", s.SessionChange(event.SessionLogon, 3), nil)
		expect(t, "power event", s.PowerChange(event.PowerSuspend), nil)
		expect(t, "time change", s.TimeChange(noon, noon.Add(time.Hour)), nil)
		control(t, s, 200)
		daemontest.Sleep(0)
	})
	expect(t, "events", fmt.Sprint(heard), "[logon of session 3 suspend time changed by -1h0m0s control 200]")
}

func TestSCM_StartArgs(t *testing.T) {
	s := &daemontest.SCM{Args: []string{"-v", "x y"}}
	var got []string
	p := program{start: func(ctx context.Context) error { got = daemon.StartArgs(ctx); return nil }}
	_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {})
	expect(t, "arguments", fmt.Sprintf("%q", got), `["-v" "x y"]`)
}

func TestSCM_ShutdownLimitsTheTime(t *testing.T) {
	for name, test := range map[string]struct {
		config  daemon.Config
		scm     *daemontest.SCM
		trigger daemon.Trigger
		want    time.Duration
	}{
		"as Windows is":        {daemon.Config{}, &daemontest.SCM{}, daemon.TriggerShutdown, 4500 * time.Millisecond},
		"as it is configured":  {daemon.Config{}, &daemontest.SCM{WaitToKillServiceTimeout: 20 * time.Second}, daemon.TriggerShutdown, 19500 * time.Millisecond},
		"more than is needed":  {daemon.Config{StopTimeout: 2 * time.Second}, &daemontest.SCM{}, daemon.TriggerShutdown, 2 * time.Second},
		"before the shutdown":  {daemon.Config{Windows: daemon.Windows{Preshutdown: true}}, &daemontest.SCM{}, daemon.TriggerPreshutdown, 9 * time.Second},
		"three minutes before": {daemon.Config{StopTimeout: time.Hour, Windows: daemon.Windows{Preshutdown: true}}, &daemontest.SCM{PreshutdownTimeout: 3 * time.Minute}, daemon.TriggerPreshutdown, 179 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var budget time.Duration
			var reason daemon.Reason
			var run context.Context
			p := program{start: func(ctx context.Context) error { run = ctx; return nil }, stop: func(ctx context.Context) error {
				deadline, _ := ctx.Deadline()
				budget = time.Until(deadline)
				_ = errors.As(context.Cause(run), &reason)
				<-ctx.Done() // uses the whole budget
				return nil
			}}
			s := test.scm
			err := daemontest.Drive(t, s, p, test.config, s.Shutdown)
			expect(t, "budget", budget, test.want)
			expect(t, "trigger", reason.Trigger, test.trigger)
			checkEnded(t, s, err, daemontest.NoError, 0)
		})
	}
}

func TestSCM_GivesUpBeforeAShutdownKills(t *testing.T) {
	for name, config := range map[string]daemon.Config{
		"when the system shuts down": {},
		"before it does":             {Windows: daemon.Windows{Preshutdown: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &daemontest.SCM{}
			err := daemontest.Drive(t, s, program{stop: until(3*time.Hour, nil)}, config, s.Shutdown)
			toldManager(t, s, daemontest.NoError, 0)
			expect(t, "exit code of the process", daemon.ExitCode(err), 124)
		})
	}
}
