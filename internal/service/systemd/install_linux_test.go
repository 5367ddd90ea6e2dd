package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestInstall_ReplacesServiceOfKardianos(t *testing.T) {
	t.Parallel()
	o := oldUnit(t)
	i := echoService(t, inside(t, false))
	i.spec.Name = o.name
	if _, err := i.machine.Runner()(t.Context(), "systemctl", "start", o.name); err != nil {
		t.Fatal(err)
	}
	before := i.wantState(service.Running)
	p := i.install()
	if p.Replaces != "kardianos/service" || !p.Installed {
		t.Errorf("the plan is %+v", p)
	}
	if st := i.wantState(service.Running); st.PID != before.PID {
		t.Error("it has not run on")
	}
	i.must(i.Restart(t.Context(), i.spec))
	if st := i.wantState(service.Running); st.PID == before.PID || st.StartType != service.Automatic {
		t.Errorf("it is %+v", st)
	}
	i.report()
}

func TestRemove_ServiceOfKardianos(t *testing.T) {
	t.Parallel()
	o := oldUnit(t)
	m := inside(t, false)
	s := web()
	s.Name = o.name
	if _, err := m.machine.Runner()(t.Context(), "systemctl", "start", o.name); err != nil {
		t.Fatal(err)
	}
	if removed, err := m.Remove(t.Context(), s, false); err != nil || !slices.Contains(removed, o.file) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if st, err := m.Status(t.Context(), s); err != nil || st.State != service.NotInstalled {
		t.Errorf("it is %+v, %v", st, err)
	}
}

func TestSocket_StartsService(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			address := freePort(t)
			i := echoService(t, inside(t, user), vars("LISTEN", "tcp "+address), func(s *manage.Spec) {
				s.StartType = service.OnSocket
				s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: address}}
			})
			i.install()
			if st := i.wantState(service.Stopped); st.Detail != "" || st.StartType != service.OnSocket {
				t.Errorf("it is %+v", st)
			}
			i.start()
			if st := i.wantState(service.Stopped); !strings.Contains(st.Detail, "listening") {
				t.Errorf("it is %+v", st)
			}
			first := dial(t, "tcp", address)
			if st := i.awaitState(service.Running); fmt.Sprint(st.PID) != first {
				t.Errorf("it is %+v, and %s has answered", st, first)
			}
			i.must(i.Restart(t.Context(), i.spec))
			if second := dial(t, "tcp", address); second == first {
				t.Error("it was not restarted")
			}
			i.stop()
			if st := i.wantState(service.Stopped); st.Detail != "" {
				t.Errorf("it is %+v", st)
			}
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Error("its socket still listens")
			}
			// Without the socket, it opens its own, and the units of the old one are removed.
			i.start()
			i.spec.StartType, i.spec.Sockets = service.Automatic, nil
			i.install()
			dir, _ := i.unitFolder()
			if _, err := os.Lstat(i.machine.Tree.Path(dir + "/" + i.spec.Name + "-http.socket")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the old socket: %v", err)
			}
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Error("its old socket still listens")
			}
			i.start()
			dial(t, "tcp", address)
		})
	}
}

func TestSocket_StartsWithService(t *testing.T) {
	t.Parallel()
	i := echoService(t, inside(t, false), vars("LISTEN", "unix /nowhere"))
	at := "/run/sock " + i.spec.Name + "/50%.sock"
	i.spec.Sockets = []service.Socket{{Name: "http", Network: "unix", Address: at}}
	i.install()
	i.start()
	if pid := dial(t, "unix", machine.Path(at)); pid != fmt.Sprint(i.wantState(service.Running).PID) {
		t.Errorf("%s has answered", pid)
	}
	i.stop()
	if _, err := os.Lstat(machine.Path(at)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket: %v", err)
	}
}

