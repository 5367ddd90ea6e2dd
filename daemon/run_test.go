package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

func TestRun_StopsAsAsked(t *testing.T) {
	stopped := 0
	x, err := try(t, program{stop: func(context.Context) error { stopped++; return nil }}, daemon.Config{}, func(x *trial) {
		x.terminate()
		x.terminate() // changes nothing
	})
	expect(t, "result", err, nil)
	expect(t, "calls of Stop", stopped, 1)
	expect(t, "states", x.states(), "starting running stopping stopped")
	expect(t, "exit code told", x.last().Code, 0)
	expect(t, "reason", x.last().Reason, "terminate (SIGTERM)")
	line := x.logged("stopping").ContextMap()
	expect[any](t, "trigger", line["trigger"], "terminate")
	expect[any](t, "detail", line["detail"], "SIGTERM")
}

func TestStart_ReadyWhenItHasReturned(t *testing.T) {
	x, err := try(t, program{start: until(20*time.Second, nil)}, daemon.Config{}, func(x *trial) {
		x.sleep(20*time.Second - 1)
		expect(t, "states just before Start returns", x.states(), "starting")
		expect(t, "checkpoint", x.last().Checkpoint, 19)
		expect(t, "time left", x.last().Left, 41*time.Second)
		x.sleep(1)
		expect(t, "states when Start has returned", x.states(), "starting running")
		expect(t, "checkpoint when running", x.last().Checkpoint, 0)
		n := len(x.told)
		x.sleep(time.Hour)
		expect(t, "statuses told in an hour of running", len(x.told)-n, 0)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "states", x.states(), "starting running stopping stopped")
}

func TestStop_IsNotCalledIfStartFails(t *testing.T) {
	x, err := try(t, program{
		start: func(context.Context) error { return errBoom },
		stop:  func(context.Context) error { t.Error("Stop was called"); return nil },
	}, daemon.Config{}, func(*trial) {})
	expect(t, "is the error of Start", errors.Is(err, errBoom), true)
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "exit code told", x.last().Code, 1)
	expect(t, "states", x.states(), "starting stopping stopped")
	shown := x.logs.Filter(func(e observer.LoggedEntry) bool { return e.Level >= zap.InfoLevel }).All()
	expect(t, "lines that a person sees", len(shown), 3)
	expect(t, "the first line", shown[0].Message, "starting")
	expect(t, "the second line", shown[1].Message, "Start failed")
	expect(t, "the last line", shown[2].Message, "stopped")
}

func TestExitCode_WrongConfigurationOfTheProgram(t *testing.T) {
	wrong := errors.Join(errors.New("port 70000 is too high"), daemon.ErrConfig)
	x, err := try(t, program{start: func(context.Context) error { return wrong }}, daemon.Config{}, func(*trial) {})
	expect(t, "exit code", daemon.ExitCode(err), 78)
	expect(t, "exit code told", x.last().Code, 78)
}

