//go:build unix

package script

import (
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

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

func TestLaunchd_AgentFile(t *testing.T) {
	m, _ := newLaunchdDouble(t, 501, "/Users/a")
	s := managertest.Plain()
	s.User = true
	p := managertest.Plan(t, m, s)
	if m.dialect.Layout(s).File != "/Users/a/Library/LaunchAgents/web.plist" {
		t.Errorf("it is %s", m.dialect.Layout(s).File)
	}
	managertest.Golden(t, "launchd/agent.plist", artefact(t, p, m.dialect.Layout(s).File).New)
}

func TestLaunchd_AgentHasItsFoldersInTheLibraryOfItsUser(t *testing.T) {
	for uid, want := range map[int]string{0: "/Library/Application Support/web", 501: "/Users/a/Library/Application Support/web"} {
		m, _ := newLaunchdDouble(t, uid, "/Users/a")
		if got := manage.Folders(m, managertest.Plain()).State; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLaunchdPlist_SaysWhatWasMeant(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s manage.Spec) {
		m, _ := newLaunchdDouble(t, 0, "/Users/a")
		l := m.dialect.Layout(s)
		account, _ := m.accountName(s)
		got, err := decodePlist(launchdPlist(s, account, l))
		if err != nil {
			t.Fatal(err)
		}
		args := []any{s.Executable}
		for _, a := range s.Arguments {
			args = append(args, a)
		}
		env := map[string]any{}
		for _, v := range Environment(s, l.Dirs) {
			env[v.Name] = v.Value
		}
		if !reflect.DeepEqual(got["ProgramArguments"], args) {
			t.Errorf("the arguments are\n%q\nnot\n%q", got["ProgramArguments"], args)
		}
		if !reflect.DeepEqual(got["EnvironmentVariables"], env) {
			t.Errorf("the environment is\n%q\nnot\n%q", got["EnvironmentVariables"], env)
		}
		if s.WorkingDirectory != "" && got["WorkingDirectory"] != s.WorkingDirectory {
			t.Errorf("the working directory is %q", got["WorkingDirectory"])
		}
		if got["ExitTimeOut"] != int((s.StopTimeout+margin)/time.Second) || got["Umask"] != 0o77 || got["UserName"] == nil {
			t.Errorf("got %v", got)
		}
	})
}

func FuzzLaunchdPlist_AnyArgumentArrives(f *testing.F) {
	for _, v := range managertest.Hostile() {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		s := managertest.Plain()
		s.Description, s.Arguments, s.Environment = v, []string{v}, map[string]string{"V": v}
		if s.Check() != nil || checkXML(s) != nil {
			return
		}
		got, err := decodePlist(launchdPlist(s, nobody, Layout{}))
		if err != nil {
			t.Fatal(err)
		}
		if got["ProgramArguments"].([]any)[1] != v || got["EnvironmentVariables"].(map[string]any)["V"] != v {
			t.Errorf("%q came as %q", v, got)
		}
	})
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

func TestLaunchdLost(t *testing.T) {
	text, err := os.ReadFile("testdata/launchd/kardianos.plist")
	if err != nil {
		t.Fatal(err)
	}
	old := string(text)
	root := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Account: "root"}}
	if got := launchdLost(old, root, "root"); got != nil {
		t.Errorf("as it was: %q", got)
	}
	want := manage.FormerRoot("_web")
	if got := launchdLost(old, root, "_web"); !slices.Equal(got, want) {
		t.Errorf("as another: %q, want %q", got, want)
	}
	old = strings.NewReplacer("bin/web</string>\n", "bin/web</string>\n\t\t<string>-a &amp; b</string>\n",
		"\t<key>KeepAlive", "\t<key>EnvironmentVariables</key>\n\t<dict>\n\t\t<key>A</key>\n\t\t<string>1</string>\n\t\t<key>B</key>\n\t\t<string>2</string>\n\t</dict>\n\t<key>Nice</key>\n\t<integer>5</integer>\n\t<key>KeepAlive",
		"\t</dict>\n</plist>", "\t<key>UserName</key>\n\t<string>bob</string>\n\t<key>WorkingDirectory</key>\n\t<string>/srv</string>\n\t</dict>\n</plist>").Replace(old)
	const before, after = "the service that is replaced had ", ": it is not carried over"
	want = []string{
		before + "Nice: <integer>5</integer>" + after,
		before + "ProgramArguments: <array> <string>/usr/local/bin/web</string> <string>-a &amp; b</string> </array>" + after,
		before + "UserName: <string>bob</string>" + after,
		before + "WorkingDirectory: <string>/srv</string>" + after,
		before + "the variable B=2" + after,
	}
	root.Environment = map[string]string{"A": "1", "B": "3"}
	if got := launchdLost(old, root, "root"); !slices.Equal(got, want) {
		t.Errorf("it says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := manage.Spec{Config: service.Config{Executable: "/usr/local/bin/web", Arguments: []string{"-a & b"}, Environment: map[string]string{"A": "1", "B": "2"}, WorkingDirectory: "/srv"}}
	if got := launchdLost(old, all, "bob"); !slices.Equal(got, want[:1]) {
		t.Errorf("with all of it: %q", got)
	}
}

func TestCheckXML(t *testing.T) {
	s := managertest.Plain()
	s.Arguments = []string{"a\ufffe"}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"launchd", "smf"} {
		if _, err := doubles[name](t).Plan(t.Context(), s, true); !errors.Is(err, manage.ErrConfig) {
			t.Errorf("%s: got %v", name, err)
		}
	}
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