func TestTemplate_InstancesShareUnit(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			one := echoService(t, inside(t, user), func(s *manage.Spec) { s.Template, s.Instance = true, "a.b-c_d" })
			two := &installed{t, one.Manager, one.spec}
			two.spec.Instance = "9"
			one.install()
			if p := two.install(); !p.Installed {
				t.Error("the unit was there already")
			}
			one.start()
			two.start()
			for _, i := range []*installed{one, two} {
				said := i.report()
				if !slices.Contains(said.Environment, "SERVICE_INSTANCE="+i.spec.Instance) || !strings.HasSuffix(said.Paths.State, i.spec.Name+"/"+i.spec.Instance) {
					t.Errorf("%s has said %+v", i.spec.ServiceName(), said)
				}
			}
			removed, err := two.Remove(t.Context(), two.spec, true)
			if err != nil || slices.ContainsFunc(removed, func(f string) bool { return strings.HasSuffix(f, "@.service") }) {
				t.Errorf("removed %q, %v", removed, err)
			}
			one.wantState(service.Running)
			one.stop()
			if removed, err := one.Remove(t.Context(), one.spec, true); err != nil || !strings.HasSuffix(removed[0], "@.service") {
				t.Errorf("removed %q, %v", removed, err)
			}
		})
	}
}

func TestApply_UndoesWhatSystemdRefuses(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, user))
			wrong := i.spec
			wrong.Systemd.Service = []string{"ExecStart=/bin/true"} // two of them
			p, err := i.Plan(t.Context(), wrong, false)
			i.must(err)
			if err = i.Apply(t.Context(), p); err == nil {
				t.Error("systemd has taken two ExecStart")
			}
			t.Log(err)
			i.wantState(service.NotInstalled)

			i.install()
			i.start()
			before := i.wantState(service.Running)
			p, err = i.Plan(t.Context(), wrong, false)
			i.must(err)
			if err = i.Apply(t.Context(), p); err == nil {
				t.Error("systemd has taken two ExecStart")
			}
			if after := i.wantState(service.Running); after != before {
				t.Errorf("it is %+v, it was %+v", after, before)
			}
			if p, err := i.Plan(t.Context(), i.spec, false); err != nil || p.Changed() {
				t.Errorf("it was changed: %+v, %v", p, err)
			}
			if left, _ := filepath.Glob(i.machine.Tree.Path("/etc/systemd/system/." + i.spec.Name + "*")); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

func TestRemove_RestoresFoldersOfOthers(t *testing.T) {
	for _, account := range []string{"", "daemon"} {
		t.Run("account "+account, func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, false), func(s *manage.Spec) { s.Account = account })
			tree := i.machine.Tree
			look := func() (all string) {
				for _, above := range []string{"/var/lib/", "/var/cache/"} {
					dir := above + i.spec.Name
					out, err := machine.Run(t.Context(), "stat", "-c", "%n %F %a %U:%G", dir, dir+"/deep", dir+"/deep/precious")
					i.must(err)
					all += out.Stdout + out.Stderr
				}
				return all
			}
			for _, dir := range []string{"/var/lib/" + i.spec.Name, "/var/cache/" + i.spec.Name} {
				writeIn(t, dir+"/deep/precious", "theirs")
				out, err := machine.Run(t.Context(), "chown", "-R", "games:adm", dir)
				if err != nil || out.Code != 0 {
					t.Fatal(err, out)
				}
				i.must(os.Chmod(tree.Path(dir), 0o750|fs.ModeSetgid))
			}
			before := look()
			if _, err := i.Plan(t.Context(), i.spec, false); !errors.Is(err, service.ErrForeign) {
				t.Errorf("without force: %v", err)
			}
			p, err := i.Plan(t.Context(), i.spec, true)
			i.must(err)
			i.must(i.Apply(t.Context(), p))
			i.start()
			if during := look(); during == before {
				t.Errorf("systemd has changed nothing: %s", during)
			}
			_, err = i.Remove(t.Context(), i.spec, true)
			i.must(err)
			if after := look(); after != before {
				t.Errorf("there is\n%swas\n%s", after, before)
			}
			for _, left := range []string{"/var/lib/private/", "/var/cache/private/", "/var/log/", "/var/log/private/", "/etc/", "/etc/systemd/system/.glidepath/"} {
				if tree.Exists(left + i.spec.Name) {
					t.Errorf("%s is left", left+i.spec.Name)
				}
			}
		})
	}
}

