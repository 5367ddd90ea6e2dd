//go:build unix

package script

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestLaunchd_AgentHasItsFoldersInTheLibraryOfItsUser(t *testing.T) {
	for uid, want := range map[int]string{0: "/Library/Application Support/web", 501: "/Users/a/Library/Application Support/web"} {
		m, _ := newLaunchdDouble(t, uid, "/Users/a")
		if got := manage.Folders(m, managertest.Plain()).State; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLaunchd_StopWaitsUntilTheJobIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		f.drains = 12 * time.Second
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := m.Stop(ctx, s); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 12*time.Second || took > 13*time.Second {
			t.Errorf("it took %s", took)
		}
		if st, err := m.Status(ctx, s); err != nil || st.State != service.Stopped {
			t.Errorf("it is %+v, %v", st, err)
		}
	})
}

func TestLaunchd_StopFailsIfTheJobNeverGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		f.drains = time.Hour
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		err := m.Stop(ctx, s)
		if took := time.Since(begun); err == nil || took != 40*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

func TestLaunchd_StartWaitsForAJobThatSomebodyElseHasBootedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		f.drains = 3 * time.Second
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Run(ctx, "launchctl", "bootout", "system/web"); err == nil {
			t.Fatal("it does not drain")
		}
		j := f.loaded["system/web"]
		j.pid = 0 // the process is gone, launchd is not done
		if err := m.Start(ctx, s); err != nil {
			t.Error(err)
		}
	})
}

func TestLaunchd_BootstrapIsTriedAgainWhileLaunchdIsBusy(t *testing.T) {
	for code, again := range map[int]bool{5: true, 37: true, 122: false, 125: false} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, f := newLaunchdDouble(t, 0, "/Users/a")
				ctx, s := context.Background(), managertest.Plain()
				managertest.Install(t, m, s)
				begun := time.Now()
				f.Answer = func(line string) (string, error) {
					if strings.HasPrefix(line, "launchctl bootstrap") && time.Since(begun) < 5*time.Second {
						return "", managertest.Fails(line, code, "Bootstrap failed")
					}
					return f.answer(line)
				}
				err := m.Start(ctx, s)
				if (err == nil) != again {
					t.Errorf("got %v", err)
				}
				if n := count(f.Took(), "launchctl bootstrap"); again && (n < 4 || n > 9) || !again && n != 1 {
					t.Errorf("it was tried %d times", n)
				}
			})
		})
	}
}

func TestLaunchd_StartSaysWhatToDoAboutAFileThatIsNeverTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		s := managertest.Plain()
		managertest.Install(t, m, s)
		f.Fail["launchctl bootstrap"] = managertest.Fails("launchctl bootstrap", 5, "Bootstrap failed: 5: Input/output error")
		err := m.Start(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), "plutil -lint /Library/LaunchDaemons/web.plist") {
			t.Errorf("got %v", err)
		}
	})
}

func TestLaunchd_StartFailsForWhatEndsAtOnceUnlessItHasFinished(t *testing.T) {
	for code, want := range map[int]string{0: "", 1: "exit code 1", 78: "exit code 78"} {
		synctest.Test(t, func(t *testing.T) {
			m, f := newLaunchdDouble(t, 0, "/Users/a")
			f.exits = code
			ctx, s := context.Background(), managertest.Plain()
			managertest.Install(t, m, s)
			err := m.Start(ctx, s)
			if code == 0 {
				if st, err2 := m.Status(ctx, s); err != nil || err2 != nil || st.State != service.Stopped || st.ExitCode != 0 {
					t.Errorf("got %v; it is %+v, %v", err, st, err2)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v", err)
			}
			if st, err := m.Status(ctx, s); err != nil || st.State != service.Failed || st.ExitCode != code {
				t.Errorf("it is %+v, %v", st, err)
			}
		})
	}
}

func TestLaunchd_ManualServiceIsNotLoadedWithTheMachine(t *testing.T) {
	for _, start := range []service.StartType{service.Manual, service.Disabled} {
		synctest.Test(t, func(t *testing.T) {
			m, f := newLaunchdDouble(t, 0, "/Users/a")
			ctx, s := context.Background(), managertest.Plain()
			s.StartType = start
			managertest.Install(t, m, s)
			if !f.disabled["web"] {
				t.Fatal("it is loaded with the machine")
			}
			if err := m.Start(ctx, s); err != nil {
				t.Fatal(err)
			}
			st, err := m.Status(ctx, s)
			if err != nil || st.State != service.Running || st.StartType != service.Manual || !f.disabled["web"] {
				t.Errorf("it is %+v, %v, disabled %t", st, err, f.disabled["web"])
			}
			f.Fail["launchctl bootstrap"] = managertest.Fails("launchctl bootstrap", 122, "")
			if err := m.Restart(ctx, s); err == nil || !f.disabled["web"] {
				t.Errorf("%v, disabled %t", err, f.disabled["web"])
			}
			delete(f.Fail, "launchctl bootstrap")
			if _, err := m.Remove(ctx, s, false); err != nil || f.disabled["web"] {
				t.Errorf("%v, what comes after it is disabled: %t", err, f.disabled["web"])
			}
		})
	}
}

func TestLaunchd_AgentIsInTheDomainOfTheSession(t *testing.T) {
	for _, gui := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, f := newLaunchdDouble(t, 501, "/Users/a")
			f.noGUI = !gui
			ctx, s := context.Background(), managertest.Plain()
			s.User = true
			managertest.Install(t, m, s)
			if err := m.Start(ctx, s); err != nil {
				t.Fatal(err)
			}
			want := "gui/501/web"
			if !gui {
				want = "user/501/web"
			}
			if f.loaded[want] == nil {
				t.Errorf("loaded: %v", slices.Collect(maps.Keys(f.loaded)))
			}
		})
	}
}

