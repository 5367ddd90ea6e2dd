package daemon_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

func TestPanic_IsAFailureWithItsStack(t *testing.T) {
	explode := func(context.Context) error { panic(errBoom) }
	for where, p := range map[string]daemon.Program{
		"Start":       program{start: explode},
		"Stop":        program{stop: explode},
		"Reload":      able{reload: explode},
		"Check":       able{check: explode},
		"Pause":       able{pause: explode},
		"a goroutine": program{start: func(ctx context.Context) error { daemon.Go(ctx, explode); return nil }},
		"Func":        daemon.Func(func(ctx context.Context, _ func()) error { return explode(ctx) }),
	} {
		t.Run(where, func(t *testing.T) {
			x := &trial{t: t, exit: -1, interval: time.Second}
			err := x.try(p, daemon.Config{}, func(x *trial) {
				x.ask(host.Request{Action: host.Reload})
				x.ask(host.Request{Action: host.Pause})
				x.sleep(time.Second)
				x.terminate()
			})
			expect(t, "exit code", daemon.ExitCode(err), 1)
			expect(t, "exit code told", x.last().Code, 1)
			expect(t, "wraps the error of the panic", errors.Is(err, errBoom), true)
			expect(t, "says where", strings.Contains(err.Error(), "panic in "+where), true)
			stacks := 0
			for _, line := range x.logs.All() {
				if strings.Contains(line.Stack, "TestPanic_IsAFailureWithItsStack") {
					stacks++
				}
			}
			expect(t, "lines with the stack", stacks, 1)
		})
	}
}

func TestPanic_InAStartThatWasAskedToStop(t *testing.T) {
	_, err := try(t, program{start: func(ctx context.Context) error { <-ctx.Done(); panic(errBoom) }},
		daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code", daemon.ExitCode(err), 1)
}

func TestGoexit_InAMethodFails(t *testing.T) {
	_, err := try(t, program{start: func(context.Context) error { runtime.Goexit(); return nil }}, daemon.Config{}, func(*trial) {})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "says so", strings.Contains(err.Error(), "runtime.Goexit"), true)
}
