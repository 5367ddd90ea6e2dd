package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

var reload = host.Request{Action: host.Reload, Detail: "SIGHUP"}

func TestReload_IsCalledOnRequest(t *testing.T) {
	reloads := 0
	x, err := try(t, able{reload: func(context.Context) error {
		reloads++
		pass(2 * time.Second)
		return nil
	}}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		expect(t, "states", x.states(), "starting running reloading")
		x.sleep(3 * time.Second)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "calls of Reload", reloads, 1)
	expect(t, "states", x.states(), "starting running reloading running stopping stopped")
	x.logged("reloaded")
}

func TestReload_FailureLeavesTheProgramRunning(t *testing.T) {
	fail := true
	_, err := try(t, able{reload: func(context.Context) error {
		if fail {
			return errBoom
		}
		return nil
	}}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		expect(t, "states", x.states(), "starting running reloading running")
		expect(t, "the manager is told of it", fmt.Sprint(x.last().Err), "boom")
		x.logged("reload failed; going on as before")
		fail = false
		x.ask(reload)
		expect(t, "the next one clears it", x.last().Err, nil)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestReload_StopInterruptsAndWaitsForIt(t *testing.T) {
	reloading := false
	x, err := try(t, able{
		program: program{stop: func(context.Context) error {
			expect(t, "Stop runs during Reload", reloading, false)
			return nil
		}},
		reload: func(ctx context.Context) error {
			reloading = true
			<-ctx.Done()
			var reason daemon.Reason
			expect(t, "cause is the Reason", errors.As(context.Cause(ctx), &reason), true)
			pass(time.Second)
			reloading = false
			return ctx.Err()
		},
	}, daemon.Config{DrainDelay: 3 * time.Second}, func(x *trial) {
		x.ask(reload)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "states", x.states(), "starting running reloading stopping stopped")
	expect(t, "how long it took", x.closed.Sub(x.begun), 3*time.Second)
}

func TestReload_FailureWhileStoppingIsLogged(t *testing.T) {
	x, err := try(t, able{reload: func(ctx context.Context) error { <-ctx.Done(); return errBoom }}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "level", x.logged("reload failed, as the program stops").Level, zap.WarnLevel)
}

func TestReload_RequestsMeanwhileBecomeOneMore(t *testing.T) {
	var reloads atomic.Int32
	_, err := try(t, able{
		program: program{start: until(time.Second, nil)},
		reload:  func(context.Context) error { reloads.Add(1); pass(time.Second); return nil },
	}, daemon.Config{}, func(x *trial) {
		x.ask(reload) // during Start; it begins afterwards
		expect(t, "calls of Reload during Start", reloads.Load(), 0)
		x.sleep(1500 * time.Millisecond)
		expect(t, "calls of Reload after it", reloads.Load(), 1)
		x.ask(reload)
		x.ask(reload)
		x.sleep(time.Hour)
		expect(t, "calls of Reload in all", reloads.Load(), 2)
		expect(t, "states", x.states(), "starting running reloading running reloading running")
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestReload_ProgramWithoutItAnswersAtOnce(t *testing.T) {
	_, err := try(t, program{}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		x.ask(reload)
		expect(t, "states", x.states(), "starting running reloading running reloading running")
		expect(t, "error told", x.last().Err, nil)
		expect(t, "lines logged", x.logs.FilterMessageSnippet("reloading the log, for the program cannot reload").Len(), 2)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestStop_NothingBeginsAfterwards(t *testing.T) {
	never := func(context.Context) error { t.Error("called"); return nil }
	_, err := try(t, able{reload: never, pause: never, resume: never}, daemon.Config{DrainDelay: time.Second}, func(x *trial) {
		x.terminate()
		x.ask(reload)
		x.ask(host.Request{Action: host.Pause})
		x.ask(host.Request{Action: host.Continue})
	})
	expect(t, "result", err, nil)
}

func TestPause_ThenContinue(t *testing.T) {
	var fail error
	answer := func(context.Context) error { pass(time.Second); return fail }
	x, err := try(t, able{pause: answer, resume: answer}, daemon.Config{}, func(x *trial) {
		step := func(a host.Action, err error, want string) {
			t.Helper()
			fail = err
			x.ask(host.Request{Action: a})
			x.sleep(2 * time.Second)
			expect(t, "state", x.last().State.String(), want)
		}
		step(host.Continue, nil, "running") // it is running already
		step(host.Pause, errBoom, "running")
		step(host.Pause, nil, "paused")
		step(host.Pause, nil, "paused")
		step(host.Continue, errBoom, "paused")
		step(host.Continue, nil, "running")
		step(host.Pause, nil, "paused")
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "states", x.states(), "starting running pausing running pausing paused continuing paused continuing running pausing paused stopping stopped")
}

func TestPause_ReportsProgressUntilItsBudgetEnds(t *testing.T) {
	_, err := try(t, able{pause: until(time.Minute, nil)}, daemon.Config{StopTimeout: 10 * time.Second}, func(x *trial) {
		x.ask(host.Request{Action: host.Pause})
		x.sleep(9500 * time.Millisecond)
		expect(t, "state", x.last().State, lifecycle.Pausing)
		expect(t, "checkpoint", x.last().Checkpoint, 9)
		expect(t, "left", x.last().Left, time.Second)
		x.sleep(40 * time.Second)
		expect(t, "checkpoint after the budget", x.last().Checkpoint, 9)
		x.sleep(15 * time.Second)
		expect(t, "state", x.last().State, lifecycle.Paused)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestPause_DuringReloadBeginsAfterIt(t *testing.T) {
	x, err := try(t, able{reload: until(time.Second, nil)}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		x.ask(host.Request{Action: host.Pause})
		x.sleep(2 * time.Second)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "states", x.states(), "starting running reloading running pausing paused stopping stopped")
}

func TestPause_ProgramWithoutItIsNotPaused(t *testing.T) {
	_, err := try(t, program{}, daemon.Config{}, func(x *trial) {
		x.ask(host.Request{Action: host.Pause})
		expect(t, "states", x.states(), "starting running")
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestPause_FailureWhileStoppingIsLogged(t *testing.T) {
	for name, test := range map[string]struct {
		err   func(context.Context) error
		level zapcore.Level
	}{
		"for its own reason":    {func(context.Context) error { return errBoom }, zap.WarnLevel},
		"as it was interrupted": {context.Cause, zap.DebugLevel},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := try(t, able{pause: func(ctx context.Context) error {
				<-ctx.Done()
				return test.err(ctx)
			}}, daemon.Config{}, func(x *trial) {
				x.ask(host.Request{Action: host.Pause})
				x.terminate()
			})
			expect(t, "result", err, nil)
			expect(t, "level", x.logged("Pause failed, as the program stops").Level, test.level)
		})
	}
}
