package daemontest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// slow implements a program with slow methods.
type slow struct {
	start, reload, stop time.Duration
	reloads             func() error
	check               func() error
	why                 *error // the cause of the end of Start's context
	ctx                 context.Context
}

func (p *slow) Start(ctx context.Context) error {
	p.ctx = ctx
	select {
	case <-time.After(p.start):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *slow) Reload(context.Context) error {
	elapse(p.reload)
	if p.reloads == nil {
		return nil
	}
	return p.reloads()
}

func (p *slow) Stop(context.Context) error {
	if p.why != nil {
		*p.why = context.Cause(p.ctx)
	}
	elapse(p.stop)
	return nil
}

func (p *slow) Check(context.Context) error {
	if p.check == nil {
		return nil
	}
	return p.check()
}

func elapse(d time.Duration) { <-time.After(d) }

func TestSystemd_States(t *testing.T) {
	sd := &daemontest.Systemd{}
	is := func(active, sub, text string) {
		t.Helper()
		if s := sd.Status(); s.ActiveState != active || s.SubState != sub || s.StatusText != text {
			t.Errorf("it is %s (%s), %q, want %s (%s), %q", s.ActiveState, s.SubState, s.StatusText, active, sub, text)
		}
	}
	is("inactive", "dead", "")
	err := daemontest.Drive(t, sd, &slow{start: 3 * time.Second, reload: time.Second, stop: 2 * time.Second}, daemon.Config{}, func() {
		is("activating", "start", "starting")
		sd.Await("active")
		is("active", "running", "running")
		sd.Kill(syscall.SIGHUP)
		sd.Await("reloading")
		is("reloading", "reload-notify", "reloading")
		sd.Await("active")
		is("active", "running", "running")
		sd.Stop()
		is("deactivating", "stop-sigterm", "stopping: terminate (SIGTERM)")
		sd.Await("inactive")
		is("inactive", "dead", "stopping: terminate (SIGTERM)")
	})
	if err != nil {
		t.Error(err)
	}
	want := daemontest.SystemdStatus{
		ActiveState: "inactive", SubState: "dead", Result: "success", ReloadResult: "success",
		StatusText: "stopping: terminate (SIGTERM)", ExecMainCode: "exited",
	}
	if got := sd.Status(); got != want {
		t.Errorf("in the end it is %+v, want %+v", got, want)
	}
}

func TestMessages_HaveTheirTimes(t *testing.T) {
	sd := &daemontest.Systemd{}
	_ = daemontest.Drive(t, sd, &slow{start: 1500 * time.Millisecond}, daemon.Config{}, func() { daemontest.Sleep(time.Minute) })
	var got []string
	for _, m := range sd.Messages() {
		got = append(got, fmt.Sprint(m.At, " ", strings.ReplaceAll(m.Text, "\n", " ")))
	}
	want := []string{
		"0s EXTEND_TIMEOUT_USEC=5000000 STATUS=starting",
		"1s EXTEND_TIMEOUT_USEC=5000000",
		"1.5s READY=1 STATUS=running",
		"1m0s STOPPING=1 EXTEND_TIMEOUT_USEC=5000000 STATUS=stopping: terminate (SIGTERM)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReload_EndsWhenTheServiceIsReadyAgain(t *testing.T) {
	reload := func(sd *daemontest.Systemd, _ *slow) error { return sd.Reload() }
	for _, test := range []struct {
		name     string
		unit     *daemontest.Systemd
		reload   time.Duration
		ask      func(*daemontest.Systemd, *slow) error
		took     time.Duration
		reloads  int
		says     string
		sub      string // the SubState immediately after it
		reloaded string
	}{
		{"in time", &daemontest.Systemd{}, 10 * time.Second, reload, 10 * time.Second, 1, "", "running", "success"},
		{"after one that goes on", &daemontest.Systemd{}, 10 * time.Second, func(sd *daemontest.Systemd, _ *slow) error {
			sd.Kill(syscall.SIGHUP)
			return sd.Reload()
		}, 20 * time.Second, 2, "", "running", "success"},
		{"too late", &daemontest.Systemd{TimeoutStart: 5 * time.Second}, 10 * time.Second, reload, 10 * time.Second, 1, "ReloadResult=timeout", "running", "timeout"},
		{"never, since the service stops", &daemontest.Systemd{}, 10 * time.Second, func(sd *daemontest.Systemd, p *slow) error {
			time.AfterFunc(time.Second, func() { daemon.Fail(p.ctx, errors.New("boom")) })
			return sd.Reload()
		}, time.Second, 0, "deactivating", "stop-sigterm", "success"},
		{"never, since the service has stopped", &daemontest.Systemd{}, 10 * time.Second, func(sd *daemontest.Systemd, _ *slow) error {
			sd.Stop()
			sd.Await("inactive")
			return sd.Reload()
		}, 0, 0, "cannot reload: the unit is inactive", "dead", "success"},
		{"unseen, where nobody waits for it", &daemontest.Systemd{Type: "notify"}, 10 * time.Second, reload, 0, 0, "", "reload-notify", "success"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reloads := 0
			p := &slow{reload: test.reload, reloads: func() error { reloads++; return nil }}
			_ = daemontest.Drive(t, test.unit, p, daemon.Config{}, func() {
				begun := time.Now()
				err := test.ask(test.unit, p)
				if took := time.Since(begun).Round(time.Microsecond); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
					t.Errorf("got %v, want %q", err, test.says)
				}
				if reloads != test.reloads {
					t.Errorf("%d reloads had ended, want %d", reloads, test.reloads)
				}
				if is := test.unit.Status(); is.SubState != test.sub || is.ReloadResult != test.reloaded {
					t.Errorf("it is %s with ReloadResult=%s, want %s with %s", is.SubState, is.ReloadResult, test.sub, test.reloaded)
				}
			})
		})
	}
}

