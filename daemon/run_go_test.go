package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

// starts returns a Start method that starts f as a goroutine.
func starts(f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		daemon.Go(ctx, f)
		return nil
	}
}

func TestGo_ErrorFailsTheRun(t *testing.T) {
	stopped := 0
	x, err := try(t, program{
		start: starts(func(context.Context) error { pass(time.Minute); return errBoom }),
		stop:  func(context.Context) error { stopped++; return nil },
	}, daemon.Config{}, func(*trial) {})
	expect(t, "result", err, errBoom)
	expect(t, "calls of Stop", stopped, 1)
	expect(t, "exit code told", x.last().Code, 1)
	expect(t, "reason told", x.last().Reason, "failure (a goroutine failed): boom")
}

func TestGo_NilChangesNothing(t *testing.T) {
	_, err := try(t, program{start: starts(func(context.Context) error { return nil })}, daemon.Config{}, func(x *trial) {
		x.sleep(time.Hour)
		expect(t, "states", x.states(), "starting running")
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestGo_IsWaitedForAfterStop(t *testing.T) {
	order := make(chan string, 2)
	x, err := try(t, program{
		start: starts(func(ctx context.Context) error {
			<-ctx.Done()
			daemon.Go(ctx, func(context.Context) error { // a goroutine may start another one even now
				pass(5 * time.Second)
				order <- "goroutine"
				return nil
			})
			return ctx.Err()
		}),
		stop: func(context.Context) error {
			pass(2 * time.Second)
			order <- "Stop"
			return nil
		},
	}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "first to return", <-order, "Stop")
	expect(t, "last to return", <-order, "goroutine")
	expect(t, "how long it took", x.closed.Sub(x.begun), 5*time.Second)
}

func TestGo_FromReloadLivesAsLongAsTheRun(t *testing.T) {
	for name, action := range map[string]host.Action{"Reload": host.Reload, "Pause": host.Pause} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			start := starts(func(ctx context.Context) error {
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return ctx.Err()
			})
			_, err := try(t, able{reload: start, pause: start}, daemon.Config{}, func(x *trial) {
				x.ask(host.Request{Action: action})
				x.sleep(time.Hour)
				expect(t, "goroutines ended", len(ended), 0)
				x.terminate()
			})
			expect(t, "result", err, nil)
			var reason daemon.Reason
			expect(t, "cause is the Reason", errors.As(<-ended, &reason), true)
		})
	}
}

func TestGo_EndWithItsOwnContextIsNotAFailure(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		daemon.Go(ctx, func(ctx context.Context) error {
			defer cancel()
			return blocked(ctx)
		})
		return nil
	}}, daemon.Config{}, func(x *trial) {
		x.sleep(time.Minute)
		expect(t, "states", x.states(), "starting running")
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestGo_ErrorBesidesTheContextErrorIsAFailure(t *testing.T) {
	for name, f := range map[string]func(context.Context) error{
		"joined": func(ctx context.Context) error { return errors.Join(blocked(ctx), errBoom) },
		"panic":  func(ctx context.Context) error { panic(blocked(ctx)) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := try(t, program{start: starts(f)}, daemon.Config{}, func(x *trial) { x.terminate() })
			expect(t, "exit code", daemon.ExitCode(err), 1)
		})
	}
}

func TestResult_SameErrorTwiceCountsOnce(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Fail(ctx, errBoom)
		<-ctx.Done()
		return errBoom
	}}, daemon.Config{}, func(*trial) {})
	expect(t, "errors", fmt.Sprint(err), "boom")
}

// explosive is an error whose text panics.
type explosive struct{}

func (explosive) Error() string { panic("no text") }

func TestGo_ErrorWhoseTextPanicsIsAFailure(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Fail(ctx, explosive{})
		return blocked(ctx)
	}}, daemon.Config{}, func(*trial) {})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "exit code told", x.last().Code, 1)
}

func TestGo_GivesUpOnAGoroutineThatDoesNotReturn(t *testing.T) {
	x, err := try(t, program{start: starts(stubborn)}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "says what runs", strings.Contains(err.Error(), "1 goroutine(s) still running"), true)
}

func TestResult_JoinsErrorsInOrder(t *testing.T) {
	second, third := errors.New("second"), errors.New("third")
	var ctx context.Context
	x, err := try(t, program{
		start: func(c context.Context) error {
			ctx = c
			daemon.Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return third })
			return nil
		},
		stop: func(context.Context) error { pass(time.Second); return second },
	}, daemon.Config{}, func(*trial) { daemon.Fail(ctx, errBoom) })
	expect(t, "errors", fmt.Sprint(err), "boom\nthird\nstop: second")
	expect(t, "exit code told", x.last().Code, 1)
	expect(t, "reason told", x.last().Reason, "failure (the program failed): boom")
}

func TestFail_AfterTheFirstReason(t *testing.T) {
	x, err := try(t, program{start: starts(func(ctx context.Context) error { <-ctx.Done(); return errBoom })},
		daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, errBoom)
	expect(t, "exit code told", x.last().Code, 1)
	expect(t, "reason told", x.last().Reason, "terminate (SIGTERM)")
}

func TestFail_DuringStart(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		daemon.Fail(ctx, errBoom)
		return blocked(ctx)
	}}, daemon.Config{}, func(*trial) {})
	expect(t, "result", err, errBoom)
	expect(t, "states", x.states(), "starting stopping stopped")
}

func TestFail_WithNil(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error { daemon.Fail(ctx, nil); return nil }}, daemon.Config{}, func(*trial) {})
	expect(t, "exit code", daemon.ExitCode(err), 1)
}

func TestGo_DoesNothingAfterTheEnd(t *testing.T) {
	var ctx context.Context
	_, err := try(t, program{start: func(c context.Context) error { ctx = c; return nil }}, daemon.Config{}, func(x *trial) {
		x.terminate()
		daemon.Go(ctx, func(context.Context) error { t.Error("a goroutine was started"); return nil })
		daemon.Fail(ctx, errBoom)
	})
	expect(t, "result", err, nil)
}

func TestContext_GoAndFailPanicWithoutARun(t *testing.T) {
	for name, f := range map[string]func(){
		"Go":   func() { daemon.Go(context.Background(), stubborn) },
		"Fail": func() { daemon.Fail(context.Background(), errBoom) },
	} {
		func() {
			defer func() {
				msg := fmt.Sprint(recover())
				expect(t, "message of "+name+" names the remedy", strings.Contains(msg, "daemontest.Context"), true)
			}()
			f()
			t.Errorf("%s did not panic", name)
		}()
	}
}

func TestContext_LoggerDoesNothingWithoutARun(t *testing.T) {
	daemon.Logger(context.Background()).Info("dropped")
}
