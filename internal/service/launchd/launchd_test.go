//go:build unix

package launchd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func TestThePropertyListIsAsItWas(t *testing.T) {
	managertest.Each(t, func(t *testing.T, name string, s service.Spec) {
		m, _ := world(t)
		p := managertest.Plan(t, m, s)
		managertest.Golden(t, name+".plist", p.Artefacts[0].New)
		managertest.Golden(t, name+".warnings", managertest.Warnings(p))
	})
}

func TestThePropertyListOfAnAgentIsAsItWas(t *testing.T) {
	m, _ := world(t)
	m.user, m.uid = true, 501
	s := managertest.Plain()
	s.User = true
	p := managertest.Plan(t, m, s)
	if p.Artefacts[0].Name != "/Users/a/Library/LaunchAgents/web.plist" {
		t.Errorf("it is %s", p.Artefacts[0].Name)
	}
	managertest.Golden(t, "agent.plist", p.Artefacts[0].New)
}

func TestAnAgentHasItsFoldersInTheLibraryOfItsUser(t *testing.T) {
	m, _ := world(t)
	for user, want := range map[bool]string{false: "/Library/Application Support/web", true: "/Users/a/Library/Application Support/web"} {
		m.user = user
		if got := service.Folders(m, managertest.Plain()).State; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLaunchdReadsWhatWasMeant(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s service.Spec) {
		m, _ := world(t)
		l := m.layout(s.ServiceName())
		got, err := decode(render(s, m.account(s), l))
		if err != nil {
			t.Fatal(err)
		}
		args := []any{s.Executable}
		for _, a := range s.Args {
			args = append(args, a)
		}
		env := map[string]any{}
		for _, v := range onefile.Environment(s, l.dirs) {
			env[v.Name] = v.Value
		}
		if !reflect.DeepEqual(got["ProgramArguments"], args) {
			t.Errorf("the arguments are\n%q\nnot\n%q", got["ProgramArguments"], args)
		}
		if !reflect.DeepEqual(got["EnvironmentVariables"], env) {
			t.Errorf("the environment is\n%q\nnot\n%q", got["EnvironmentVariables"], env)
		}
		if s.Directory != "" && got["WorkingDirectory"] != s.Directory {
			t.Errorf("the working directory is %q", got["WorkingDirectory"])
		}
		if got["ExitTimeOut"] != int((s.StopTimeout+onefile.Margin)/time.Second) || got["Umask"] != 0o77 || got["UserName"] == nil {
			t.Errorf("got %v", got)
		}
	})
}

func FuzzAnyArgumentArrives(f *testing.F) {
	for _, v := range managertest.Hostile() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		s := managertest.Plain()
		s.Description, s.Args, s.Environment = v, []string{v}, map[string]string{"V": v}
		if s.Check() != nil || legal(s) != nil {
			return
		}
		got, err := decode(render(s, nobody, layout{}))
		if err != nil {
			t.Fatal(err)
		}
		if got["ProgramArguments"].([]any)[1] != v || got["EnvironmentVariables"].(map[string]any)["V"] != v {
			t.Errorf("%q came as %q", v, got)
		}
	})
}

func TestWhatNoXMLCanCarryIsRefused(t *testing.T) {
	m, _ := world(t)
	s := managertest.Plain()
	s.Args = []string{"a\ufffe"}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Plan(context.Background(), s, true); !errors.Is(err, service.ErrSpec) {
		t.Errorf("got %v", err)
	}
}

func TestALifeFromInstallToRemoveTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		f.drains = 7 * time.Second
		ctx, s := context.Background(), managertest.Plain()
		before := managertest.Snapshot(t, f.tree)
		for range 2 {
			managertest.NotInstalled(t, m, s)
			managertest.Install(t, m, s)
			managertest.Is(t, m, s, service.Stopped)
			if err := m.Reload(ctx, s); !errors.Is(err, service.ErrNotRunning) {
				t.Errorf("got %v", err)
			}
			if err := m.Start(ctx, s); err != nil {
				t.Fatal(err)
			}
			st := managertest.Is(t, m, s, service.Running)
			if err := m.Start(ctx, s); err != nil || managertest.Is(t, m, s, service.Running).PID != st.PID {
				t.Errorf("a second start: %v, or the process is another", err)
			}
			if st.PID == 0 || st.Start != service.Automatic || st.Since.IsZero() {
				t.Errorf("got %+v", st)
			}
			if err := m.Reload(ctx, s); err != nil || f.hups == 0 {
				t.Errorf("%v, %d HUPs", err, f.hups)
			}
			if err := m.Restart(ctx, s); err != nil {
				t.Fatal(err)
			}
			if again := managertest.Is(t, m, s, service.Running); again.PID == st.PID {
				t.Error("the process is the same")
			}
			if p := managertest.Install(t, m, s); p.Changed() || !p.Installed {
				t.Errorf("what is installed already: %+v", p)
			}
			for range 2 {
				if err := m.Stop(ctx, s); err != nil {
					t.Fatal(err)
				}
			}
			managertest.Is(t, m, s, service.Stopped)
			if err := m.Start(ctx, s); err != nil {
				t.Fatal(err)
			}
			removed, err := m.Remove(ctx, s, true)
			if err != nil || len(removed) != 6 {
				t.Errorf("removed %q, %v", removed, err)
			}
		}
		for _, dir := range []string{"/Library/LaunchDaemons", "/Library/Logs", "/Library/Application Support", "/Library/Caches", "/Library/Preferences", "/Library"} {
			if err := os.Remove(f.tree.Path(dir)); err != nil {
				t.Error(err)
			}
		}
		if after := managertest.Snapshot(t, f.tree); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

func TestStopWaitsUntilTheJobIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
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

func TestAJobThatNeverGoesIsAnErrorInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
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

func TestStartWaitsForAJobThatSomebodyElseHasBootedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
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

