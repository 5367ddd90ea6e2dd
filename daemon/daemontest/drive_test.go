package daemontest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// program implements a program with functions, each of which may be nil.
type program struct{ start, stop func(context.Context) error }

func (p program) Start(ctx context.Context) error { return call(ctx, p.start) }
func (p program) Stop(ctx context.Context) error  { return call(ctx, p.stop) }

func call(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// pauser implements a program that can be paused.
type pauser struct {
	program
	pause func(context.Context) error
}

func (p pauser) Pause(ctx context.Context) error { return call(ctx, p.pause) }
func (p pauser) Continue(context.Context) error  { return nil }

// sleeps returns a function that takes d, whatever happens.
func sleeps(d time.Duration) func(context.Context) error {
	return func(context.Context) error {
		<-time.After(d)
		return nil
	}
}

func nothing() {}

func TestDrive_AnHourTakesNoTime(t *testing.T) {
	begun := time.Now()
	p := program{start: sleeps(30 * time.Minute), stop: sleeps(30 * time.Minute)}
	err := daemontest.Drive(t, &daemontest.SCM{}, p, daemon.Config{StartTimeout: time.Hour, StopTimeout: time.Hour}, nothing)
	if took := time.Since(begun); err != nil || took > 10*time.Second {
		t.Errorf("it took %s, and the result is %v", took, err)
	}
}

func TestDrive_ReturnsTheResultOfRun(t *testing.T) {
	boom := errors.New("boom")
	p := program{stop: func(context.Context) error { return boom }}
	if err := daemontest.Drive(t, &daemontest.SCM{}, p, daemon.Config{}, nothing); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

func TestDrive_RunThatGivesUpDoesNotEndTheTest(t *testing.T) {
	p := program{stop: sleeps(12 * time.Hour)}
	if err := daemontest.Drive(t, &daemontest.SCM{}, p, daemon.Config{}, nothing); !errors.Is(err, daemon.ErrStopTimeout) {
		t.Errorf("got %v", err)
	}
}

// scenarios are tests that fail, each with the text that must appear in its output.
var scenarios = map[string]struct {
	run  func(*testing.T)
	says []string
}{
	"the body ends the test": {func(t *testing.T) {
		p := program{stop: func(context.Context) error { t.Log("stopped all the same"); return nil }}
		_ = daemontest.Drive(t, &daemontest.SCM{}, p, daemon.Config{}, func() { t.Fatal("enough") })
		t.Error("it goes on")
	}, []string{"enough", "stopped all the same", "!it goes on", "!goroutine "}},

	"a rule is broken": {func(t *testing.T) {
		s := &daemontest.SCM{}
		p := pauser{pause: func(ctx context.Context) error { <-ctx.Done(); return nil }}
		_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {
			_ = s.Control(daemontest.ControlPause)
			daemontest.Sleep(time.Hour)
		})
		t.Log("it goes on")
	}, []string{"is hung in PAUSE_PENDING", "Pause has taken longer than Config.StopTimeout", "RUNNING, accepts STOP", "it goes on"}},

	"it never reaches the state that is awaited": {func(t *testing.T) {
		s := &daemontest.SCM{}
		_ = daemontest.Drive(t, s, program{}, daemon.Config{}, func() {
			s.Await(daemontest.Paused)
			t.Error("it goes on")
		})
	}, []string{"the service did not become PAUSED", "RUNNING, accepts STOP", "!it goes on"}},

	"it ends before it reaches the state that is awaited": {func(t *testing.T) {
		s := &daemontest.SCM{}
		p := program{start: func(context.Context) error { return errors.New("boom") }}
		_ = daemontest.Drive(t, s, p, daemon.Config{}, func() { s.Await(daemontest.Running) })
	}, []string{"the service did not become RUNNING", "STOPPED, accepts nothing, exit code 1066/1"}},

	"a goroutine never ends": {func(t *testing.T) {
		_ = daemontest.Drive(t, &daemontest.SCM{}, program{start: forgetful}, daemon.Config{}, nothing)
		t.Error("it goes on")
	}, []string{"blocked for ever", "forgetful", "!it goes on", "!panic"}},

	"what was given up never ends": {func(t *testing.T) {
		p := program{stop: func(context.Context) error { select {} }}
		_ = daemontest.Drive(t, &daemontest.SCM{}, p, daemon.Config{}, nothing)
	}, []string{"giving up", "blocked for ever", "!panic"}},

	"the body never returns": {func(t *testing.T) {
		_ = daemontest.Drive(t, &daemontest.SCM{}, program{}, daemon.Config{}, func() { select {} })
	}, []string{"blocked for ever", "all goroutines in bubble are blocked", "!panic"}},

	"a manager is used twice": {func(t *testing.T) {
		s := &daemontest.SCM{}
		_ = daemontest.Drive(t, s, program{}, daemon.Config{}, nothing)
		_ = daemontest.Drive(t, s, program{}, daemon.Config{}, func() { t.Error("it goes on") })
	}, []string{"create one per Drive", "!it goes on"}},
}

// forgetful starts a goroutine and loses track of it.
func forgetful(context.Context) error {
	go func() { select {} }()
	return nil
}

const scenarioVariable = "DAEMONTEST_SCENARIO"

// TestDrive_Scenario runs one scenario, in a process that the next test starts.
func TestDrive_Scenario(t *testing.T) {
	if name := os.Getenv(scenarioVariable); name != "" {
		scenarios[name].run(t)
	}
}

func TestDrive_MessagesOfFailingTests(t *testing.T) {
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDrive_Scenario$", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), scenarioVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Error("it does not fail")
			}
			if i := slices.IndexFunc(scenario.says, func(want string) bool {
				unwanted, not := strings.CutPrefix(want, "!")
				return strings.Contains(string(out), unwanted) == not
			}); i >= 0 {
				t.Errorf("want %q in\n%s", scenario.says[i], out)
			}
		})
	}
}
