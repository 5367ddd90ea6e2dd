package daemon_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

func TestBudget_NeverExceedsStopTimeout(t *testing.T) {
	for budget, want := range map[time.Duration]time.Duration{
		4500 * time.Millisecond: 4500 * time.Millisecond,
		time.Hour:               30 * time.Second,
	} {
		t.Run(budget.String(), func(t *testing.T) {
			p := program{stop: func(ctx context.Context) error {
				deadline, _ := ctx.Deadline()
				expect(t, "time until the deadline", time.Until(deadline), want)
				return nil
			}}
			_, err := try(t, p, daemon.Config{}, func(x *trial) {
				x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: budget})
			})
			expect(t, "result", err, nil)
		})
	}
}

func TestBudget_LaterTriggerShortensIt(t *testing.T) {
	x, err := try(t, program{stop: blocked}, daemon.Config{}, func(x *trial) {
		x.terminate()
		x.sleep(2 * time.Second)
		x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: time.Hour}) // changes nothing
		x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: 4 * time.Second})
	})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "how long it took", x.closed.Sub(x.begun), 6*time.Second)
}

func TestGrace_IsShortIfATriggerSetTheDeadline(t *testing.T) {
	closes := func(budget time.Duration) host.Request {
		return host.Request{Trigger: host.TriggerConsoleClose, Budget: budget}
	}
	for _, test := range []struct {
		name         string
		first, later host.Request // the later one comes 26 s after the first
		want         time.Duration
	}{
		{"by the first trigger", closes(4 * time.Second), host.Request{}, 4250 * time.Millisecond},
		{"hardly by the first trigger", closes(30*time.Second + 500*time.Millisecond), host.Request{}, 30750 * time.Millisecond},
		{"not by the first trigger", closes(time.Hour), host.Request{}, 31 * time.Second},
		{"by a later one", closes(time.Hour), closes(2 * time.Second), 28250 * time.Millisecond},
		{"hardly by a later one", closes(time.Hour), closes(4*time.Second + 100*time.Millisecond), 30350 * time.Millisecond},
		{"not by a later one", closes(time.Hour), closes(10 * time.Second), 31 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := try(t, program{stop: until(3*time.Hour, nil)}, daemon.Config{}, func(x *trial) {
				x.ask(test.first)
				if test.later.Budget > 0 {
					x.sleep(26 * time.Second)
					x.ask(test.later)
				}
			})
			expect(t, "exit code", daemon.ExitCode(err), 124)
			expect(t, "how long it took", x.closed.Sub(x.begun), test.want)
		})
	}
}

func TestDrain_LaterTriggerShortensIt(t *testing.T) {
	p := program{stop: func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		expect(t, "time until the deadline", time.Until(deadline), 3*time.Second)
		return nil
	}}
	x, err := try(t, p, daemon.Config{StopTimeout: 40 * time.Second, DrainDelay: 10 * time.Second}, func(x *trial) {
		x.terminate()
		x.sleep(2 * time.Second)
		x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: 4 * time.Second})
	})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), 3*time.Second)
}

func TestDrain_LaterTriggerNeverProlongsIt(t *testing.T) {
	x, err := try(t, program{}, daemon.Config{StopTimeout: 40 * time.Second, DrainDelay: 10 * time.Second}, func(x *trial) {
		x.terminate()
		x.sleep(9 * time.Second)
		x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: 30 * time.Second})
	})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), 10*time.Second)
}

func TestDrain_ProgramKeepsServing(t *testing.T) {
	var ctx context.Context
	x, err := try(t, program{start: func(c context.Context) error { ctx = c; return nil }},
		daemon.Config{DrainDelay: 5 * time.Second}, func(x *trial) {
			x.terminate()
			expect(t, "states", x.states(), "starting running stopping")
			x.sleep(5*time.Second - 1)
			expect(t, "error of the context during the drain", ctx.Err(), nil)
			x.sleep(1)
			expect(t, "error of the context after it", ctx.Err(), context.Canceled)
		})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), 5*time.Second)
}

func TestDrain_ShrinksInProportion(t *testing.T) {
	x, err := try(t, program{}, daemon.Config{StopTimeout: 20 * time.Second, DrainDelay: 10 * time.Second}, func(x *trial) {
		x.ask(host.Request{Trigger: host.TriggerConsoleClose, Budget: 4 * time.Second})
	})
	expect(t, "result", err, nil)
	expect(t, "how long it took", x.closed.Sub(x.begun), 2*time.Second)
}

func TestDrain_NotIfTheProgramWasNeverReady(t *testing.T) {
	x, _ := try(t, program{start: blocked}, daemon.Config{DrainDelay: 5 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "how long it took", x.closed.Sub(x.begun), 0)
}

func TestForce_EndsTheContextOfStop(t *testing.T) {
	x, err := try(t, program{stop: blocked}, daemon.Config{}, func(x *trial) {
		x.terminate()
		x.sleep(time.Second)
		x.force()
	})
	expect(t, "exit code", daemon.ExitCode(err), 130)
	expect(t, "exit code told", x.last().Code, 130)
	expect(t, "how long it took", x.closed.Sub(x.begun), time.Second)
	expect(t, "process exited", x.exit, -1)
}

func TestForce_GivesUpAfterTheGracePeriod(t *testing.T) {
	x, err := try(t, program{stop: stubborn}, daemon.Config{}, func(x *trial) {
		x.terminate()
		x.sleep(time.Second)
		x.force()
		x.force() // changes nothing
	})
	expect(t, "exit code of the process", x.exit, 130)
	expect(t, "how long it took", x.closed.Sub(x.begun), 2*time.Second)
	x.logged("giving up")
	x.logged("not waiting any longer")
	expect(t, "errors", strings.Count(err.Error(), "\n"), 1)
	expect(t, "is ErrStopTimeout", errors.Is(err, daemon.ErrStopTimeout), false)
}

func TestForce_DuringDrainStillCallsStop(t *testing.T) {
	stopped := 0
	x, err := try(t, program{stop: func(ctx context.Context) error {
		stopped++
		expect(t, "error of the context of Stop", ctx.Err(), context.Canceled)
		return nil
	}}, daemon.Config{DrainDelay: 5 * time.Second}, func(x *trial) {
		x.terminate()
		x.sleep(time.Second)
		x.force()
	})
	expect(t, "calls of Stop", stopped, 1)
	expect(t, "exit code", daemon.ExitCode(err), 130)
	expect(t, "how long it took", x.closed.Sub(x.begun), time.Second)
}