func TestStatus_ReportsEachStartType(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, user))
			for _, s := range []service.StartType{service.Automatic, service.Delayed, service.Manual, service.Disabled, service.Delayed, service.Disabled, service.Automatic} {
				i.spec.StartType = s
				i.install()
				if st := i.wantState(service.Stopped); st.StartType != s {
					t.Errorf("it is %q, want %q", st.StartType, s)
				}
				if p, err := i.Plan(t.Context(), i.spec, false); err != nil || p.Changed() {
					t.Errorf("%s would be changed: %+v, %v", s, p, err)
				}
				if err := i.Start(t.Context(), i.spec); (err != nil) != (s == service.Disabled) {
					t.Errorf("start what is %s: %v", s, err)
				}
				i.stop()
			}
		})
	}
}

func TestProfiles_StartReloadAndStop(t *testing.T) {
	for _, user := range []bool{false, true} {
		for _, p := range []service.Profile{service.Strict, service.Network, service.Localhost, service.LowPorts, service.Lenient, service.Unconfined} {
			t.Run(fmt.Sprintf("%s, user %v", p, user), func(t *testing.T) {
				t.Parallel()
				address := "tcp 127.0.0.1:0"
				if p == service.LowPorts && !user {
					address = "tcp 127.0.0.1:81"
				}
				i := echoService(t, inside(t, user), profile(p), vars("LISTEN", address))
				i.wantState(service.NotInstalled)
				if p := i.install(); p.Installed || p.Replaces != "" {
					t.Errorf("the plan is %+v", p)
				}
				st := i.wantState(service.Stopped)
				if st.StartType != service.Automatic {
					t.Errorf("its start type is %q", st.StartType)
				}
				i.start()
				st = i.wantState(service.Running)
				if st.PID == 0 || time.Since(st.Since) > time.Minute || st.Restarts != 0 {
					t.Errorf("it is %+v", st)
				}
				i.must(i.Reload(t.Context(), i.spec))
				if n := i.report().Reloads; n != 1 {
					t.Errorf("%d reloads, want 1", n)
				}
				i.must(i.Restart(t.Context(), i.spec))
				if again := i.wantState(service.Running); again.PID == st.PID {
					t.Error("it was not restarted")
				}
				i.stop()
				i.wantState(service.Stopped)
				i.must(i.Restart(t.Context(), i.spec))
				i.wantState(service.Running)
				i.start() // does nothing
				if p, err := i.Plan(t.Context(), i.spec, false); err != nil || p.Changed() || !p.Installed {
					t.Errorf("what was installed would be changed: %+v, %v", p, err)
				}
				removed, err := i.Remove(t.Context(), i.spec, false)
				if err != nil || len(removed) == 0 {
					t.Errorf("removed %q, %v", removed, err)
				}
				i.wantState(service.NotInstalled)
				if _, err := i.Remove(t.Context(), i.spec, false); !errors.Is(err, service.ErrNotInstalled) {
					t.Errorf("remove it again: %v", err)
				}
				i.install() // so that the cleanup purges
			})
		}
	}
}

func TestRemove_PurgedFoldersAreGone(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, user))
			i.install()
			i.start()
			paths := i.report().Paths
			if _, err := i.Remove(t.Context(), i.spec, true); err != nil {
				t.Fatal(err)
			}
			for _, p := range []string{paths.State, paths.Cache, paths.Logs, paths.Runtime, paths.Configuration, "/var/lib/" + i.spec.Name, "/var/lib/private/" + i.spec.Name} {
				if _, err := os.Lstat(machine.Path(p)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: %v", p, err)
				}
			}
		})
	}
}
