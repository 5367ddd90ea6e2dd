//go:build unix

package rcd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

// fake is what the manager runs on FreeBSD.
type fake struct {
	managertest.Runner
	tree    files.Tree
	rc      map[string]string
	running bool
	ends    bool // the program ends at once
	hups    int
	pid     int
}

const passwd = "root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:80:80:World Wide Web Owner:/nonexistent:/usr/sbin/nologin\n"

func (f *fake) answer(line string) (string, error) {
	words := strings.Fields(line)
	switch words[0] {
	case "sysrc":
		last := words[len(words)-1]
		name, value, set := strings.Cut(last, "=")
		switch {
		case set:
			f.rc[name] = value
		case strings.Contains(line, "-x"):
			delete(f.rc, name)
		case f.rc[name] != "":
			return f.rc[name] + "\n", nil
		}
		return "", nil
	case "ps":
		out := "    1     3-01:02:03 /sbin/init\n"
		if f.running {
			out += fmt.Sprintf("  %d   01:05 daemon: web[%d] (daemon)\n", f.pid-1, f.pid)
			if !f.ends {
				out += fmt.Sprintf("  %d   01:05 /usr/local/bin/web -v\n", f.pid)
			}
		}
		return out, nil
	case "service":
		switch words[2] {
		case "onestart":
			f.running = true
			f.pid += 10
		case "onestop":
			f.running = false
		case "onereload":
			f.hups++
		}
		return "", nil
	case "useradd", "userdel", "getent", "groupdel":
		return "", fmt.Errorf("%s: %w", line, exec.ErrNotFound)
	case "pw":
		text, _, _ := f.tree.Read("/etc/passwd")
		switch words[1] {
		case "useradd":
			c := strings.Index(line, "-c ")
			d := strings.Index(line, " -d ")
			return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(text+words[3]+":*:900:900:"+line[c+3:d]+":/nonexistent:/usr/sbin/nologin\n"), 0o644)
		case "userdel":
			return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(passwd), 0o644)
		}
		return "", nil
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func world(t *testing.T) (*Manager, *fake) {
	t.Helper()
	f := &fake{Runner: managertest.Runner{Fail: map[string]error{}}, tree: files.Tree(t.TempDir()), rc: map[string]string{}, pid: 100}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/etc/passwd", passwd)
	managertest.Put(t, f.tree, "/etc/group", "wheel:*:0:\n")
	return &Manager{
		m: service.Machine{Tree: f.tree, Run: f.Run}, safe: func(string, bool) error { return nil },
		chown: func(string, int, int) error { return nil },
	}, f
}

func TestTheScriptIsAsItWas(t *testing.T) {
	managertest.Each(t, func(t *testing.T, name string, s service.Spec) {
		m, _ := world(t)
		p := managertest.Plan(t, m, s)
		managertest.Golden(t, name+".sh", p.Artefacts[0].New)
		managertest.Golden(t, name+".warnings", managertest.Warnings(p))
		managertest.Parses(t, p.Artefacts[0].New)
	})
}

func TestALifeFromInstallToRemoveTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ctx, s := context.Background(), managertest.Plain()
		for range 2 {
			managertest.NotInstalled(t, m, s)
			managertest.Install(t, m, s)
			if f.rc["web_enable"] != "YES" || !strings.Contains(managertest.Get(f.tree, "/etc/passwd"), "\nweb:") {
				t.Errorf("rc.conf %q, passwd %q", f.rc, managertest.Get(f.tree, "/etc/passwd"))
			}
			managertest.Is(t, m, s, service.Stopped)
			if err := m.Reload(ctx, s); !errors.Is(err, service.ErrNotRunning) {
				t.Errorf("got %v", err)
			}
			for range 2 {
				if err := m.Start(ctx, s); err != nil {
					t.Fatal(err)
				}
			}
			if st := managertest.Is(t, m, s, service.Running); st.PID != f.pid || st.Start != service.Automatic || st.Since.IsZero() {
				t.Errorf("got %+v", st)
			}
			hups := f.hups
			if err := m.Reload(ctx, s); err != nil || f.hups != hups+1 {
				t.Errorf("%v, %d HUPs", err, f.hups-hups)
			}
			if err := m.Restart(ctx, s); err != nil {
				t.Fatal(err)
			}
			if p := managertest.Install(t, m, s); p.Changed() || !p.Installed {
				t.Errorf("what is installed already: %+v", p)
			}
			removed, err := m.Remove(ctx, s, true)
			if err != nil || len(removed) != 8 || f.running {
				t.Errorf("removed %q, %v", removed, err)
			}
			if len(f.rc) != 0 || managertest.Get(f.tree, "/etc/passwd") != passwd {
				t.Errorf("left: %q, %q", f.rc, managertest.Get(f.tree, "/etc/passwd"))
			}
		}
	})
}

