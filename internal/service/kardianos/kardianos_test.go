//go:build unix

package kardianos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	kardianos "github.com/kardianos/service"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func TestKardianos_IsImportedByNothingElse(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin", "freebsd", "solaris", "aix"} {
		cmd := exec.Command("go", "list", "-test", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "github.com/go-glidepath/glidepath/...")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		if goos == "aix" {
			cmd.Env = append(cmd.Env, "GOARCH=ppc64")
		}
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		seen := false
		for line := range strings.Lines(string(out)) {
			words := strings.Fields(line)
			if slices.Contains(words[1:], "github.com/kardianos/service") {
				seen = true
				if !strings.HasPrefix(words[0], "github.com/go-glidepath/glidepath/internal/service/kardianos") {
					t.Errorf("%s: %s imports it", goos, words[0])
				}
			}
		}
		if !seen {
			t.Errorf("%s: nobody imports it", goos)
		}
	}
}

// fake is a service of kardianos/service, with the tools and the files behind it.
type fake struct {
	managertest.Runner
	tree    files.Tree
	system  string
	config  *kardianos.Config
	state   string // of initctl: "start/running"
	pid     int
	broken  error // of Install, after it has begun
	empty   bool  // Install writes an empty file
	known   bool  // to the SRC
	stuck   bool  // Stop stops nothing
	status  error
	started int
}

func (f *fake) path() string {
	if f.system == src {
		return "/etc/rc.d/init.d/" + f.config.Name
	}
	return "/etc/init/" + f.config.Name + ".conf"
}

func (f *fake) Install() error {
	if f.tree.Exists(f.path()) {
		return fmt.Errorf("Init already exists: %s", f.path())
	}
	if f.system == src {
		if f.known {
			return errors.New("0513-080 The subsystem is there already")
		}
		f.known = true
	}
	text := "# " + f.config.Description + "\n\ndescription    \"" + f.config.DisplayName + "\"\n"
	if f.system == src {
		text = "#!/bin/ksh\ncase \"$1\" in\nstart)\n        startsrc -s " + f.config.Name + "\n        ;;\nesac\n"
	}
	if f.empty || f.broken != nil {
		text = ""
	}
	file := f.tree.Path(f.path())
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		return err
	}
	if f.system == src {
		if err := errors.Join(os.MkdirAll(f.tree.Path("/etc/rc2.d"), 0o755), os.Symlink(f.path(), f.tree.Path("/etc/rc2.d/S50web"))); err != nil {
			return err
		}
	}
	return f.broken
}

func (f *fake) Start() error {
	if f.state == "start/running" {
		return errors.New("exit status 1")
	}
	f.state = "start/running"
	f.pid++
	f.started++
	return nil
}

func (f *fake) Stop() error {
	if f.state == "stop/waiting" {
		return errors.New("exit status 1")
	}
	if !f.stuck {
		f.state = "stop/waiting"
	}
	return nil
}

func (f *fake) Status() (kardianos.Status, error) {
	switch {
	case f.status != nil:
		return kardianos.StatusUnknown, f.status
	case f.state == "start/running":
		return kardianos.StatusRunning, nil
	case f.state == "stop/waiting":
		return kardianos.StatusStopped, nil
	}
	return kardianos.StatusUnknown, kardianos.ErrNotInstalled
}

const passwd = "root:x:0:0:root:/root:/bin/sh\nwww:x:80:80:www:/:/bin/false\n"