func TestLaunchd_RootHasNoAgents(t *testing.T) {
	m, _ := newLaunchdDouble(t, 0, "")
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "without sudo") {
		t.Errorf("got %v", err)
	}
}

func TestLaunchd_WithoutAHomeThereIsNoAgent(t *testing.T) {
	m, _ := newLaunchdDouble(t, 501, "")
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("got %v", err)
	}
}

func TestLaunchd_InstallSaysWhatToDoWithoutRights(t *testing.T) {
	m, f := newLaunchdDouble(t, 0, "/Users/a")
	m.UID = 501
	p := managertest.Plan(t, m, managertest.Plain())
	before := managertest.Snapshot(t, f.tree)
	if err := m.Apply(context.Background(), p); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "sudo") || !strings.Contains(err.Error(), "--user") {
		t.Errorf("got %v", err)
	}
	if after := managertest.Snapshot(t, f.tree); after != before {
		t.Errorf("something was made:\n%s", after)
	}
}

func TestLaunchd_FailedUpdateLeavesWhatWas(t *testing.T) {
	m, f := newLaunchdDouble(t, 0, "/Users/a")
	s := managertest.Plain()
	managertest.Install(t, m, s)
	before := managertest.Snapshot(t, f.tree)
	s.StartType, s.Arguments = service.Manual, []string{"new"}
	p, err := m.Plan(context.Background(), s, false)
	if err != nil || !p.Changed() {
		t.Fatal(p, err)
	}
	f.Fail["launchctl disable"] = errors.New("broken")
	if err := m.Apply(context.Background(), p); err == nil {
		t.Fatal("nothing has failed")
	}
	if after := managertest.Snapshot(t, f.tree); after != before || f.disabled["web"] {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestLaunchd_UndoesWhatLaunchctlHasDoneBeforeItFailed(t *testing.T) {
	m, f := newLaunchdDouble(t, 0, "/Users/a")
	s := managertest.Plain()
	managertest.Install(t, m, s)
	s.StartType = service.Manual
	p := managertest.Plan(t, m, s)
	f.Answer = func(line string) (string, error) {
		out, err := f.answer(line)
		if strings.HasPrefix(line, "launchctl disable") {
			err = errors.New("killed")
		}
		return out, err
	}
	if err := m.Apply(context.Background(), p); err == nil || f.disabled["web"] {
		t.Errorf("%v, disabled %t", err, f.disabled["web"])
	}
}

func TestLaunchd_PlanOfANewServiceRunsNothing(t *testing.T) {
	m, f := newLaunchdDouble(t, 0, "/Users/a")
	before := managertest.Snapshot(t, f.tree)
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); err != nil {
		t.Fatal(err)
	}
	if after := managertest.Snapshot(t, f.tree); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if lines := f.Took(); len(lines) != 0 {
		t.Errorf("it ran %q", lines)
	}
}

func TestParseJob(t *testing.T) {
	for name, test := range map[string]struct {
		out  string
		want launchdJob
	}{
		"running": {
			"system/web = {\n\tactive count = 1\n\tstate = running\n\n\tendpoints = {\n\t\tstate = active\n\t\tpid = 9\n\t}\n\truns = 3\n\tpid = 4242\n\tlast exit code = (never exited)\n\tjob state = running\n}\n",
			launchdJob{loaded: true, state: "running", pid: 4242, runs: 3, code: -1},
		},
		"ended": {
			"system/web = {\n\tstate = not running\n\truns = 1\n\tlast exit code = 78: EX_CONFIG\n}\n",
			launchdJob{loaded: true, state: "not running", runs: 1, code: 78},
		},
		"killed": {
			"system/web = {\n\tstate = spawn scheduled\n\truns = 2\n\tlast terminating signal = Killed: 9\n}\n",
			launchdJob{loaded: true, state: "spawn scheduled", runs: 2, code: -1, signal: "Killed: 9"},
		},
	} {
		if got := parseJob(test.out); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for out, want := range map[string]bool{"\t\t\"web\" => disabled\n": true, "\t\t\"web\" => true\n": true, "\t\t\"web\" => enabled\n": false, "\t\t\"a.web\" => disabled\n": false, "": false} {
		if disabledIn(out, "web") != want {
			t.Errorf("%q", out)
		}
	}
}

func TestLaunchd_Diagnose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := newLaunchdDouble(t, 0, "/Users/a")
		ctx, s := context.Background(), managertest.Plain()
		managertest.Finds(t, m, s, manage.Problem, "there is no /Library/LaunchDaemons/web.plist")
		managertest.Install(t, m, s)
		managertest.FindsNothing(t, m, s, manage.Note)
		f.exits = 78
		if err := m.Start(ctx, s); err == nil {
			t.Fatal("it has started")
		}
		managertest.Finds(t, m, s, manage.Problem, "exit code 78")
		m.Lookup = func(context.Context, string) (account.Account, bool, error) { return account.Account{}, false, nil }
		managertest.Finds(t, m, s, manage.Problem, "there is no nobody")
	})
}

func count(lines []string, prefix string) (n int) {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			n++
		}
	}
	return n
}

func TestLaunchd_FailedInstallationOfTheLogLeavesNothing(t *testing.T) {
	m, f := newLaunchdDouble(t, 0, "/Users/a")
	p := managertest.Plan(t, m, managertest.Plain())
	m.Chown = func(path string, _, _ int) error {
		if strings.HasSuffix(path, ".log") {
			return errors.New("broken")
		}
		return nil
	}
	managertest.LeavesAll(t, m, f.tree, p)
}
