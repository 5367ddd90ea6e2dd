package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

func TestReport_IsTheLastRecord(t *testing.T) {
	x, err := try(t, program{
		start: func(ctx context.Context) error {
			pass(2 * time.Second)
			daemon.Go(ctx, func(ctx context.Context) error { <-ctx.Done(); pass(7 * time.Second); return nil })
			return nil
		},
		stop: until(3*time.Second, nil),
	}, daemon.Config{DrainDelay: time.Second}, func(x *trial) {
		x.sleep(time.Hour)
		x.terminate()
	})
	expect(t, "result", err, nil)
	got := x.logged("stopped").ContextMap()
	for key, want := range map[string]any{
		"code": int64(0), "trigger": "terminate", "detail": "SIGTERM", "uptime": time.Hour + 8*time.Second, "event": "stopped",
		"start": 2 * time.Second, "drain": time.Second, "stop": 3 * time.Second, "wait": 4 * time.Second,
		"overran": nil, "lost": nil, "error": nil,
	} {
		expect(t, key, got[key], want)
	}
	expect(t, "the last record", x.logs.All()[x.logs.Len()-1].Message, "stopped")
}

func TestReport_NamesWhatOverran(t *testing.T) {
	for _, test := range []struct {
		name    string
		program program
		want    string
		phases  map[string]any
	}{
		{"Start", program{start: until(time.Hour, nil)}, "[Start]", map[string]any{"start": 91 * time.Second, "stop": nil, "drain": nil}},
		{"Stop", program{stop: until(30500*time.Millisecond, nil)}, "[Stop]", map[string]any{"stop": 30500 * time.Millisecond}},
		{"Stop that is given up", program{stop: func(context.Context) error { pass(time.Hour); return nil }}, "[Stop]", map[string]any{"stop": 31 * time.Second}},
		{"goroutines", program{start: func(ctx context.Context) error {
			daemon.Go(ctx, func(context.Context) error { pass(31500 * time.Millisecond); return nil })
			return nil
		}}, "[goroutines]", map[string]any{"stop": time.Duration(0), "wait": 30500 * time.Millisecond}},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, _ := try(t, test.program, daemon.Config{}, func(x *trial) {
				x.sleep(time.Second)
				if test.name != "Start" {
					x.terminate()
				}
			})
			got := x.logged("stopped").ContextMap()
			expect(t, "overran", fmt.Sprint(got["overran"]), test.want)
			for key, want := range test.phases {
				expect(t, key, got[key], want)
			}
		})
	}
}

func TestReport_ContainsTheError(t *testing.T) {
	x, err := try(t, program{stop: func(context.Context) error { return errors.New("still busy") }}, daemon.Config{}, func(x *trial) {
		x.ask(host.Request{Trigger: host.TriggerStop, Detail: "SERVICE_CONTROL_STOP"})
	})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	got := x.logged("stopped").ContextMap()
	expect(t, "code", got["code"], any(int64(1)))
	expect(t, "trigger", got["trigger"], any("stop"))
	expect(t, "error", got["error"], any("stop: still busy"))
}

func TestReport_CountsFailures(t *testing.T) {
	other := func(context.Context) error { return errors.New("other") }
	for name, test := range map[string]struct {
		program daemon.Program
		want    any
	}{
		"one":                          {program{stop: other}, nil},
		"one, reported twice":          {program{start: func(ctx context.Context) error { daemon.Fail(ctx, errBoom); return errBoom }}, nil},
		"Fail and Stop":                {program{start: fails(1), stop: other}, int64(2)},
		"Fail and Start":               {program{start: func(ctx context.Context) error { _ = fails(2)(ctx); return errBoom }}, int64(3)},
		"more than are kept, and Stop": {program{start: fails(100), stop: other}, int64(101)},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := try(t, test.program, daemon.Config{}, func(x *trial) { x.terminate() })
			expect(t, "failures", x.logged("stopped").ContextMap()["failures"], test.want)
		})
	}
}

// fails returns a method that fails n times.
func fails(n int) func(context.Context) error {
	return func(ctx context.Context) error {
		for i := range n {
			daemon.Fail(ctx, fmt.Errorf("failure %d", i))
		}
		return nil
	}
}

// leaky is a log that has lost records.
type leaky struct{ zapcore.Core }

func (leaky) Lost() uint64 { return 42 }

func TestReport_CountsLostRecords(t *testing.T) {
	c, logs := withLevel(zap.InfoLevel)
	c.Logger = zap.New(leaky{c.Logger.Core()})
	_, err := try(t, program{}, c, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "lost", logs.FilterMessage("stopped").All()[0].ContextMap()["lost"], any(uint64(42)))
}

func TestRun_RecordsCarryTheirEvents(t *testing.T) {
	x, _ := try(t, able{
		reload: func(context.Context) error { return errBoom },
	}, daemon.Config{Version: "1.2.3"}, func(x *trial) {
		x.ask(host.Request{Action: host.Pause})
		x.ask(host.Request{Action: host.Continue})
		x.ask(reload)
		x.terminate()
	})
	var events []string
	for _, e := range x.logs.All() {
		events = append(events, fmt.Sprint(e.ContextMap()["event"]))
	}
	expect(t, "events", fmt.Sprint(events), "[starting ready paused continued reloading reload failed stopping stopped]")
	expect(t, "version", x.logged("starting").ContextMap()["version"], any("1.2.3"))
}
