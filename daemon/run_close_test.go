package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// closer is a program with a Close.
type closer struct {
	program
	close func(context.Context) error
}

func (c closer) Close(ctx context.Context) error { return call(ctx, c.close) }

func TestClose_AfterTheLastGoroutine(t *testing.T) {
	var calls []string
	x, err := try(t, closer{
		program: program{
			start: starts(func(ctx context.Context) error {
				<-ctx.Done()
				pass(5 * time.Second)
				calls = append(calls, "goroutine")
				return ctx.Err()
			}),
			stop: func(context.Context) error { calls = append(calls, "Stop"); return nil },
		},
		close: func(ctx context.Context) error {
			calls = append(calls, "Close")
			deadline, _ := ctx.Deadline()
			expect(t, "time until the deadline", time.Until(deadline), 2*time.Second)
			expect(t, "error of the context", ctx.Err(), nil)
			started := false
			daemon.Go(ctx, func(context.Context) error { started = true; return nil })
			pass(time.Second)
			expect(t, "a goroutine is started", started, false)
			return nil
		},
	}, daemon.Config{StopTimeout: 7 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "calls", strings.Join(calls, " "), "Stop goroutine Close")
	report := x.logged("stopped").ContextMap()
	expect(t, "Close in the report", report["close"], any(time.Second))
	expect(t, "the wait in the report", report["wait"], any(5*time.Second))
	x.logged("a goroutine is not started: the last one has been waited for")
}

func TestClose_IsCalledOnlyAfterAStartThatReturnedNil(t *testing.T) {
	calls := 0
	_, err := try(t, closer{
		program: program{start: func(context.Context) error { return errBoom }},
		close:   func(context.Context) error { calls++; return nil },
	}, daemon.Config{}, func(*trial) {})
	expect(t, "is the error of Start", errors.Is(err, errBoom), true)
	expect(t, "calls", calls, 0)
}

func TestClose_Fails(t *testing.T) {
	for name, f := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errBoom },
		"panic": func(context.Context) error { panic(errBoom) },
	} {
		t.Run(name, func(t *testing.T) {
			x, err := try(t, closer{close: f}, daemon.Config{}, func(x *trial) { x.terminate() })
			expect(t, "is its error", errors.Is(err, errBoom), true)
			expect(t, "says what failed", strings.Contains(strings.ToLower(err.Error()), "close"), true)
			expect(t, "exit code told", x.last().Code, 1)
		})
	}
}

func TestClose_Hangs(t *testing.T) {
	x, err := try(t, closer{close: stubborn}, daemon.Config{StopTimeout: 5 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "says what runs", strings.Contains(err.Error(), "Close and 0 goroutine(s) still running"), true)
	expect(t, "how long it took", x.closed.Sub(x.begun), 6*time.Second)
	expect(t, "the manager is told every second", x.ticks() >= 5, true)
	expect(t, "overran", x.logged("stopped").ContextMap()["overran"].([]any)[0], any("Close"))
}

func TestClose_AfterTheDeadline(t *testing.T) {
	calls := 0
	_, err := try(t, closer{
		program: program{start: starts(func(ctx context.Context) error {
			<-ctx.Done()
			pass(5500 * time.Millisecond)
			return nil
		})},
		close: func(ctx context.Context) error {
			calls++
			expect(t, "error of the context", ctx.Err(), context.DeadlineExceeded)
			return nil
		},
	}, daemon.Config{StopTimeout: 5 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "calls", calls, 1)
}

func TestClose_IsNotCalledWhileSomethingStillRuns(t *testing.T) {
	calls := 0
	x, _ := try(t, closer{
		program: program{start: starts(stubborn)},
		close:   func(context.Context) error { calls++; return nil },
	}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "calls", calls, 0)
}

func TestFinish(t *testing.T) {
	for name, from := range map[string]func(context.Context) daemon.Program{
		"in Start": func(context.Context) daemon.Program {
			return program{start: func(ctx context.Context) error { daemon.Finish(ctx); pass(time.Second); return nil }}
		},
		"in a goroutine": func(context.Context) daemon.Program {
			return program{start: starts(func(ctx context.Context) error {
				pass(time.Second)
				for range 1000 {
					daemon.Finish(ctx)
				}
				return nil
			})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := daemon.Config{DrainDelay: 5 * time.Second}
			x, err := try(t, from(t.Context()), c, func(*trial) {})
			expect(t, "result", err, nil)
			expect(t, "states", x.states(), "starting running stopping stopped")
			expect(t, "reason told", x.last().Reason, "finished (the program has finished)")
			expect(t, "exit code told", x.last().Code, 0)
			expect(t, "how long it took", x.closed.Sub(x.begun), time.Second) // without the drain delay
		})
	}
}

func TestFinish_WhenStartFailsAfterwards(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Finish(ctx)
		return errBoom
	}}, daemon.Config{}, func(*trial) {})
	expect(t, "is the error of Start", errors.Is(err, errBoom), true)
}

func TestReload_ContextsOfItsOwn(t *testing.T) {
	reloads, earlier := 0, make(chan time.Time, 1)
	var second time.Time
	x, err := try(t, able{reload: func(ctx context.Context) error {
		if reloads++; reloads == 1 {
			daemon.Go(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				earlier <- time.Now()
				return nil
			})
			return nil
		}
		<-ctx.Done()
		second = time.Now()
		return ctx.Err()
	}}, daemon.Config{DrainDelay: 2 * time.Second}, func(x *trial) {
		x.ask(reload)
		x.ask(reload)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "the second Reload ended after", second.Sub(x.begun), 0)
	expect(t, "the goroutine of the first ended after", (<-earlier).Sub(x.begun), 2*time.Second)
}

func TestFinish_WhenAReloadIsAskedForDuringStart(t *testing.T) {
	x, err := try(t, able{program: program{start: func(ctx context.Context) error {
		daemon.Finish(ctx)
		pass(time.Second)
		return nil
	}}}, daemon.Config{}, func(x *trial) {
		x.ask(reload)
		x.sleep(time.Hour)
		expect(t, "states", x.states(), "starting running stopping stopped")
		x.terminate() // too late
	})
	expect(t, "result", err, nil)
	expect(t, "reason told", x.last().Reason, "finished (the program has finished)")
}