func TestBootstrapIsTriedAgainWhileLaunchdIsBusy(t *testing.T) {
	for code, again := range map[int]bool{5: true, 37: true, 122: false, 125: false} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, f := world(t)
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

func TestAFileThatLaunchdNeverTakesIsAnErrorThatSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		s := managertest.Plain()
		managertest.Install(t, m, s)
		f.Fail["launchctl bootstrap"] = managertest.Fails("launchctl bootstrap", 5, "Bootstrap failed: 5: Input/output error")
		err := m.Start(context.Background(), s)
		if err == nil || !strings.Contains(err.Error(), "plutil -lint /Library/LaunchDaemons/web.plist") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhatEndsAtOnceHasNotStartedUnlessItHasFinished(t *testing.T) {
	for code, want := range map[int]string{0: "", 1: "exit code 1", 78: "exit code 78"} {
		synctest.Test(t, func(t *testing.T) {
			m, f := world(t)
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

func TestAManualServiceIsNotLoadedWithTheMachine(t *testing.T) {
	for _, start := range []service.Start{service.Manual, service.Disabled} {
		synctest.Test(t, func(t *testing.T) {
			m, f := world(t)
			ctx, s := context.Background(), managertest.Plain()
			s.Start = start
			managertest.Install(t, m, s)
			if !f.disabled["web"] {
				t.Fatal("it is loaded with the machine")
			}
			if err := m.Start(ctx, s); err != nil {
				t.Fatal(err)
			}
			st, err := m.Status(ctx, s)
			if err != nil || st.State != service.Running || st.Start != service.Manual || !f.disabled["web"] {
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

func TestAUsersAgentIsInTheDomainOfTheUsersSession(t *testing.T) {
	for _, gui := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m, f := world(t)
			m.user, m.uid, f.noGUI = true, 501, !gui
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

func TestRootHasNoAgents(t *testing.T) {
	m, _ := world(t)
	m.user = true
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "without sudo") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutAHomeThereIsNoAgent(t *testing.T) {
	m, _ := world(t)
	m.user, m.uid, m.home = true, 501, ""
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); !errors.Is(err, service.ErrNotSupported) || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("got %v", err)
	}
}

func TestWhoIsNotRootIsToldWhatToDo(t *testing.T) {
	m, f := world(t)
	m.uid = 501
	p := managertest.Plan(t, m, managertest.Plain())
	before := managertest.Snapshot(t, f.tree)
	if err := m.Apply(context.Background(), p); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "sudo") || !strings.Contains(err.Error(), "--user") {
		t.Errorf("got %v", err)
	}
	if after := managertest.Snapshot(t, f.tree); after != before {
		t.Errorf("something was made:\n%s", after)
	}
}

func TestWhateverFailsNothingIsLeft(t *testing.T) {
	for _, step := range []string{"launchctl enable", "launchctl print-disabled", "chown", "ids", "log", "plist"} {
		t.Run(step, func(t *testing.T) {
			m, f := world(t)
			s := managertest.Plain()
			p := managertest.Plan(t, m, s)
			broken := errors.New("broken")
			switch step {
			case "chown":
				m.chown = func(path string, _, _ int) error {
					if strings.HasSuffix(path, ".log") {
						return broken
					}
					return nil
				}
			case "ids":
				m.ids = func(string) (onefile.Owner, error) { return onefile.Owner{}, broken }
			case "log":
				managertest.Put(t, f.tree, "/Library/Logs", "no folder")
			case "plist":
				managertest.Put(t, f.tree, "/Library/LaunchDaemons", "no folder")
			default:
				f.Fail[step] = broken
			}
			managertest.LeavesAll(t, m, f.tree, p)
			if f.disabled["web"] {
				t.Error("it is disabled")
			}
		})
	}
}

func TestAnUpdateThatFailsLeavesWhatWas(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	before := managertest.Snapshot(t, f.tree)
	s.Start, s.Args = service.Manual, []string{"new"}
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

func TestWhatLaunchctlHasDoneBeforeItFailedIsUndone(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	s.Start = service.Manual
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

func TestAForeignFileIsLeftAlone(t *testing.T) {
	m, f := world(t)
	ctx, s := context.Background(), managertest.Plain()
	managertest.Put(t, f.tree, "/Library/LaunchDaemons/web.plist", "<plist><dict><key>Label</key><string>web</string></dict></plist>")
	managertest.Foreign(t, m, s)
	p, err := m.Plan(ctx, s, true)
	if err != nil || !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "/Library/LaunchDaemons/web.plist") }) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAServiceOfKardianosIsTakenOver(t *testing.T) {
	m, f := world(t)
	theirs, err := os.ReadFile("testdata/kardianos.plist")
	if err != nil {
		t.Fatal(err)
	}
	managertest.Put(t, f.tree, "/Library/LaunchDaemons/web.plist", string(theirs))
	p := managertest.Install(t, m, managertest.Plain())
	if p.Replaces != "kardianos/service" || !p.Installed {
		t.Errorf("%+v", p)
	}
	if !service.Marked(managertest.Get(f.tree, "/Library/LaunchDaemons/web.plist")) {
		t.Error("it is there still")
	}
}

func TestAnUnsafeExecutableIsRefusedUnlessForced(t *testing.T) {
	m, _ := world(t)
	m.safe = func(string, bool) error { return fmt.Errorf("/usr/local/bin: %w", service.ErrUnsafe) }
	if _, err := m.Plan(context.Background(), managertest.Plain(), false); !errors.Is(err, service.ErrUnsafe) {
		t.Errorf("got %v", err)
	}
	p, err := m.Plan(context.Background(), managertest.Plain(), true)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), service.ErrUnsafe.Error()) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPlanChangesNothing(t *testing.T) {
	m, f := world(t)
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

func TestStatusIsReadFromWhatLaunchdPrints(t *testing.T) {
	for name, test := range map[string]struct {
		out  string
		want job
	}{
		"running": {
			"system/web = {\n\tactive count = 1\n\tstate = running\n\n\tendpoints = {\n\t\tstate = active\n\t\tpid = 9\n\t}\n\truns = 3\n\tpid = 4242\n\tlast exit code = (never exited)\n\tjob state = running\n}\n",
			job{loaded: true, state: "running", pid: 4242, runs: 3, code: -1},
		},
		"ended": {
			"system/web = {\n\tstate = not running\n\truns = 1\n\tlast exit code = 78: EX_CONFIG\n}\n",
			job{loaded: true, state: "not running", runs: 1, code: 78},
		},
		"killed": {
			"system/web = {\n\tstate = spawn scheduled\n\truns = 2\n\tlast terminating signal = Killed: 9\n}\n",
			job{loaded: true, state: "spawn scheduled", runs: 2, code: -1, signal: "Killed: 9"},
		},
	} {
		if got := parse(test.out); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for out, want := range map[string]bool{"\t\t\"web\" => disabled\n": true, "\t\t\"web\" => true\n": true, "\t\t\"web\" => enabled\n": false, "\t\t\"a.web\" => disabled\n": false, "": false} {
		if disabledIn(out, "web") != want {
			t.Errorf("%q", out)
		}
	}
}

func TestTheLogIsTheFile(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	managertest.Put(t, f.tree, "/Library/Logs/web.log", "one\ntwo\nthree\n")
	var b bytes.Buffer
	if err := m.Logs(context.Background(), s, service.LogQuery{Lines: 2}, &b); err != nil || b.String() != "- INFO  two\n- INFO  three\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestDiagnoseNamesWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ctx, s := context.Background(), managertest.Plain()
		managertest.Finds(t, m, s, service.Problem, "there is no /Library/LaunchDaemons/web.plist")
		managertest.Install(t, m, s)
		managertest.FindsNothing(t, m, s, service.Note)
		f.exits = 78
		if err := m.Start(ctx, s); err == nil {
			t.Fatal("it has started")
		}
		managertest.Finds(t, m, s, service.Problem, "exit code 78")
		m.ids = func(string) (onefile.Owner, error) { return onefile.Owner{}, errors.New("unknown") }
		managertest.Finds(t, m, s, service.Problem, "there is no nobody")
	})
}

func TestThereIsNoPause(t *testing.T) {
	m, _ := world(t)
	if err := errors.Join(m.Pause(context.Background(), managertest.Plain()), m.Continue(context.Background(), managertest.Plain())); !errors.Is(err, service.ErrNotSupported) {
		t.Errorf("got %v", err)
	}
}

func count(lines []string, prefix string) (n int) {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			n++
		}
	}
	return n
}

func TestTheExecutableIsReadBackFromWhatIsInstalled(t *testing.T) {
	m, _ := world(t)
	managertest.Each(t, func(t *testing.T, _ string, s service.Spec) {
		if got := launched(render(s, "", m.layout(s.ServiceName()))); got != s.Executable {
			t.Errorf("got %q, want %q", got, s.Executable)
		}
	})
	for _, foreign := range []string{"", "#!/bin/sh\n", "<plist/>"} {
		if got := launched(foreign); got != "" {
			t.Errorf("%q starts %q", foreign, got)
		}
	}
}

func TestWhatDoesNotBelongToTheServiceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ownedtest.Run(t, m, managertest.Plain(), f.tree, m.layout("web").dirs)
	})
}

func TestWhatAnOperatorHasChosenStays(t *testing.T) {
	m, f := world(t)
	ownedtest.Stays(t, m, managertest.Plain(), false, func(enabled bool) { f.disabled["web"] = !enabled })
}