func (f *fake) answer(line string) (string, error) {
	words := strings.Fields(line)
	switch words[0] {
	case "initctl":
		return "web " + f.state + ", process " + fmt.Sprint(f.pid) + "\n", nil
	case "lssrc":
		status := fmt.Sprintf(" web               %d     active\n", f.pid)
		if f.state != "start/running" {
			status = " web                              inoperative\n"
		}
		return "Subsystem         Group            PID          Status\n" + status, nil
	case "odmget":
		return "\nSRCsubsys:\n\tsubsysname = \"web\"\n\tcmdargs = \"old arguments\"\n\tpath = \"/usr/bin/env\"\n", nil
	case "rmssys":
		f.known = false
	case "mkssys":
		f.known = true
	case "kill", "userdel", "groupdel":
		if words[0] == "userdel" {
			return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(passwd), 0o644)
		}
	case "getent":
		return "", managertest.Fails(line, 2, "")
	case "useradd":
		c := line[strings.Index(line, "--comment ")+len("--comment "):]
		c, _, _ = strings.Cut(c, " --")
		return "", os.WriteFile(f.tree.Path("/etc/passwd"), []byte(passwd+"web:x:900:900:"+c+":/nonexistent:/bin/false\n"), 0o644)
	default:
		return "", fmt.Errorf("%s is not expected", line)
	}
	return "", nil
}

func world(t *testing.T, system string) (*script.Manager, *fake) {
	t.Helper()
	f := &fake{Runner: managertest.Runner{Fail: map[string]error{}}, tree: files.Tree(t.TempDir()), system: system, state: "stop/waiting", pid: 100}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/etc/passwd", passwd)
	managertest.Put(t, f.tree, "/etc/group", "root:x:0:\n")
	machine := manage.Machine{Tree: f.tree, Run: f.Run}
	m := script.New(machine, dialect{machine, system, func(_ string, c *kardianos.Config) (control, error) { f.config = c; return f, nil }})
	m.UID, m.Safe, m.Chown = 0, func(string, bool) error { return nil }, func(string, int, int) error { return nil }
	return m, f
}

// plain is a service that both systems take.
func plain(system string) manage.Spec {
	s := managertest.Plain()
	if system == src {
		s.Account = "root"
	}
	return s
}

func each(t *testing.T, f func(t *testing.T, system string)) {
	t.Helper()
	for _, system := range []string{upstart, src} {
		t.Run(system, func(t *testing.T) { f(t, system) })
	}
}

func TestKardianos_WhatIsHandedOverIsAsItWas(t *testing.T) {
	each(t, func(t *testing.T, system string) {
		managertest.Each(t, func(t *testing.T, name string, s manage.Spec) {
			if name == "hostile" {
				return // it is refused
			}
			if system == src {
				s.Account = "root"
			}
			m, _ := world(t, system)
			p := managertest.Plan(t, m, s)
			file := dialect{system: system}.paths(s.ServiceName())[0]
			i := slices.IndexFunc(p.Artefacts, func(a manage.Artefact) bool { return a.Name == file })
			text := p.Artefacts[i].New + "calls\n  " + strings.Join(p.Calls, "\n  ") + "\n"
			for _, a := range p.Artefacts {
				if strings.HasPrefix(a.Name, "account ") && !a.Present {
					text += "makes\n  " + a.Name + "\n"
				}
			}
			managertest.Golden(t, system+"-"+name+".txt", text)
			managertest.Golden(t, system+"-"+name+".warnings", managertest.Warnings(p))
		})
	})
}

func TestKardianos_Life(t *testing.T) {
	each(t, func(t *testing.T, system string) {
		synctest.Test(t, func(t *testing.T) {
			m, f := world(t, system)
			ctx, s := context.Background(), plain(system)
			for range 2 {
				managertest.NotInstalled(t, m, s)
				managertest.Install(t, m, s)
				managertest.Is(t, m, s, service.Stopped)
				if err := m.Reload(ctx, s); !errors.Is(err, service.ErrNotRunning) {
					t.Errorf("got %v", err)
				}
				for range 2 {
					if err := m.Start(ctx, s); err != nil {
						t.Fatal(err)
					}
				}
				if st := managertest.Is(t, m, s, service.Running); st.PID != f.pid {
					t.Errorf("got %+v", st)
				}
				f.Took()
				if err := m.Reload(ctx, s); err != nil || !slices.Contains(f.Took(), fmt.Sprintf("kill -HUP %d", f.pid)) {
					t.Errorf("got %v", err)
				}
				if err := m.Restart(ctx, s); err != nil {
					t.Fatal(err)
				}
				removed, err := m.Remove(ctx, s, true)
				if err != nil || len(removed) < 5 || f.state != "stop/waiting" || f.known {
					t.Errorf("removed %q, %v", removed, err)
				}
				for _, p := range (dialect{Machine: manage.Machine{Tree: f.tree}, system: system}).paths("web") {
					if f.tree.Exists(p) {
						t.Errorf("%s is left", p)
					}
				}
				if got := managertest.Get(f.tree, "/etc/passwd"); got != passwd {
					t.Errorf("left: %q", got)
				}
			}
		})
	})
}

