package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// hasty returns a unit whose limits are all shorter than those of the run.
func hasty() *daemontest.Systemd {
	return &daemontest.Systemd{TimeoutStart: 4 * time.Second, TimeoutStop: 4 * time.Second}
}

// checkUnit checks how the unit and the run ended.
func checkUnit(t *testing.T, sd *daemontest.Systemd, err error, result string, code int) {
	t.Helper()
	is := sd.Status()
	expect(t, "Result", is.Result, result)
	expect(t, "ExecMainCode", is.ExecMainCode, "exited")
	expect(t, "ExecMainStatus", is.ExecMainStatus, code)
	state := "failed"
	if result == "success" {
		state = "inactive"
		if !strings.HasPrefix(is.StatusText, "stopping: ") {
			t.Errorf("StatusText: %q", is.StatusText)
		}
	}
	expect(t, "ActiveState", is.ActiveState, state)
	if result != "watchdog" {
		expect(t, "exit code", daemon.ExitCode(err), code)
	}
}

// assignments returns all assignments that systemd received.
func assignments(sd *daemontest.Systemd) (lines []string) {
	for _, m := range sd.Messages() {
		lines = append(lines, strings.Split(m.Text, "\n")...)
	}
	return lines
}

// countSent returns how often systemd received an assignment.
func countSent(sd *daemontest.Systemd, assignment string) (n int) {
	for _, line := range assignments(sd) {
		if line == assignment {
			n++
		}
	}
	return n
}

func TestSystemd_WaitsForASlowStart(t *testing.T) {
	sd := hasty()
	err := daemontest.Drive(t, sd, program{start: until(50*time.Second, nil)}, daemon.Config{}, func() {
		daemontest.Sleep(49 * time.Second)
		expect(t, "ActiveState", sd.Status().ActiveState, "activating")
		expect(t, "StatusText", sd.Status().StatusText, "starting")
		daemontest.Sleep(time.Second)
		expect(t, "ActiveState", sd.Status().ActiveState, "active")
		expect(t, "StatusText", sd.Status().StatusText, "running")
	})
	checkUnit(t, sd, err, "success", 0)
}

func TestSystemd_IsToldWhyStartFails(t *testing.T) {
	const inUse = syscall.Errno(98) // EADDRINUSE, by its number on Linux
	taken := fmt.Errorf("listen: %w", inUse)
	linger := func(ctx context.Context) error {
		daemon.Go(ctx, func(context.Context) error { pass(20 * time.Second); return nil })
		return taken
	}
	for name, test := range map[string]struct {
		start func(context.Context) error
		text  string
		errno syscall.Errno
		code  int
	}{
		"at once":                         {func(context.Context) error { return taken }, "failed: start: " + taken.Error(), inUse, 1},
		"late":                            {until(30*time.Second, taken), "failed: start: " + taken.Error(), inUse, 1},
		"with goroutines that are slower": {linger, "failed: start: " + taken.Error(), inUse, 1},
		"by the start timeout":            {blocked, "failed: not ready after 1m0s (Config.StartTimeout)", 0, 1},
		"by a panic":                      {func(context.Context) error { panic("boom") }, "failed: panic in Start: boom", 0, 1},
		"by its configuration":            {func(context.Context) error { return daemon.ErrConfig }, "failed: start: " + daemon.ErrConfig.Error(), 0, 78},
		"and never returns":               {until(3*time.Hour, nil), "", 0, 124},
	} {
		t.Run(name, func(t *testing.T) {
			sd := hasty()
			err := daemontest.Drive(t, sd, program{start: test.start}, daemon.Config{}, func() { sd.Await("failed") })
			checkUnit(t, sd, err, "exit-code", test.code)
			if got := sd.Status(); test.text != "" && got.StatusText != test.text || got.StatusErrno != int(test.errno) {
				t.Errorf("it is %q with errno %d, want %q with %d", got.StatusText, got.StatusErrno, test.text, test.errno)
			}
			expect(t, "READY=1", countSent(sd, "READY=1"), 0)
			expect(t, "STOPPING=1", countSent(sd, "STOPPING=1"), 1)
		})
	}
}

func TestSystemd_GetsAnyErrorAsOneShortLine(t *testing.T) {
	sd := hasty()
	ugly := errors.New("no\nREADY=1\r\xff" + strings.Repeat("ä", 5000))
	err := daemontest.Drive(t, sd, program{start: until(time.Second, ugly)}, daemon.Config{}, func() { sd.Await("failed") })
	checkUnit(t, sd, err, "exit-code", 1)
	if text := sd.Status().StatusText; !strings.HasPrefix(text, "failed: start: no READY=1 \ufffdä") {
		t.Errorf("it is %q", text)
	}
}