func TestStartTypesAreWhatRcConfSays(t *testing.T) {
	for start, want := range map[service.Start]string{service.Automatic: "YES", service.Delayed: "YES", service.Manual: "NO", service.Disabled: "NO"} {
		m, f := world(t)
		s := managertest.Plain()
		s.Start = start
		managertest.Install(t, m, s)
		st, err := m.Status(context.Background(), s)
		if f.rc["web_enable"] != want || err != nil || (st.Start == service.Automatic) != (want == "YES") {
			t.Errorf("%s: %q, %+v, %v", start, f.rc, st, err)
		}
	}
}

func TestWhatEndsAtOnceHasNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		f.ends = true
		managertest.Install(t, m, managertest.Plain())
		if err := m.Start(context.Background(), managertest.Plain()); err == nil || !strings.Contains(err.Error(), "see its log") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhateverFailsNothingIsLeft(t *testing.T) {
	for _, step := range []string{"pw useradd", "sysrc web_enable", "chown", "script", "no account"} {
		t.Run(step, func(t *testing.T) {
			m, f := world(t)
			s := managertest.Plain()
			if step == "no account" {
				s.Account = "nobodyknows"
			}
			p := managertest.Plan(t, m, s)
			switch step {
			case "chown":
				m.chown = func(path string, _, _ int) error {
					if strings.HasPrefix(path, f.tree.Path("/var/run")) {
						return errors.New("broken")
					}
					return nil
				}
			case "script":
				managertest.Put(t, f.tree, "/usr/local/etc/rc.d", "no folder")
			default:
				f.Fail[step] = errors.New("broken")
			}
			managertest.LeavesAll(t, m, f.tree, p)
			if len(f.rc) != 0 {
				t.Errorf("rc.conf has %q", f.rc)
			}
		})
	}
}

func TestAnUpdateThatFailsLeavesWhatRcConfSaid(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Install(t, m, s)
	f.rc["web_enable"] = "NO" // by the operator
	c := f.tree.Begin("web")
	if err := m.apply(context.Background(), c, &service.Plan{Spec: s}, service.Artefact{Old: "NO", New: "YES", Present: true, Wanted: true}); err != nil || f.rc["web_enable"] != "YES" {
		t.Fatal(err, f.rc)
	}
	if err := c.Undo(); err != nil || f.rc["web_enable"] != "NO" {
		t.Errorf("%v, %q", err, f.rc)
	}
}