func TestKill_ServiceIsToldTheSignal(t *testing.T) {
	for want, kill := range map[daemon.Trigger]func(*daemontest.Systemd){
		daemon.TriggerTerminate: (*daemontest.Systemd).Stop,
		daemon.TriggerInterrupt: func(sd *daemontest.Systemd) {
			sd.Kill(syscall.SIGINT)
			sd.Kill(syscall.SIGTERM) // changes nothing
		},
	} {
		t.Run(string(want), func(t *testing.T) {
			var why error
			sd := &daemontest.Systemd{}
			err := daemontest.Drive(t, sd, &slow{why: &why, stop: time.Minute}, daemon.Config{StopTimeout: 2 * time.Minute}, func() { kill(sd) })
			var reason daemon.Reason
			if !errors.As(why, &reason) || reason.Trigger != want || err != nil {
				t.Errorf("the cause is %v, and the result %v", why, err)
			}
		})
	}
}

func TestSystemd_ExpectedResultIsNoError(t *testing.T) {
	unwell := func() error { return errors.New("unwell") }
	for result, c := range map[string]struct {
		unit *daemontest.Systemd
		p    daemon.Program
		exit int
	}{
		"success":   {&daemontest.Systemd{}, &slow{}, 0},
		"exit-code": {&daemontest.Systemd{}, daemon.Func(func(context.Context, func()) error { return errors.New("boom") }), 1},
		"protocol":  {&daemontest.Systemd{}, &slow{start: 30 * time.Second}, 0},
		"watchdog":  {&daemontest.Systemd{Watchdog: 10 * time.Second}, &slow{check: unwell}, 2},
	} {
		t.Run(result, func(t *testing.T) {
			c.unit.Expect = result
			_ = daemontest.Drive(t, c.unit, c.p, daemon.Config{}, func() {
				if result == "protocol" {
					c.unit.Kill(syscall.SIGTERM) // before READY=1, and not from systemd
				}
				daemontest.Sleep(time.Minute)
			})
			if is := c.unit.Status(); is.Result != result || is.ExecMainStatus != c.exit {
				t.Errorf("Result=%s, ExecMainStatus=%d", is.Result, is.ExecMainStatus)
			}
		})
	}
}

func TestSystemd_MethodsFailOutsideDrive(t *testing.T) {
	for name, f := range map[string]func(*daemontest.Systemd){
		"Await":  func(sd *daemontest.Systemd) { sd.Await("active") },
		"Stop":   (*daemontest.Systemd).Stop,
		"Reload": func(sd *daemontest.Systemd) { _ = sd.Reload() },
		"Kill":   func(sd *daemontest.Systemd) { sd.Kill(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, "Systemd."+name+" is for the body of Drive") {
					t.Errorf("it panics with %s", v)
				}
			}()
			f(&daemontest.Systemd{})
		})
	}
}
