package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// ticks returns the times at which the manager was told that the program is still stopping.
func (x *trial) ticks() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for _, s := range x.told {
		if s.State == lifecycle.Stopping && s.Checkpoint > 0 {
			n++
		}
	}
	return n
}

func TestFail_InALoop(t *testing.T) {
	x, err := try(t, program{start: starts(func(ctx context.Context) error {
		for range 5 * 100 { // longer than its budget
			for range 1000 {
				daemon.Fail(ctx, errBoom)
			}
			pass(10 * time.Millisecond)
		}
		return nil
	})}, daemon.Config{StopTimeout: 2 * time.Second, Logger: zap.NewNop()}, func(*trial) {})
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "how long it took", x.closed.Sub(x.begun) <= 3*time.Second, true)
	expect(t, "the manager is told every second", x.ticks() >= 2, true)
	expect(t, "says how many there were", strings.Contains(err.Error(), "more failure(s)"), true)
}

func TestFail_ManyGoroutines(t *testing.T) {
	const n = 100_000
	x, err := try(t, program{start: func(ctx context.Context) error {
		for i := range n {
			daemon.Go(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return fmt.Errorf("connection %d broke", i)
			})
		}
		return nil
	}}, daemon.Config{StopTimeout: 3 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "errors that are kept", strings.Count(err.Error(), "broke"), 16)
	expect(t, "says how many there were", strings.Contains(err.Error(), fmt.Sprint(n-16, " more failure(s)")), true)
	expect(t, "took", x.closed.Sub(x.begun), 0)
	expect(t, "failures in the report", x.logged("stopped").ContextMap()["failures"], any(int64(n)))
}

// slowText is an error whose text takes an hour, for example because it asks a device.
type slowText struct{}

func (slowText) Error() string { pass(time.Hour); return "slow" }

func TestFail_TextThatTakesLong(t *testing.T) {
	x, err := try(t, program{start: starts(func(ctx context.Context) error {
		daemon.Fail(ctx, slowText{})
		return nil
	})}, daemon.Config{StopTimeout: 2 * time.Second}, func(x *trial) { x.terminate() })
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "is the timeout", errors.Is(err, daemon.ErrStopTimeout), true)
	expect(t, "how long it took", x.closed.Sub(x.begun), 3*time.Second)
}

func TestEcho_IsNoFailure(t *testing.T) {
	for name, f := range map[string]func(context.Context) error{
		"a dial": func(ctx context.Context) error {
			<-ctx.Done()
			_, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:1")
			return err
		},
		"a listener": func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("accept: %w", net.ErrClosed)
		},
		"a deadline below": func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return blocked(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := try(t, program{start: starts(f)}, daemon.Config{}, func(x *trial) { x.terminate() })
			expect(t, "result", err, nil)
		})
	}
}

func TestEcho_OfAStopDuringStart(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		return fmt.Errorf("connect: %w", blocked(ctx))
	}}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "result", err, nil)
	expect(t, "exit code told", x.last().Code, 0)
	x.logged("Start failed, as it was asked to stop")
}

func TestStart_FailsForItsOwnReasonWhileStopping(t *testing.T) {
	x, err := try(t, program{start: func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("the data base is corrupt: %w", daemon.ErrConfig)
	}}, daemon.Config{}, func(x *trial) { x.terminate() })
	expect(t, "exit code", daemon.ExitCode(err), 78)
	expect(t, "exit code told", x.last().Code, 78)
	expect(t, "level", x.logged("failed while stopping").Level, zap.ErrorLevel)
}

func TestGoexit(t *testing.T) {
	quit := func(context.Context) error { runtime.Goexit(); return nil }
	terminate := host.Request{Trigger: host.TriggerTerminate}
	pause, resume := host.Request{Action: host.Pause}, host.Request{Action: host.Continue}
	for name, test := range map[string]struct {
		program daemon.Program
		asked   []host.Request
	}{
		"in Start":       {program{start: quit}, nil},
		"in a goroutine": {program{start: starts(quit)}, nil},
		"in Check":       {able{check: quit}, nil},
		"in Reload":      {able{reload: quit}, []host.Request{reload}},
		"in Pause":       {able{pause: quit}, []host.Request{pause}},
		"in Continue":    {able{resume: quit}, []host.Request{pause, resume}},
		"in Stop":        {program{stop: quit}, []host.Request{terminate}},
		"in Close":       {closer{close: quit}, []host.Request{terminate}},
		"in Func before ready": {daemon.Func(func(context.Context, func()) error {
			runtime.Goexit()
			return nil
		}), nil},
		"in Func after ready": {daemon.Func(func(_ context.Context, ready func()) error {
			ready()
			runtime.Goexit()
			return nil
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			x := &trial{t: t, exit: -1, interval: time.Second}
			err := x.try(test.program, daemon.Config{}, func(x *trial) {
				for _, q := range test.asked {
					x.ask(q)
				}
				x.cancel(nil) // if it still runs
			})
			expect(t, "exit code", daemon.ExitCode(err), 1)
			expect(t, "says how", strings.Count(fmt.Sprint(err), "ended its goroutine"), 1)
			expect(t, "records of it", x.logs.FilterField(logevent.Failed.Field()).Len(), 1)
			expect(t, "how long it took", x.closed.Sub(x.begun), 0)
		})
	}
}

// coded is an error with an exit code.
type coded int

func (coded) Error() string   { return "coded" }
func (c coded) ExitCode() int { return int(c) }

func TestExitCode_OfTheProgramsOwn(t *testing.T) {
	child := exec.Command(os.Args[0], "-no-such-flag").Run()
	if _, ok := child.(*exec.ExitError); !ok {
		t.Fatal(child)
	}
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"its own":                {coded(42), 42},
		"wrapped":                {fmt.Errorf("import: %w", coded(3)), 3},
		"the largest":            {coded(125), 125},
		"zero":                   {coded(0), 1},
		"negative":               {coded(-1), 1},
		"a shell's":              {coded(126), 1},
		"that of a command line": {coded(2), 1},
		"that of the timeout":    {coded(124), 1},
		"of a configuration too": {errors.Join(coded(7), daemon.ErrConfig), 78},
		"the first of several":   {errors.Join(errBoom, coded(7), coded(8)), 7},
		"the first that counts":  {errors.Join(coded(124), coded(8)), 8},
		"a child's":              {child, 1},
		"its own for a child's":  {fmt.Errorf("%w: %w", child, coded(5)), 5},
	} {
		t.Run(name, func(t *testing.T) { expect(t, "exit code", daemon.ExitCode(test.err), test.want) })
	}
	x, err := try(t, program{start: starts(func(context.Context) error { return coded(42) })}, daemon.Config{}, func(*trial) {})
	expect(t, "exit code of a run", daemon.ExitCode(err), 42)
	expect(t, "exit code told", x.last().Code, 42)
}