func TestStart_ContextLivesAsLongAsTheRun(t *testing.T) {
	var ctx context.Context
	p := program{
		start: func(c context.Context) error { ctx = c; return nil },
		stop: func(c context.Context) error {
			var reason daemon.Reason
			if !errors.As(context.Cause(ctx), &reason) {
				t.Fatalf("the cause is %v, want a Reason", context.Cause(ctx))
			}
			expect(t, "trigger", reason.Trigger, daemon.TriggerTerminate)
			expect(t, "detail", reason.Detail, "SIGTERM")
			expect(t, "error of the context of Stop", c.Err(), nil)
			return nil
		},
	}
	_, err := try(t, p, daemon.Config{}, func(x *trial) {
		x.sleep(time.Hour)
		expect(t, "error of the context while running", ctx.Err(), nil)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestStop_ContextCarriesTheDeadline(t *testing.T) {
	p := program{stop: func(ctx context.Context) error {
		deadline, ok := ctx.Deadline()
		expect(t, "has a deadline", ok, true)
		expect(t, "time until the deadline", time.Until(deadline), 7*time.Second)
		<-ctx.Done()
		expect(t, "error", ctx.Err(), context.DeadlineExceeded)
		var reason daemon.Reason
		expect(t, "cause is the Reason", errors.As(context.Cause(ctx), &reason), true)
		return ctx.Err()
	}}
	x, err := try(t, p, daemon.Config{StopTimeout: 7 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "is the error of Stop", errors.Is(err, context.DeadlineExceeded), true)
	expect(t, "how long it took", x.closed.Sub(x.begun), 7*time.Second)
	expect(t, "process exited", x.exit, -1)
}

func TestReason_LaterOnesAreLoggedAtDebugLevel(t *testing.T) {
	x, _ := try(t, program{}, daemon.Config{DrainDelay: time.Second}, func(x *trial) {
		x.ask(host.Request{Trigger: host.TriggerInterrupt, Detail: "SIGINT", Hint: "interrupt again to stop at once"})
		x.terminate()
	})
	expect(t, "level of the first", x.logged("stopping; interrupt again to stop at once").Level, zap.InfoLevel)
	late := x.logged("asked to stop again")
	expect(t, "level of a later one", late.Level, zap.DebugLevel)
	expect[any](t, "trigger of a later one", late.ContextMap()["trigger"], "terminate")
}

// synced is a core that records when it was synced.
type synced struct {
	zapcore.Core
	at *time.Time
}

func (s synced) Sync() error { pass(100 * time.Millisecond); *s.at = time.Now(); return nil }

func TestTell_StoppedAfterTheLogIsFlushed(t *testing.T) {
	var at time.Time
	core := synced{zapcore.NewNopCore(), &at}
	x, _ := try(t, program{}, daemon.Config{Logger: zap.New(core)}, func(x *trial) { x.terminate() })
	expect(t, "flushed", at.IsZero(), false)
	expect(t, "time from the flush to the end", x.closed.Sub(at), 0)
}

func TestStart_StopEndsItsContext(t *testing.T) {
	x, err := try(t, program{
		start: blocked,
		stop:  func(context.Context) error { t.Error("Stop was called"); return nil },
	}, daemon.Config{}, func(x *trial) {
		x.sleep(time.Second / 2)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "states", x.states(), "starting stopping stopped")
	expect(t, "how long it took", x.closed.Sub(x.begun), time.Second/2)
}

func TestStop_IsCalledIfStartSucceedsAfterAll(t *testing.T) {
	stopped := 0
	x, err := try(t, program{
		start: until(10*time.Second, nil),
		stop:  func(context.Context) error { stopped++; return nil },
	}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "calls of Stop", stopped, 1)
	expect(t, "states", x.states(), "starting stopping stopped")
	expect(t, "lines that say it is ready", x.logs.FilterMessage("ready").Len(), 0)
}

func TestStart_TimeoutFails(t *testing.T) {
	x, err := try(t, program{start: blocked}, daemon.Config{StartTimeout: 3 * time.Second}, func(*trial) {})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "names the setting", strings.Contains(err.Error(), "Config.StartTimeout"), true)
	expect(t, "how long it took", x.closed.Sub(x.begun), 3*time.Second)
}

func TestStart_GivesUpIfItIgnoresItsContext(t *testing.T) {
	x, err := try(t, program{start: until(time.Hour, nil)}, daemon.Config{StartTimeout: 3 * time.Second, StopTimeout: 5 * time.Second}, func(*trial) {})
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "exit code told", x.last().Code, 124)
	expect(t, "is ErrStopTimeout", errors.Is(err, daemon.ErrStopTimeout), true)
	expect(t, "names what runs", strings.Contains(err.Error(), "Start and 0 goroutine(s)"), true)
	expect(t, "how long it took", x.closed.Sub(x.begun), 3*time.Second+5*time.Second+time.Second)
}

func TestStop_GivesUpWithEveryStack(t *testing.T) {
	x, err := try(t, program{stop: stubborn}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "exit code told", x.last().Code, 124)
	expect(t, "is ErrStopTimeout", errors.Is(err, daemon.ErrStopTimeout), true)
	expect(t, "states", x.states(), "starting running stopping stopped")
	expect(t, "how long it took", x.closed.Sub(x.begun), 31*time.Second)
	if stack := x.logged("giving up").Stack; !strings.Contains(stack, "daemon_test.stubborn") {
		t.Errorf("the log does not show where Stop hangs:\n%s", stack)
	}
}

func stubborn(context.Context) error {
	pass(time.Hour)
	return nil
}

func TestStop_ReportsProgressWithinTheBudget(t *testing.T) {
	x, err := try(t, program{stop: until(4500*time.Millisecond, nil)}, daemon.Config{StopTimeout: 10 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	var left []time.Duration
	checkpoint := uint32(0)
	for _, s := range x.told {
		if s.State.String() != "stopping" {
			continue
		}
		expect(t, "checkpoint", s.Checkpoint, checkpoint)
		checkpoint++
		left = append(left, s.Left)
	}
	want := []time.Duration{11, 10, 9, 8, 7}
	for i := range want {
		want[i] *= time.Second
	}
	if len(left) != len(want) {
		t.Fatalf("time left: got %v, want %v", left, want)
	}
	for i := range want {
		expect(t, "time left", left[i], want[i])
	}
}

func TestStop_ErrorIsAFailure(t *testing.T) {
	x, err := try(t, program{stop: func(context.Context) error { return errBoom }}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "is the error of Stop", errors.Is(err, errBoom), true)
	expect(t, "exit code told", x.last().Code, 1)
}

func TestRun_StopsWhenItsContextEnds(t *testing.T) {
	var cause error
	_, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Go(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})
		return nil
	}}, daemon.Config{}, func(x *trial) { x.cancel(errBoom) })
	expect(t, "result", err, nil)
	var reason daemon.Reason
	expect(t, "cause is the Reason", errors.As(cause, &reason), true)
	expect(t, "trigger", reason.Trigger, daemon.TriggerCancelled)
	expect(t, "cause wraps that of Run's context", errors.Is(cause, errBoom), true)
}

type valueKey struct{}

func TestRun_PassesOnTheValuesOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), valueKey{}, "value"))
		ctx = host.NewContext(ctx, host.Env{})
		seen := 0
		see := func(ctx context.Context) error {
			expect[any](t, "value", ctx.Value(valueKey{}), "value")
			seen++
			cancel()
			return nil
		}
		err := daemon.Run(ctx, program{start: see, stop: see}, daemon.Config{Name: "x", Logger: zap.NewNop()})
		expect(t, "result", err, nil)
		expect(t, "calls", seen, 2)
	})
}