func TestSystemd_IsToldAboutAWrongConfiguration(t *testing.T) {
	sd := hasty()
	err := daemontest.Drive(t, sd, program{}, daemon.Config{Name: "no/name"}, func() {})
	checkUnit(t, sd, err, "exit-code", 78)
	if text := sd.Status().StatusText; !strings.HasPrefix(text, "failed: ") || !strings.Contains(text, "no/name") {
		t.Errorf("it is %q", text)
	}
}

func TestSystemd_StopsAStart(t *testing.T) {
	for name, start := range map[string]func(context.Context) error{
		"that gives way":      blocked,
		"that ends after all": until(20*time.Second, nil),
	} {
		t.Run(name, func(t *testing.T) {
			sd := hasty()
			err := daemontest.Drive(t, sd, program{start: start}, daemon.Config{}, func() {
				daemontest.Sleep(10 * time.Second)
				sd.Stop()
				expect(t, "READY=1", countSent(sd, "READY=1"), 0)
			})
			checkUnit(t, sd, err, "success", 0)
		})
	}
}

func TestSystemd_Reloads(t *testing.T) {
	var fail error
	sd := hasty()
	reload := func(result error, text string, errno int) {
		t.Helper()
		fail = result
		if err := sd.Reload(); err != nil {
			t.Error(err)
		}
		is := sd.Status()
		expect(t, "ActiveState", is.ActiveState, "active")
		expect(t, "StatusText", is.StatusText, text)
		expect(t, "StatusErrno", is.StatusErrno, errno)
	}
	err := daemontest.Drive(t, sd, able{reload: func(context.Context) error { pass(3 * time.Second); return fail }}, daemon.Config{}, func() {
		reload(nil, "running", 0)
		reload(fmt.Errorf("read: %w", syscall.ENOENT), "running; the last reload failed: read: "+syscall.ENOENT.Error(), int(syscall.ENOENT))
		reload(nil, "running", int(syscall.ENOENT)) // the errno of the last failure
	})
	checkUnit(t, sd, err, "success", 0)
}

func TestSystemd_ReloadsAProgramWithoutReload(t *testing.T) {
	sd := hasty()
	err := daemontest.Drive(t, sd, program{}, daemon.Config{}, func() {
		for range 3 {
			if err := sd.Reload(); err != nil {
				t.Error(err)
			}
		}
	})
	checkUnit(t, sd, err, "success", 0)
}

func TestSystemd_TooSlowReloadLeavesTheProgramRunning(t *testing.T) {
	took := 20 * time.Second
	sd := hasty()
	err := daemontest.Drive(t, sd, able{reload: func(context.Context) error { pass(took); return nil }}, daemon.Config{}, func() {
		if err := sd.Reload(); err == nil || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("got %v", err)
		}
		expect(t, "ActiveState", sd.Status().ActiveState, "active")
		took = time.Second
		if err := sd.Reload(); err != nil {
			t.Error(err)
		}
	})
	checkUnit(t, sd, err, "success", 0)
}

func TestSystemd_HangupDuringStartReloadsAfterIt(t *testing.T) {
	sd := hasty()
	err := daemontest.Drive(t, sd, able{program: program{start: until(10*time.Second, nil)}, reload: until(time.Second, nil)}, daemon.Config{}, func() {
		sd.Kill(syscall.SIGHUP)
		sd.Kill(syscall.SIGHUP)
		sd.Await("active")
		sd.Await("reloading")
		sd.Await("active")
	})
	checkUnit(t, sd, err, "success", 0)
	expect(t, "RELOADING=1", countSent(sd, "RELOADING=1"), 1)
}

func TestSystemd_StopsAReload(t *testing.T) {
	sd := hasty()
	err := daemontest.Drive(t, sd, able{reload: func(ctx context.Context) error { <-ctx.Done(); pass(10 * time.Second); return ctx.Err() }}, daemon.Config{}, func() {
		sd.Kill(syscall.SIGHUP)
		sd.Await("reloading")
		sd.Stop()
	})
	checkUnit(t, sd, err, "success", 0)
	expect(t, "READY=1", countSent(sd, "READY=1"), 1)
}