// hollow is an error whose methods panic if it is a nil pointer. Such a pointer is easily
// returned by mistake.
type hollow struct{ err error }

func (h *hollow) Error() string { return h.err.Error() }
func (h *hollow) Unwrap() error { return h.err }

// undecided is an error whose ExitCode method panics.
type undecided struct{}

func (undecided) Error() string { return "undecided" }
func (undecided) ExitCode() int { panic("no code") }

func TestFail_ErrorWhoseMethodsPanic(t *testing.T) {
	for name, bad := range map[string]error{"a nil pointer": (*hollow)(nil), "an exit code": undecided{}} {
		fails := func(context.Context) error { return bad }
		for where, p := range map[string]daemon.Program{
			"Start":       program{start: fails},
			"a goroutine": program{start: starts(fails)},
			"Stop":        program{stop: fails},
			"Close":       closer{close: fails},
			"Reload":      able{reload: fails},
			"Fail": program{start: func(ctx context.Context) error {
				daemon.Fail(ctx, bad)
				return nil
			}},
		} {
			t.Run(name+" of "+where, func(t *testing.T) {
				x, err := try(t, p, daemon.Config{}, func(x *trial) {
					x.ask(reload)
					x.terminate()
				})
				want := 1
				if where == "Reload" {
					want = 0
				}
				expect(t, "exit code", daemon.ExitCode(err), want)
				expect(t, "states told last", strings.HasSuffix(x.states(), "stopping stopped"), true)
				expect(t, "exit code told", x.last().Code, want)
			})
		}
	}
}

// inquiry is an error whose Is method takes an hour each time.
type inquiry struct{}

func (inquiry) Error() string { return "inquiry" }
func (inquiry) Is(error) bool { pass(time.Hour); return false }

func TestFail_SlowErrorMethodsDoNotDelayTheLoop(t *testing.T) {
	x, _ := try(t, program{
		start: starts(func(context.Context) error { return inquiry{} }),
		stop:  until(90*time.Second, nil),
	}, daemon.Config{StopTimeout: 2 * time.Minute}, func(*trial) {})
	expect(t, "exit code of the process", x.exit, -1)
	expect(t, "exit code told", x.last().Code, 1)
	expect(t, "ticks", x.ticks(), 90)
}

func TestTell_ErrnoOfAFailure(t *testing.T) {
	x, _ := try(t, program{start: func(context.Context) error {
		_, err := os.Open("/no/such/file")
		return fmt.Errorf("%w: %w", daemon.ErrConfig, err)
	}}, daemon.Config{}, func(*trial) {})
	var no syscall.Errno
	expect(t, "there is one", errors.As(x.last().Err, &no), true)
	expect(t, "matches fs.ErrNotExist", errors.Is(no, fs.ErrNotExist), true)
	expect(t, "exit code told", x.last().Code, 78)
}

// list is an error that cannot be compared.
type list []string

func (list) Error() string { return "list" }

func TestEcho_OfACauseThatCannotBeCompared(t *testing.T) {
	_, err := try(t, program{start: starts(func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})}, daemon.Config{}, func(x *trial) { x.cancel(list{"x"}) })
	expect(t, "result", err, nil)
}

func TestGiveUp_SaysHowLongAfterTheStopWasAskedFor(t *testing.T) {
	x, err := try(t, program{stop: stubborn}, daemon.Config{}, func(x *trial) {
		x.terminate()
		x.sleep(2 * time.Second)
		x.ask(host.Request{Trigger: host.TriggerShutdown, Budget: 3 * time.Second})
	})
	expect(t, "exit code of the process", x.exit, 124)
	expect(t, "says when", strings.Contains(err.Error(), "still running 5.25s after"), true)
}