// hanging is a log that accepts lines and never returns.
type hanging struct{ zapcore.LevelEnabler }

func (h hanging) With([]zap.Field) zapcore.Core { return h }
func (h hanging) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, h)
}

func (h hanging) Write(zapcore.Entry, []zap.Field) error { pass(time.Hour); return nil }
func (h hanging) Sync() error                            { pass(time.Hour); return nil }

func TestLog_HangingHardlyDelaysTheEnd(t *testing.T) {
	x, err := try(t, program{}, daemon.Config{Logger: zap.New(hanging{zap.InfoLevel})}, func(x *trial) {
		x.sleep(time.Second)
		x.terminate()
	})
	expect(t, "result", err, nil)
	if took := x.closed.Sub(x.begun); took > 1600*time.Millisecond {
		t.Errorf("stopping took %s", took-time.Second)
	}
}

func TestLog_LinesBeforeACallPrecedeItsOwn(t *testing.T) {
	x, _ := try(t, able{
		program: program{stop: func(ctx context.Context) error { daemon.Logger(ctx).Info("in Stop"); return nil }},
		reload:  func(ctx context.Context) error { daemon.Logger(ctx).Info("in Reload"); return nil },
	}, daemon.Config{}, func(x *trial) {
		x.ask(host.Request{Action: host.Reload})
		x.terminate()
	})
	var lines []string
	for _, line := range x.logs.All() {
		lines = append(lines, line.Message)
	}
	expect(t, "log", strings.Join(lines, ", "), "starting, ready, reloading, in Reload, reloaded, stopping, in Stop, stopped")
}

func TestReason_FirstInterruptShowsItAgainWithTheHint(t *testing.T) {
	const hint = "interrupt again to stop at once"
	interrupt := host.Request{Trigger: host.TriggerInterrupt, Detail: "SIGINT", Hint: hint}
	x, err := try(t, program{
		start: func(ctx context.Context) error { daemon.Fail(ctx, errBoom); return nil },
		stop:  blocked,
	}, daemon.Config{}, func(x *trial) {
		x.sleep(3 * time.Second)
		x.terminate() // by a manager: a person need not see it
		x.ask(interrupt)
		x.sleep(time.Second)
		x.force()
	})
	expect(t, "exit code", daemon.ExitCode(err), 130)
	expect(t, "it ended after", x.closed.Sub(x.begun), 4*time.Second)
	expect(t, "level for a manager", x.logged("asked to stop again").Level, zap.DebugLevel)
	line := x.logged("stopping already; " + hint)
	expect(t, "level for a person", line.Level, zap.InfoLevel)
	fields := line.ContextMap()
	expect(t, "for how long", fields["for"], any(3*time.Second))
	expect(t, "why", fields["trigger"], any("failure"))
	expect(t, "cause", fields["cause"], any("boom"))
}