func TestKardianos_RefusesWhatItWouldNotQuote(t *testing.T) {
	for name, change := range map[string]func(*manage.Spec, string){
		"an argument":   func(s *manage.Spec, v string) { s.Arguments = []string{"a" + v + "b"} },
		"a variable":    func(s *manage.Spec, v string) { s.Environment = map[string]string{"V": v} },
		"a path":        func(s *manage.Spec, v string) { s.Executable = "/opt/a" + v + "b" },
		"a folder":      func(s *manage.Spec, v string) { s.WorkingDirectory = "/opt/a" + v + "b" },
		"a name to see": func(s *manage.Spec, v string) { s.DisplayName = v },
	} {
		each(t, func(t *testing.T, system string) {
			for _, v := range []string{`"`, "$", "`", `\`, "%"} {
				m, f := world(t, system)
				s := plain(system)
				change(&s, v)
				before := managertest.Snapshot(t, f.tree)
				_, err := m.Plan(context.Background(), s, true)
				if !errors.Is(err, manage.ErrConfig) {
					t.Errorf("%s with %s: %v", name, v, err)
				}
				if err := m.Apply(context.Background(), &manage.Plan{Spec: s}); err == nil || managertest.Snapshot(t, f.tree) != before {
					t.Errorf("%s with %s: %v", name, v, err)
				}
			}
		})
	}
	m, _ := world(t, upstart)
	s := plain(upstart)
	s.Executable, s.Arguments = "/opt/the web/web", []string{"a b", ""}
	if _, err := m.Plan(context.Background(), s, false); err != nil {
		t.Errorf("what it does quote: %v", err)
	}
	m, _ = world(t, src)
	for _, args := range [][]string{{"a b"}, {""}} {
		s := plain(src)
		s.Arguments = args
		if _, err := m.Plan(context.Background(), s, false); !errors.Is(err, manage.ErrConfig) {
			t.Errorf("%q on AIX: %v", args, err)
		}
	}
}

func TestKardianos_NothingRunsAsRootOnAIXThatHasNotAskedForIt(t *testing.T) {
	for account, refused := range map[string]bool{"": true, "www": true, "root": false, "LocalSystem": false} {
		m, _ := world(t, src)
		s := managertest.Plain()
		s.Account = account
		if _, err := m.Plan(context.Background(), s, true); errors.Is(err, manage.ErrConfig) != refused {
			t.Errorf("%q: %v", account, err)
		}
	}
}

func TestKardianos_HandsOverTheAccount(t *testing.T) {
	for account, want := range map[string]string{"": "web", "www": "www", "root": "", "LocalSystem": ""} {
		s := managertest.Plain()
		s.Account = account
		if got := (dialect{system: upstart}).config(s).UserName; got != want {
			t.Errorf("%q: %q", account, got)
		}
	}
}

func TestKardianos_FailedInstallationLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, system string) {
		for _, step := range []string{"install", "empty", "chown", "useradd"} {
			if step == "useradd" && system == src {
				continue
			}
			m, f := world(t, system)
			p := managertest.Plan(t, m, plain(system))
			switch step {
			case "install":
				f.broken = errors.New("broken")
			case "empty":
				f.empty = true
			case "chown":
				m.Chown = func(string, int, int) error { return errors.New("broken") }
			default:
				f.Fail[step] = errors.New("broken")
			}
			// The folders above what it writes are there on every machine that has the manager.
			for _, dir := range []string{"/etc/init", "/etc/rc.d/init.d", "/etc/rc2.d"} {
				if err := os.MkdirAll(f.tree.Path(dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := managertest.Snapshot(t, f.tree)
			if err := m.Apply(context.Background(), p); err == nil {
				t.Fatalf("%s: nothing has failed", step)
			}
			if after := managertest.Snapshot(t, f.tree); after != before || f.known {
				t.Errorf("%s: known %t, before:\n%s\nafter:\n%s", step, f.known, before, after)
			}
		}
	})
}

func TestKardianos_FailedUpdateLeavesWhatWas(t *testing.T) {
	each(t, func(t *testing.T, system string) {
		m, f := world(t, system)
		s := plain(system)
		managertest.Install(t, m, s)
		before := managertest.Snapshot(t, f.tree)
		s.Arguments = []string{"new"}
		p, err := m.Plan(context.Background(), s, false)
		if err != nil || !p.Changed() || !p.Installed {
			t.Fatalf("%+v, %v", p, err)
		}
		f.broken = errors.New("broken")
		if err := m.Apply(context.Background(), p); err == nil {
			t.Fatal("nothing has failed")
		}
		if after := managertest.Snapshot(t, f.tree); after != before || f.known != (system == src) {
			t.Errorf("known %t, before:\n%s\nafter:\n%s", f.known, before, after)
		}
		f.broken = nil
		if err := m.Apply(context.Background(), p); err != nil {
			t.Error(err)
		}
	})
}

func TestKardianos_DoesNotWriteAgainWhatIsInstalled(t *testing.T) {
	m, f := world(t, upstart)
	managertest.Install(t, m, managertest.Plain())
	f.broken = errors.New("it was asked to")
	if p := managertest.Install(t, m, managertest.Plain()); p.Changed() {
		t.Errorf("%+v", p.Artefacts)
	}
}

func TestKardianos_DoesNotChangeWhatRunsOnAIX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := world(t, src)
		ctx, s := context.Background(), plain(src)
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		s.Arguments = []string{"new"}
		p := managertest.Plan(t, m, s)
		if err := m.Apply(ctx, p); err == nil || !strings.Contains(err.Error(), "stop it first") {
			t.Errorf("got %v", err)
		}
	})
}

func TestKardianos_StatesThatItTakesForNotInstalled(t *testing.T) {
	for said, want := range map[string]service.State{
		"start/running": service.Running, "stop/waiting": service.Stopped, "start/spawned": service.Starting, "start/pre-start": service.Starting,
		"stop/killed": service.Stopping, "stop/stopping": service.Stopping, "odd": service.Unknown,
	} {
		m, f := world(t, upstart)
		managertest.Install(t, m, managertest.Plain())
		f.state = said
		if st, err := m.Status(context.Background(), managertest.Plain()); err != nil || st.State != want {
			t.Errorf("%s: %+v, %v", said, st, err)
		}
	}
	for line, want := range map[string]service.State{
		" web  tcpip  123  active": service.Running, " web  123  active": service.Running, " web  inoperative": service.Stopped,
		" web  tcpip  123  stopping": service.Stopping, " web 1 odd": service.Unknown, "": service.Stopped, " myweb 1 active": service.Stopped,
	} {
		if got, _ := subsystem("Subsystem  Group  PID  Status\n"+line+"\n", "web"); got != want {
			t.Errorf("%q: %s", line, got)
		}
	}
	m, f := world(t, upstart)
	managertest.Install(t, m, managertest.Plain())
	f.status = errors.New("broken")
	if _, err := m.Status(context.Background(), managertest.Plain()); err == nil {
		t.Error("its error is lost")
	}
}

func TestKardianos_StopThatStopsNothingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t, upstart)
		ctx, s := context.Background(), managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(ctx, s); err != nil {
			t.Fatal(err)
		}
		f.stuck = true
		if err := m.Stop(ctx, s); err == nil || !strings.Contains(err.Error(), "has not stopped") {
			t.Errorf("got %v", err)
		}
	})
}

func TestKardianos_LeavesForeignFilesAlone(t *testing.T) {
	each(t, func(t *testing.T, system string) {
		m, f := world(t, system)
		s := plain(system)
		managertest.Put(t, f.tree, dialect{system: system}.paths("web")[0], "exec /bin/web\n")
		managertest.Foreign(t, m, s)
	})
}

func TestKardianos_TakesOverAServiceOfAnotherProgram(t *testing.T) {
	m, f := world(t, upstart)
	text, err := os.ReadFile("testdata/kardianos.conf")
	if err != nil {
		t.Fatal(err)
	}
	managertest.Put(t, f.tree, "/etc/init/web.conf", string(text))
	if p := managertest.Install(t, m, managertest.Plain()); p.Replaces != "kardianos/service" {
		t.Errorf("%+v", p)
	}
	if !manage.Marked(managertest.Get(f.tree, "/etc/init/web.conf")) {
		t.Error("it is there still")
	}
}

func TestKardianos_SaysWhatToDoWithoutRights(t *testing.T) {
	m, _ := world(t, upstart)
	ctx, s := context.Background(), managertest.Plain()
	p := managertest.Install(t, m, s)
	m.UID = 1000
	_, err := m.Remove(ctx, s, false)
	for _, err := range []error{m.Apply(ctx, p), m.Start(ctx, s), err} {
		if !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "sudo") {
			t.Errorf("got %v", err)
		}
	}
}

func TestOpen_FindsTheSystem(t *testing.T) {
	// The real one, as far as it goes without the manager: it has the system, and takes
	// the configuration.
	d := dialect{system: upstart}
	k, err := open(upstart, d.config(managertest.Plain()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Status(); err == nil {
		t.Log("there is an Upstart here")
	}
	if _, err := open("odd", d.config(managertest.Plain())); !errors.Is(err, service.ErrNotSupported) {
		t.Errorf("got %v", err)
	}
}

func TestKardianos_Logs(t *testing.T) {
	m, f := world(t, upstart)
	managertest.Install(t, m, managertest.Plain())
	managertest.Put(t, f.tree, "/var/log/web/web.err", "one\ntwo\n")
	var b bytes.Buffer
	if err := m.Logs(context.Background(), managertest.Plain(), manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, &b); err != nil || b.String() != "- INFO  two\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	m, _ = world(t, src)
	managertest.Install(t, m, plain(src))
	if err := m.Logs(context.Background(), plain(src), manage.LogQuery{}, &b); !errors.Is(err, service.ErrNotSupported) {
		t.Errorf("got %v", err)
	}
}

func TestKardianos_DoesNotRunAServiceAsAUserWhoHasItsName(t *testing.T) {
	m, f := world(t, upstart)
	managertest.Put(t, f.tree, "/etc/passwd", passwd+"web:x:34:34:web:/var/web:/bin/false\n")
	if _, err := m.Plan(t.Context(), managertest.Plain(), true); !errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), "has a user of that name already") {
		t.Errorf("got %v", err)
	}
	s := managertest.Plain()
	s.Account = "web"
	if _, err := m.Plan(t.Context(), s, false); err != nil {
		t.Errorf("which is asked for: %v", err)
	}
}

func TestKardianos_ReadsTheExecutableBack(t *testing.T) {
	m, f := world(t, upstart)
	s := managertest.Plain()
	managertest.Put(t, f.tree, "/etc/init/web.conf", "script\n\texec sudo -E -u web /usr/bin/env \"A=1\" \"B=x y\" \"/opt/web/web\" \"-x\" >> $stdout_log\nend script\n")
	if got, err := m.Launches(t.Context(), s); got != "/opt/web/web" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestKardianos_KeepsWhatIsNotTheServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t, upstart)
		ownedtest.Run(t, m, managertest.Plain(), f.tree, folders("web"))
	})
}
