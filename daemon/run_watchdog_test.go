package daemon_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// watch runs p for a while under a manager whose watchdog waits for 2 s.
func watch(t *testing.T, p daemon.Program, body func(*trial)) (*trial, error) {
	t.Helper()
	x := &trial{t: t, exit: -1, interval: 2 * time.Second}
	return x, x.try(p, daemon.Config{}, body)
}

func TestWatchdog_SignsOfLifeAtHalfTheInterval(t *testing.T) {
	for name, p := range map[string]daemon.Program{
		"with Check":    able{program: program{start: until(10*time.Second, nil)}},
		"without Check": program{start: until(10*time.Second, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := watch(t, p, func(x *trial) {
				x.sleep(13500 * time.Millisecond)
				x.terminate()
			})
			expect(t, "result", err, nil)
			want := []time.Duration{10 * time.Second, 11 * time.Second, 12 * time.Second, 13 * time.Second}
			if len(x.signs) != len(want) {
				t.Fatalf("signs of life at %v, want %v", x.signs, want)
			}
			for i := range want {
				expect(t, "sign of life", x.signs[i], want[i])
			}
		})
	}
}

func TestWatchdog_FailingCheckWithholdsTheSignOfLife(t *testing.T) {
	var verdict atomic.Pointer[error]
	verdict.Store(new(error))
	x, err := watch(t, able{check: func(context.Context) error { return *verdict.Load() }}, func(x *trial) {
		x.sleep(2500 * time.Millisecond)
		expect(t, "signs of life", len(x.signs), 3)
		verdict.Store(&errBoom)
		x.sleep(10 * time.Second)
		expect(t, "signs of life while Check fails", len(x.signs), 3)
		verdict.Store(new(error))
		x.sleep(time.Second)
		expect(t, "signs of life when it passes again", len(x.signs), 4)
		x.terminate()
	})
	expect(t, "result", err, nil)
	x.logged("Check fails: the watchdog gets no sign of life") // once, not each time
	expect(t, "lines of a Check that hangs", x.logs.FilterMessageSnippet("has not returned").Len(), 0)
	x.logged("Check passes again")
}

func TestWatchdog_HangingCheckWithholdsTheSignOfLife(t *testing.T) {
	var calls int
	x, err := watch(t, able{check: func(ctx context.Context) error {
		calls++
		deadline, _ := ctx.Deadline()
		expect(t, "time that Check has", time.Until(deadline), time.Second)
		pass(20 * time.Second)
		return ctx.Err()
	}}, func(x *trial) {
		x.sleep(15 * time.Second)
		expect(t, "signs of life", len(x.signs), 0)
		expect(t, "calls of Check", calls, 1)
		x.terminate()
	})
	expect(t, "result", err, nil)
	x.logged("Check has not returned: the watchdog gets no sign of life")
	expect(t, "the hanging Check was waited for", x.closed.Sub(x.begun), 20*time.Second)
}

func TestWatchdog_ReloadsDoNotChangeTheSignsOfLife(t *testing.T) {
	x, err := watch(t, able{}, func(x *trial) {
		x.ask(reload)
		x.ask(reload)
		x.sleep(2500 * time.Millisecond)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "signs of life", len(x.signs), 3)
}

func TestWatchdog_CheckPanicsOnce(t *testing.T) {
	x := &trial{t: t, exit: -1, interval: 2 * time.Second}
	err := x.try(able{check: func(context.Context) error { panic(errBoom) }}, daemon.Config{DrainDelay: 20 * time.Second}, func(*trial) {})
	expect(t, "result", err.Error(), "panic in Check: boom")
}

func TestWatchdog_NoneMeansNoSignOfLife(t *testing.T) {
	x, err := try(t, able{check: func(context.Context) error { t.Error("Check was called"); return nil }}, daemon.Config{}, func(x *trial) {
		x.sleep(time.Hour)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "signs of life", len(x.signs), 0)
}
