package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestStart_SaysInOneLineWhyItFailed(t *testing.T) {
	for _, user := range []bool{false, true} {
		for name, test := range map[string]struct {
			change func(*manage.Spec)
			want   []string
		}{
			"its own error": {vars("FAIL", "no certificate"), []string{"exit code 1", "no certificate"}},
			"gone":          {func(s *manage.Spec) { s.WorkingDirectory = "/nonexistent" }, []string{"200/CHDIR"}},
			"never ready": {func(s *manage.Spec) {
				s.Executable = "/bin/true"
			}, []string{"protocol", "before it was ready"}},
			"too slow": {func(s *manage.Spec) {
				s.Executable, s.Arguments, s.StartTimeout, s.StopTimeout = "/bin/sleep", []string{"60"}, 0, 0
			}, []string{"timeout"}},
			"account": {func(s *manage.Spec) { s.Account = "nobodyatall" }, []string{"217/USER"}},
			"path":    {func(s *manage.Spec) { s.Hardening.WritablePaths = []string{"/nonexistent"} }, []string{"226/NAMESPACE"}},
		} {
			if user && (name == "account" || name == "path") {
				continue
			}
			t.Run(fmt.Sprintf("%s, user %v", name, user), func(t *testing.T) {
				t.Parallel()
				i := echoService(t, inside(t, user), test.change, func(s *manage.Spec) { s.Recovery.Delays = []time.Duration{time.Minute} })
				i.install()
				err := i.Start(t.Context(), i.spec)
				if err == nil {
					t.Fatal("it has started")
				}
				t.Log(err)
				for _, w := range test.want {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%v: want %q in it", err, w)
					}
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("%q has more than one line", err)
				}
				st := i.wantState(service.Failed)
				t.Logf("%+v", st)
				for _, f := range i.Diagnose(t.Context(), i.spec) {
					t.Logf("%d %s: %s -> %s", f.Level, f.What, f.Detail, f.Remedy)
				}
				i.stop()
			})
		}
	}
}

// TestStart_NamesWhatPreventsIt is not parallel: systemd forgets which condition did not hold,
// and how commands ended, when another test has it read its units again.
func TestStart_NamesWhatPreventsIt(t *testing.T) {
	for name, test := range map[string]struct {
		dropIn string
		change func(*manage.Spec)
		want   string
	}{
		"condition":       {"[Unit]\nConditionPathExists=/nowhere\n", vars(), "systemd did not start it: ConditionPathExists=/nowhere did not hold"},
		"assertion":       {"[Unit]\nAssertPathExists=/nowhere\n", vars(), "systemd did not start it: AssertPathExists=/nowhere did not hold"},
		"command before":  {"[Service]\nExecStartPre=/bin/true\nExecStartPre=/bin/false -x\n", vars(), "ExecStartPre=/bin/false -x failed: exit code 1"},
		"command after":   {"[Service]\nExecStartPost=/bin/false\n", vars(), "ExecStartPost=/bin/false failed: exit code 1"},
		"no variables":    {"[Service]\nEnvironmentFile=/etc/no where\n", vars(), "there is no /etc/no where, and systemd does not start it without that (EnvironmentFile=, Result=resources)"},
		"no directory":    {"", func(s *manage.Spec) { s.WorkingDirectory = "/srv/no where" }, "exit code 200/CHDIR: its working directory /srv/no where cannot be entered"},
		"never restarted": {"[Service]\nRestart=no\nExecStartPre=/bin/false\n", vars(), "ExecStartPre=/bin/false failed: exit code 1"},
	} {
		for _, user := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, user %v", name, user), func(t *testing.T) {
				i := echoService(t, inside(t, user), vars("FAIL", "of the run before"), test.change, func(s *manage.Spec) { s.Recovery.Delays = []time.Duration{time.Minute} })
				i.install()
				if i.Start(t.Context(), i.spec) == nil { // an older failure, of which nothing may be said
					t.Fatal("it has started")
				}
				i.stop()
				if test.dropIn != "" {
					dir, err := i.unitFolder()
					i.must(err)
					at := dir + "/" + i.spec.Name + ".service.d"
					writeIn(t, at+"/a.conf", test.dropIn+"[Service]\nEnvironment=FAIL=\n")
					t.Cleanup(func() { _ = os.RemoveAll(machine.Path(at)) })
					_, err = i.systemctl(t.Context(), "daemon-reload")
					i.must(err)
				}
				err := i.Start(t.Context(), i.spec)
				if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "of the run before") {
					t.Errorf("got %v\nwant %s", err, test.want)
				}
				st, err := i.Status(t.Context(), i.spec)
				i.must(err)
				t.Logf("%+v", st)
				found := i.Diagnose(t.Context(), i.spec)
				for _, f := range found {
					t.Logf("%d %s: %s -> %s", f.Level, f.What, f.Detail, f.Remedy)
				}
				if !slices.ContainsFunc(found, func(f manage.Finding) bool {
					return f.Level == manage.Problem && strings.HasPrefix(f.Detail, test.want)
				}) {
					t.Errorf("Diagnose does not say %s", test.want)
				}
				log, err := i.LastRun(t.Context(), i.spec)
				if err != nil || strings.Contains(log, "of the run before") {
					t.Errorf("the last run has said %q, %v", log, err)
				}
				i.stop()
			})
		}
	}
}

