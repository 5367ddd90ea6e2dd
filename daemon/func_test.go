package daemon_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

func TestFunc_IsReadyWhenItCallsReady(t *testing.T) {
	x, err := try(t, daemon.Func(func(ctx context.Context, ready func()) error {
		pass(10 * time.Second)
		ready()
		ready() // the second call does nothing
		<-ctx.Done()
		pass(time.Second)
		return ctx.Err()
	}), daemon.Config{}, func(x *trial) {
		x.sleep(9 * time.Second)
		expect(t, "states", x.states(), "starting")
		x.sleep(2 * time.Second)
		expect(t, "states", x.states(), "starting running")
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), 12*time.Second)
}

func TestFunc_FinishesWhenItReturnsNil(t *testing.T) {
	for name, early := range map[string]bool{"before ready": true, "after ready": false} {
		t.Run(name, func(t *testing.T) {
			x, err := try(t, daemon.Func(func(_ context.Context, ready func()) error {
				if !early {
					ready()
				}
				return nil
			}), daemon.Config{}, func(*trial) {})
			expect(t, "result", err, nil)
			// Without "running" the manager would report a failed start.
			expect(t, "states", x.states(), "starting running stopping stopped")
			expect(t, "reason told", x.last().Reason, "finished (the function has returned)")
		})
	}
}

func TestFunc_ReturnsWhileItBecomesReady(t *testing.T) {
	for range 2000 {
		x, err := try(t, daemon.Func(func(_ context.Context, ready func()) error {
			go ready()
			return errBoom
		}), daemon.Config{}, func(*trial) {})
		expect(t, "the error of the function", errors.Is(err, errBoom), true)
		expect(t, "took", x.closed.Sub(x.begun), 0)
	}
}

func TestFunc_FinishesWithoutADrainDelay(t *testing.T) {
	x, err := try(t, daemon.Func(func(_ context.Context, ready func()) error {
		ready()
		pass(time.Second)
		return nil
	}), daemon.Config{DrainDelay: 10 * time.Second}, func(*trial) {})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), time.Second)
}

func TestFunc_FailsTheDaemonWithItsError(t *testing.T) {
	for name, early := range map[string]bool{"before ready": true, "after ready": false} {
		t.Run(name, func(t *testing.T) {
			x, err := try(t, daemon.Func(func(_ context.Context, ready func()) error {
				if !early {
					ready()
					pass(time.Second)
				}
				return errBoom
			}), daemon.Config{}, func(*trial) {})
			expect(t, "exit code", daemon.ExitCode(err), 1)
			want, message := "starting running stopping stopped", "boom"
			if early {
				want, message = "starting stopping stopped", "start: boom"
			}
			expect(t, "states", x.states(), want)
			expect(t, "error", err.Error(), message)
		})
	}
}

func TestFunc_CanBeRunAgain(t *testing.T) {
	p := daemon.Func(func(_ context.Context, ready func()) error { ready(); return nil })
	for range 2 {
		_, err := try(t, p, daemon.Config{}, func(*trial) {})
		expect(t, "result", err, nil)
	}
}

func TestFunc_IsGivenUpIfItIgnoresItsContext(t *testing.T) {
	x, _ := try(t, daemon.Func(func(_ context.Context, ready func()) error {
		ready()
		pass(time.Hour)
		return nil
	}), daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "how long it took", x.closed.Sub(x.begun), 31*time.Second)
}