func TestWhoIsNotRootIsToldWhatToDo(t *testing.T) {
	m, _ := world(t)
	ctx, s := context.Background(), managertest.Plain()
	p := managertest.Install(t, m, s)
	m.uid = 1001
	_, err := m.Remove(ctx, s, false)
	for _, err := range []error{m.Apply(ctx, p), m.Start(ctx, s), err} {
		if !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "sudo") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAForeignScriptIsLeftAlone(t *testing.T) {
	m, f := world(t)
	ctx, s := context.Background(), managertest.Plain()
	managertest.Put(t, f.tree, "/usr/local/etc/rc.d/web", "#!/bin/sh\n")
	managertest.Foreign(t, m, s)
	if p, err := m.Plan(ctx, s, true); err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "/usr/local/etc/rc.d/web") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAServiceOfKardianosIsTakenOver(t *testing.T) {
	m, f := world(t)
	theirs, err := os.ReadFile(filepath.Join("testdata", "kardianos.sh"))
	if err != nil {
		t.Fatal(err)
	}
	managertest.Put(t, f.tree, "/usr/local/etc/rc.d/web", string(theirs))
	if p := managertest.Install(t, m, managertest.Plain()); p.Replaces != "kardianos/service" {
		t.Errorf("%+v", p)
	}
}

func TestTheSupervisorNamesWhatItSupervises(t *testing.T) {
	for name, test := range map[string]struct {
		out   string
		state service.State
		pid   int
	}{
		"running":         {"10 01:00 daemon: web[12] (daemon)\n12 01:00 /usr/local/bin/web\n", service.Running, 12},
		"of kardianos":    {"10 01:00 daemon: web: daemon[12] (daemon)\n12 01:00 /usr/local/bin/web\n", service.Running, 12},
		"waits":           {"10 01:00 daemon: web[12] (daemon)\n", service.Failed, 0},
		"not there":       {"1 01:00 /sbin/init\n", service.Stopped, 0},
		"of another name": {"10 01:00 daemon: my-web[12] (daemon)\n12 01:00 x\n", service.Stopped, 0},
		"who only talks":  {"10 01:00 vi daemon: web[12]\n12 01:00 x\n", service.Stopped, 0},
	} {
		if state, pid, _ := find(test.out, "web"); state != test.state || pid != test.pid {
			t.Errorf("%s: %s, %d", name, state, pid)
		}
	}
}

func TestTheLogIsTheFile(t *testing.T) {
	m, f := world(t)
	managertest.Put(t, f.tree, "/var/log/web.log", "one\ntwo\n")
	var b bytes.Buffer
	if err := m.Logs(context.Background(), managertest.Plain(), service.LogQuery{Lines: 1}, &b); err != nil || b.String() != "- INFO  two\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestDiagnoseNamesWhatIsWrong(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Finds(t, m, s, service.Note, "there is no /usr/local/etc/rc.d/web")
	managertest.Install(t, m, s)
	managertest.FindsNothing(t, m, s, service.OK)
	f.rc["web_enable"] = "NO"
	managertest.Finds(t, m, s, service.Note, "web_enable is not YES")
	managertest.Put(t, f.tree, "/etc/passwd", passwd)
	managertest.Finds(t, m, s, service.Note, "there is no web")
	m.safe = func(string, bool) error { return service.ErrUnsafe }
	managertest.Finds(t, m, s, service.Note, service.ErrUnsafe.Error())
}

func TestEveryInstanceHasAnAccountOfItsOwn(t *testing.T) {
	s := managertest.Specs()["instance"]
	other := s
	other.Instance = s.Instance + "2"
	if a, b := user(s), user(other); a == b {
		t.Errorf("both are %s: who removes one takes it from the other", a)
	}
}

func TestAUserThatHappensToHaveTheNameIsNotItsAccount(t *testing.T) {
	m, f := world(t)
	managertest.Put(t, f.tree, "/etc/passwd", passwd+"web:x:34:34:web:/var/web:/bin/false\n")
	if _, err := m.Plan(t.Context(), managertest.Plain(), true); !errors.Is(err, service.ErrSpec) || !strings.Contains(err.Error(), "has a user of that name already") {
		t.Errorf("got %v", err)
	}
	s := managertest.Plain()
	s.Account = "web"
	if _, err := m.Plan(t.Context(), s, false); err != nil {
		t.Errorf("which is asked for: %v", err)
	}
}

func TestTheExecutableIsReadBackFromWhatIsInstalled(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s service.Spec) {
		if got := launched(render(s, user(s), place(s.ServiceName()))); got != s.Executable {
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
		ownedtest.Run(t, m, managertest.Plain(), f.tree, place("web").dirs)
	})
}

func TestWhatAnOperatorHasChosenStays(t *testing.T) {
	for _, off := range []string{"NO", ""} {
		m, f := world(t)
		ownedtest.Stays(t, m, managertest.Plain(), true, func(enabled bool) {
			f.rc["web_enable"] = off
			if enabled {
				f.rc["web_enable"] = "YES"
			}
		})
	}
}