func TestInstall_LeavesLinksOfOperator(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, user))
			i.install()
			unit := i.spec.Name + ".service"
			dir, err := i.unitFolder()
			i.must(err)
			do := func(args ...string) {
				t.Helper()
				_, err := i.systemctl(t.Context(), args...)
				i.must(err)
			}
			do("disable", unit)
			do("add-wants", "basic.target", unit)
			i.spec.Description = "newer"
			i.install()
			if got := i.linksTo(unit, dir); len(got) != 1 || !strings.Contains(got[0], "/basic.target.wants/") {
				t.Errorf("the links are %q", got)
			}
			do("disable", unit)
			do("enable", "--runtime", unit)
			i.spec.Description = "newest"
			p := i.install()
			if got := i.linksTo(unit, dir); len(got) > 0 || len(p.Notes) != 1 {
				t.Errorf("the links are %q, the notes %q", got, p.Notes)
			}
			if got := i.linksTo(unit, i.runtimeUnits()); len(got) != 1 {
				t.Errorf("until the next boot, the links are %q", got)
			}
			_, err = i.Remove(t.Context(), i.spec, false)
			i.must(err)
			if got := i.linksTo(unit, i.runtimeUnits()); len(got) > 0 {
				t.Errorf("removed, the links are %q", got)
			}
		})
	}
}

func TestReload_FailureOfProgramIsError(t *testing.T) {
	t.Parallel()
	i := echoService(t, inside(t, false), vars("FAIL_RELOAD", "1"))
	i.install()
	if err := i.Reload(t.Context(), i.spec); !errors.Is(err, service.ErrNotRunning) {
		t.Errorf("before it runs: %v", err)
	}
	i.start()
	err := i.Reload(t.Context(), i.spec)
	if err == nil || !strings.Contains(err.Error(), "as asked by FAIL_RELOAD") {
		t.Errorf("got %v", err)
	}
	i.wantState(service.Running)
}

func TestLogs_AreRead(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, user))
			i.install()
			i.start()
			i.stop()
			if _, err := machine.Run(t.Context(), "journalctl", "--sync"); err != nil {
				t.Fatal(err)
			}
			read := func(n int) string {
				var log strings.Builder
				i.must(i.Logs(t.Context(), i.spec, manage.LogQuery{LogOptions: service.LogOptions{Lines: n}}, &log))
				return log.String()
			}
			if log := read(0); !strings.Contains(log, "Started "+i.spec.Name) || !strings.Contains(log, "stopped") {
				t.Errorf("the log is %q", log)
			}
			if log := read(1); strings.Count(log, "\n") != 1 {
				t.Errorf("the last line is %q", log)
			}
		})
	}
}

func TestLogs_UserWithoutRightsIsTold(t *testing.T) {
	t.Parallel()
	i := echoService(t, inside(t, false))
	i.install()
	m := *i.Manager
	m.stream = inside(t, true).stream
	var log strings.Builder
	if err := m.Logs(t.Context(), i.spec, manage.LogQuery{}, &log); !errors.Is(err, service.ErrPermission) {
		t.Errorf("got %v and %q", err, log.String())
	}
}

func TestControl_UserWithoutRightsIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	i := echoService(t, inside(t, false))
	i.install()
	m := *i.Manager
	m.machine.Run = inside(t, true).machine.Run // as tester, without --user
	if st, err := m.Status(t.Context(), i.spec); err != nil || st.State != service.Stopped {
		t.Errorf("the status is %+v, %v", st, err)
	}
	if p, err := m.Plan(t.Context(), i.spec, false); err != nil || p.Changed() {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	for name, do := range map[string]func(context.Context, manage.Spec) error{"start": m.Start, "restart": m.Restart} {
		t.Run(name, func(t *testing.T) {
			if err := do(t.Context(), i.spec); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "root") {
				t.Error(err)
			}
		})
	}
	i.start()
	for name, do := range map[string]func(context.Context, manage.Spec) error{"stop": m.Stop, "reload": m.Reload} {
		t.Run(name, func(t *testing.T) {
			if err := do(t.Context(), i.spec); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "root") {
				t.Error(err)
			}
		})
	}
	if _, err := m.Remove(t.Context(), i.spec, false); !errors.Is(err, service.ErrPermission) {
		t.Errorf("remove: %v", err)
	}
	i.wantState(service.Running)
}

func TestStatus_Duration(t *testing.T) {
	i := echoService(t, inside(t, false))
	i.install()
	i.start()
	var times []time.Duration
	for range 20 {
		begun := time.Now()
		i.wantState(service.Running)
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	t.Logf("a status takes %s, the entering of the machine included", times[len(times)/2])
}

func TestStart_WaitEndsWithContext(t *testing.T) {
	t.Parallel()
	i := echoService(t, inside(t, false), func(s *manage.Spec) {
		s.Executable, s.Arguments = "/bin/sleep", []string{"60"}
	})
	i.install()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- i.Start(ctx, i.spec) }()
	if err := machine.Await(t.Context(), i.spec.Name+".service", "ActiveState", "activating"); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	i.wantState(service.Starting)
	i.stop()
}

func TestRecovery_PanicCountsAsCrash(t *testing.T) {
	for variable, restarted := range map[string]bool{"PANIC": true, "FAIL": false} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, false), vars(variable, "as asked"), func(s *manage.Spec) {
				s.Recovery = service.Recovery{CrashOnly: true, Delays: []time.Duration{100 * time.Millisecond}}
			})
			i.install()
			_ = i.Start(t.Context(), i.spec) // it has failed by then, or not
			restarts := 0
			for end := time.Now().Add(3 * time.Second); restarts == 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				st, err := i.Status(t.Context(), i.spec)
				i.must(err)
				restarts = st.Restarts
			}
			if (restarts > 0) != restarted {
				t.Errorf("it was restarted %d times", restarts)
			}
		})
	}
}