func TestSystemd_WatchdogSparesAHealthyProgram(t *testing.T) {
	for name, p := range map[string]daemon.Program{
		"without Check":   program{},
		"with Check":      able{},
		"with a slow one": able{check: until(900*time.Millisecond, nil)},
		"reloading":       able{reload: until(time.Minute, nil)},
		"starting":        program{start: until(30*time.Second, nil)},
		"stopping":        program{stop: until(20*time.Second, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			sd := hasty()
			sd.Watchdog = 2 * time.Second
			err := daemontest.Drive(t, sd, p, daemon.Config{}, func() {
				sd.Kill(syscall.SIGHUP)
				daemontest.Sleep(time.Hour)
			})
			checkUnit(t, sd, err, "success", 0)
		})
	}
}

func TestSystemd_WatchdogFindsAnUnhealthyProgram(t *testing.T) {
	for name, check := range map[string]func(context.Context) error{
		"Check fails":       func(context.Context) error { return errBoom },
		"Check hangs":       blocked,
		"Check never comes": until(time.Hour, nil),
	} {
		t.Run(name, func(t *testing.T) {
			sd := hasty()
			sd.Watchdog, sd.Expect = 2*time.Second, "watchdog"
			var unwell atomic.Bool
			_ = daemontest.Drive(t, sd, able{check: func(ctx context.Context) error {
				if unwell.Load() {
					return check(ctx)
				}
				return nil
			}}, daemon.Config{}, func() {
				daemontest.Sleep(time.Minute + time.Second/2)
				unwell.Store(true)
				daemontest.Sleep(1400 * time.Millisecond)
				expect(t, "ActiveState", sd.Status().ActiveState, "active")
				daemontest.Sleep(200 * time.Millisecond)
				expect(t, "ActiveState", sd.Status().ActiveState, "failed")
			})
			checkUnit(t, sd, nil, "watchdog", 2)
		})
	}
}

// A sign of life after STOPPING=1 would start the watchdog again.
func TestSystemd_WatchdogIsOffWhileStopping(t *testing.T) {
	sd := hasty()
	sd.Watchdog = 300 * time.Millisecond
	p := able{program: program{stop: until(10*time.Second, nil)}}
	err := daemontest.Drive(t, sd, p, daemon.Config{DrainDelay: 5300 * time.Millisecond}, func() {
		daemontest.Sleep(time.Minute)
		sd.Stop()
	})
	checkUnit(t, sd, err, "success", 0)
}

func TestSystemd_WaitsForASlowStop(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *daemontest.Systemd){
		"that systemd asks for": func(_ context.Context, sd *daemontest.Systemd) { sd.Stop() },
		"that another process asks for": func(_ context.Context, sd *daemontest.Systemd) {
			sd.Kill(syscall.SIGTERM)
			sd.Stop()
			sd.Kill(syscall.SIGINT)
		},
		"that nobody has asked for": func(ctx context.Context, _ *daemontest.Systemd) { daemon.Fail(ctx, errBoom) },
	} {
		t.Run(name, func(t *testing.T) {
			var run context.Context
			sd := hasty()
			err := daemontest.Drive(t, sd, program{
				start: func(ctx context.Context) error { run = ctx; return nil },
				stop:  until(25*time.Second, nil),
			}, daemon.Config{DrainDelay: 4 * time.Second}, func() {
				ask(run, sd)
				daemontest.Sleep(28 * time.Second)
				expect(t, "ActiveState", sd.Status().ActiveState, "deactivating")
			})
			if errors.Is(err, errBoom) {
				checkUnit(t, sd, err, "exit-code", 1)
				expect(t, "StatusText", sd.Status().StatusText, "failed: boom")
			} else {
				checkUnit(t, sd, err, "success", 0)
			}
			expect(t, "STOPPING=1", countSent(sd, "STOPPING=1"), 1)
		})
	}
}

func TestSystemd_GivesUpBeforeItKills(t *testing.T) {
	for name, p := range map[string]program{
		"Stop hangs":        {stop: until(3*time.Hour, nil)},
		"a goroutine hangs": {start: starts(until(3*time.Hour, nil))},
	} {
		t.Run(name, func(t *testing.T) {
			sd := hasty()
			err := daemontest.Drive(t, sd, p, daemon.Config{StopTimeout: 20 * time.Second}, func() {
				sd.Stop()
				daemontest.Sleep(20*time.Second + 900*time.Millisecond)
				expect(t, "ActiveState", sd.Status().ActiveState, "deactivating")
				daemontest.Sleep(200 * time.Millisecond)
				expect(t, "ActiveState", sd.Status().ActiveState, "failed")
			})
			checkUnit(t, sd, err, "exit-code", 124)
		})
	}
}
