package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// exposures are the units whose exposure is measured, with the most that each may have.
var exposures = []struct {
	name string
	most float64
}{
	{"strict-system-257", 1.2},
	{"network-system-257", 1.2},
	{"socket-system-257", 0.4},
	{"strict-system-252", 1.2},
	{"strict-system-249", 1.2},
	{"socket-system-252", 0.4},
	{"localhost-system-257", 1.0},
	{"low-ports-system-257", 1.5},
	{"template-257", 1.2},
	{"root", 1.5},
	{"below-home", 1.3},
	{"below-root", 1.3},
	{"lenient-system-257", 1.6},
	{"none-system-257", 10},
	{"strict-user-257", 10},
	{"lenient-user-257", 10},
	{"none-user-257", 10},
}

// goldenFolder is the golden units in the machine, with the programs that they name.
func goldenFolder(t *testing.T) string {
	t.Helper()
	testbed.Require(t)
	dir := fmt.Sprintf("/opt/goldens%d", count.Add(1))
	if err := os.CopyFS(machine.Path(dir), os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/usr/local/bin/web", "/home/me/go/bin/web", "/tmp/web", "/root/bin/web"} {
		put(t, "hello", p)
	}
	writeIn(t, dir+"/full-257/postgresql.service", "[Service]\nExecStart=/usr/local/bin/web\n")
	writeIn(t, dir+"/full-252/postgresql.service", "[Service]\nExecStart=/usr/local/bin/web\n")
	return dir
}

func writeIn(t *testing.T, at, text string) {
	t.Helper()
	file := machine.Path(at)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestSystemdHasNothingToSayAboutTheUnits(t *testing.T) {
	dir := goldenFolder(t)
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units, _, err := Render(g.spec, g.version, g.spec.Executable)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"SYSTEMD_UNIT_PATH=" + dir + "/" + name + ":", "systemd-analyze"}
			if g.spec.User {
				args = append(args, "--user")
			}
			args = append(args, "--man=no", "verify")
			for _, u := range units {
				args = append(args, dir+"/"+name+"/"+instanceOf(u.Name, g.spec))
			}
			enter := machine.Run
			if g.spec.User {
				enter = machine.RunUser
			}
			out, err := enter(t.Context(), "env", args...)
			if err != nil {
				t.Fatal(err)
			}
			if out.Code != 0 || out.Stdout+out.Stderr != "" {
				t.Errorf("code %d: %s%s", out.Code, out.Stdout, out.Stderr)
			}
		})
	}
}

func exposure(t *testing.T, user bool, file string) (score float64, rating string) {
	t.Helper()
	args := []string{"security", "--no-pager", "--offline=true", file}
	enter := machine.Run
	if user {
		enter, args = machine.RunUser, append([]string{"--user"}, args...)
	}
	out, err := enter(t.Context(), "systemd-analyze", args...)
	if err != nil {
		t.Fatal(err)
	}
	// → Overall exposure level for web.service: 1.1 OK 🙂
	_, last, _ := strings.Cut(out.Stdout, "Overall exposure level for ")
	_, last, _ = strings.Cut(last, ": ")
	if _, err := fmt.Sscanf(last, "%f %s", &score, &rating); err != nil {
		t.Fatalf("%v: %s%s", err, out.Stdout, out.Stderr)
	}
	return score, rating
}

func TestTheExposureOfAServiceIsBounded(t *testing.T) {
	dir := goldenFolder(t)
	all := goldens()
	for _, x := range exposures {
		g := all[x.name]
		score, rating := exposure(t, g.spec.User, fmt.Sprintf("%s/%s/%s", dir, x.name, instanceOf(serviceUnit(g.spec), g.spec)))
		t.Logf("%-24s %4.1f %s", x.name, score, rating)
		if score > x.most {
			t.Errorf("the exposure of %s is %.1f, want at most %.1f", x.name, score, x.most)
		}
	}
	old := oldUnit(t)
	score, rating := exposure(t, false, old.file)
	t.Logf("%-24s %4.1f %s", "kardianos/service v1.3.0", score, rating)
	out, err := machine.Run(t.Context(), "systemd-analyze", "security", "--no-pager", old.name)
	if err != nil {
		t.Fatal(err)
	}
	_, loaded, _ := strings.Cut(out.Stdout, "Overall exposure level for ")
	t.Logf("… as systemd has loaded it: %s", strings.TrimSpace(loaded))
}

// old is a service that kardianos/service has installed.
type old struct{ name, file string }

func oldUnit(t *testing.T) old {
	t.Helper()
	testbed.Require(t)
	name := fmt.Sprintf("old%d", count.Add(1))
	program := "/usr/local/bin/" + name
	put(t, "oldservice", program)
	out, err := machine.Run(t.Context(), program, name, "install")
	if err != nil || out.Code != 0 {
		t.Fatalf("%v: %+v", err, out)
	}
	return old{name, "/etc/systemd/system/" + name + ".service"}
}

func TestAServiceOfKardianosIsTakenOver(t *testing.T) {
	t.Parallel()
	o := oldUnit(t)
	i := echoes(t, inside(t, false))
	i.spec.Name = o.name
	if _, err := i.machine.Runner()(t.Context(), "systemctl", "start", o.name); err != nil {
		t.Fatal(err)
	}
	before := i.is(service.Running)
	p := i.install()
	if p.Replaces != "kardianos/service" || !p.Installed {
		t.Errorf("the plan is %+v", p)
	}
	if st := i.is(service.Running); st.PID != before.PID {
		t.Error("it has not run on")
	}
	i.must(i.Restart(t.Context(), i.spec))
	if st := i.is(service.Running); st.PID == before.PID || st.Start != service.Automatic {
		t.Errorf("it is %+v", st)
	}
	i.said()
}

func TestAServiceOfKardianosIsRemoved(t *testing.T) {
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

// dial reads what the program says to who connects.
func dial(t *testing.T, network, address string) string {
	t.Helper()
	d := net.Dialer{Timeout: 10 * time.Second}
	c, err := d.DialContext(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// freePort is one of the host's, whose network the machine has.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAServiceIsStartedByItsSocket(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			address := freePort(t)
			i := echoes(t, inside(t, user), vars("LISTEN", "tcp "+address), func(s *service.Spec) {
				s.Start = service.OnSocket
				s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: address}}
			})
			i.install()
			if st := i.is(service.Stopped); st.Detail != "" || st.Start != service.OnSocket {
				t.Errorf("it is %+v", st)
			}
			i.start()
			if st := i.is(service.Stopped); !strings.Contains(st.Detail, "listening") {
				t.Errorf("it is %+v", st)
			}
			first := dial(t, "tcp", address)
			if st := i.soon(service.Running); fmt.Sprint(st.PID) != first {
				t.Errorf("it is %+v, and %s has answered", st, first)
			}
			i.must(i.Restart(t.Context(), i.spec))
			if second := dial(t, "tcp", address); second == first {
				t.Error("it was not restarted")
			}
			i.stop()
			if st := i.is(service.Stopped); st.Detail != "" {
				t.Errorf("it is %+v", st)
			}
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Error("its socket still listens")
			}
			// Without the socket, it opens one of its own; what is left of the old one goes.
			i.start()
			i.spec.Start, i.spec.Sockets = service.Automatic, nil
			i.install()
			dir, _ := i.folder()
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

func TestAServiceThatListensByItsManagerStartsWithItsSockets(t *testing.T) {
	t.Parallel()
	i := echoes(t, inside(t, false), vars("LISTEN", "unix /nowhere"))
	at := "/run/sock " + i.spec.Name + "/50%.sock"
	i.spec.Sockets = []service.Socket{{Name: "http", Network: "unix", Address: at}}
	i.install()
	i.start()
	if pid := dial(t, "unix", machine.Path(at)); pid != fmt.Sprint(i.is(service.Running).PID) {
		t.Errorf("%s has answered", pid)
	}
	i.stop()
	if _, err := os.Lstat(machine.Path(at)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket: %v", err)
	}
}

func TestInstancesOfATemplateShareAUnit(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			one := echoes(t, inside(t, user), func(s *service.Spec) { s.Template, s.Instance = true, "a.b-c_d" })
			two := &installed{t, one.Manager, one.spec}
			two.spec.Instance = "9"
			one.install()
			if p := two.install(); !p.Installed {
				t.Error("the unit was there already")
			}
			one.start()
			two.start()
			for _, i := range []*installed{one, two} {
				said := i.said()
				if !slices.Contains(said.Environment, "SERVICE_INSTANCE="+i.spec.Instance) || !strings.HasSuffix(said.Paths.State, i.spec.Name+"/"+i.spec.Instance) {
					t.Errorf("%s has said %+v", i.spec.ServiceName(), said)
				}
			}
			removed, err := two.Remove(t.Context(), two.spec, true)
			if err != nil || slices.ContainsFunc(removed, func(f string) bool { return strings.HasSuffix(f, "@.service") }) {
				t.Errorf("removed %q, %v", removed, err)
			}
			one.is(service.Running)
			one.stop()
			if removed, err := one.Remove(t.Context(), one.spec, true); err != nil || !strings.HasSuffix(removed[0], "@.service") {
				t.Errorf("removed %q, %v", removed, err)
			}
		})
	}
}

func TestWhyAStartHasFailedIsSaidInOneLine(t *testing.T) {
	for _, user := range []bool{false, true} {
		for name, test := range map[string]struct {
			change func(*service.Spec)
			want   []string
		}{
			"its own error": {vars("FAIL", "no certificate"), []string{"exit code 1", "no certificate"}},
			"gone":          {func(s *service.Spec) { s.Directory = "/nonexistent" }, []string{"200/CHDIR"}},
			"never ready": {func(s *service.Spec) {
				s.Executable = "/bin/true"
			}, []string{"protocol", "before it was ready"}},
			"too slow": {func(s *service.Spec) {
				s.Executable, s.Args, s.StartTimeout, s.StopTimeout = "/bin/sleep", []string{"60"}, 0, 0
			}, []string{"timeout"}},
			"account": {func(s *service.Spec) { s.Account = "nobodyatall" }, []string{"217/USER"}},
			"path":    {func(s *service.Spec) { s.Hardening.WritablePaths = []string{"/nonexistent"} }, []string{"226/NAMESPACE"}},
		} {
			if user && (name == "account" || name == "path") {
				continue
			}
			t.Run(fmt.Sprintf("%s, user %v", name, user), func(t *testing.T) {
				t.Parallel()
				i := echoes(t, inside(t, user), test.change, func(s *service.Spec) { s.Recovery.Delays = []time.Duration{time.Minute} })
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
				st := i.is(service.Failed)
				t.Logf("%+v", st)
				for _, f := range i.Diagnose(t.Context(), i.spec) {
					t.Logf("%d %s: %s -> %s", f.Level, f.What, f.Detail, f.Remedy)
				}
				i.stop()
			})
		}
	}
}

func TestAReloadThatFailsInTheProgramIsAnError(t *testing.T) {
	t.Parallel()
	i := echoes(t, inside(t, false), vars("FAIL_RELOAD", "1"))
	i.install()
	if err := i.Reload(t.Context(), i.spec); !errors.Is(err, service.ErrNotRunning) {
		t.Errorf("before it runs: %v", err)
	}
	i.start()
	err := i.Reload(t.Context(), i.spec)
	if err == nil || !strings.Contains(err.Error(), "as asked by FAIL_RELOAD") {
		t.Errorf("got %v", err)
	}
	i.is(service.Running)
}

func TestWhatSystemdDoesNotTakeIsTakenBack(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, user))
			wrong := i.spec
			wrong.Systemd.Service = []string{"ExecStart=/bin/true"} // two of them
			p, err := i.Plan(t.Context(), wrong, false)
			i.must(err)
			if err = i.Apply(t.Context(), p); err == nil {
				t.Error("systemd has taken two ExecStart")
			}
			t.Log(err)
			i.is(service.NotInstalled)

			i.install()
			i.start()
			before := i.is(service.Running)
			p, err = i.Plan(t.Context(), wrong, false)
			i.must(err)
			if err = i.Apply(t.Context(), p); err == nil {
				t.Error("systemd has taken two ExecStart")
			}
			if after := i.is(service.Running); after != before {
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

func TestUninstallGivesBackTheFoldersOfSomebodyElse(t *testing.T) {
	for _, account := range []string{"", "daemon"} {
		t.Run("account "+account, func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, false), func(s *service.Spec) { s.Account = account })
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

func TestEachStartTypeIsFoundAgain(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, user))
			for _, s := range []service.Start{service.Automatic, service.Delayed, service.Manual, service.Disabled, service.Delayed, service.Disabled, service.Automatic} {
				i.spec.Start = s
				i.install()
				if st := i.is(service.Stopped); st.Start != s {
					t.Errorf("it is %q, want %q", st.Start, s)
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

func TestTheSandboxHoldsWithItsExceptions(t *testing.T) {
	t.Parallel()
	m := inside(t, false)
	for _, dir := range []string{"/srv/data dir", "/home/shared/up load", "/root/drop", "/srv/closed"} {
		if err := errors.Join(os.MkdirAll(machine.Path(dir), 0o777), os.Chmod(machine.Path(dir), 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	writeIn(t, "/etc/secret-é%key", "secret")
	i := echoes(t, m, vars("WRITE", "/srv/data dir:/home/shared/up load:/root/drop:/srv/closed:/home/tester:/tmp", "READ", "$CREDENTIALS_DIRECTORY/key"), func(s *service.Spec) {
		s.Hardening.WritablePaths = []string{"/srv/data dir", "/home/shared/up load", "/root/drop"}
		s.Systemd.Credentials = map[string]string{"key": "/etc/secret-é%key"}
		s.Limits = service.Limits{OpenFiles: 4096, Tasks: 100, Memory: 1 << 29, CPU: 0.5, LogRecords: 1234}
		s.FDStore = 3
	})
	i.install()
	i.start()
	said := i.said()
	for p, wrong := range said.Written {
		ok := slices.Contains(append(i.spec.Hardening.WritablePaths, "/tmp"), p)
		if (wrong == "<nil>") != ok {
			t.Errorf("written to %s: %s", p, wrong)
		}
	}
	if len(said.Written) != 6 || said.Read["$CREDENTIALS_DIRECTORY/key"] != "secret" {
		t.Errorf("it has said %+v", said)
	}
	got, err := machine.Show(t.Context(), i.spec.Name+".service", "LimitNOFILE", "LogRateLimitIntervalUSec", "LogRateLimitBurst", "TasksMax", "MemoryMax", "CPUQuotaPerSecUSec", "FileDescriptorStoreMax", "WatchdogUSec", "TimeoutStartUSec", "TimeoutStopUSec", "RestartSteps", "RestartMaxDelayUSec")
	i.must(err)
	for name, want := range map[string]string{
		"LimitNOFILE": "4096", "LogRateLimitIntervalUSec": "1s", "LogRateLimitBurst": "1234", "TasksMax": "100", "MemoryMax": "536870912", "CPUQuotaPerSecUSec": "500ms", "FileDescriptorStoreMax": "3", "WatchdogUSec": "30s",
		"TimeoutStartUSec": "1min 35s", "TimeoutStopUSec": "35s", "RestartSteps": "5", "RestartMaxDelayUSec": "1min",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// bits are the numbers of capabilities: linux/capability.h.
var bits = map[string]int{
	"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_SYS_MODULE": 16, "CAP_SYS_RAWIO": 17, "CAP_SYS_CHROOT": 18,
	"CAP_SYS_PTRACE": 19, "CAP_SYS_PACCT": 20, "CAP_SYS_ADMIN": 21, "CAP_SYS_BOOT": 22, "CAP_SYS_NICE": 23, "CAP_SYS_RESOURCE": 24,
	"CAP_SYS_TIME": 25, "CAP_SYS_TTY_CONFIG": 26, "CAP_MKNOD": 27, "CAP_SYSLOG": 34, "CAP_WAKE_ALARM": 35, "CAP_PERFMON": 38, "CAP_BPF": 39,
}

// capabilities are the set of one line of a /proc/PID/status.
func capabilities(t *testing.T, status, line string) uint64 {
	t.Helper()
	_, value, _ := strings.Cut(status, line+":\t")
	value, _, _ = strings.Cut(value, "\n")
	set, err := strconv.ParseUint(value, 16, 64)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return set
}

func TestAServiceHasTheCapabilitiesThatItAsksForAndNoOthers(t *testing.T) {
	testbed.Require(t)
	out, err := machine.Run(t.Context(), "cat", "/proc/1/status")
	if err != nil {
		t.Fatal(err)
	}
	there := capabilities(t, out.Stdout, "CapBnd") // the container has not all of them
	all := slices.Sorted(maps.Keys(reliefs()))
	for name, test := range map[string]struct {
		account string
		caps    []string
	}{
		"all":                  {"", all},
		"one":                  {"", []string{"CAP_CHOWN"}},
		"one, as root":         {"root", []string{"CAP_SETUID"}},
		"none, as root":        {"root", nil},
		"some, as a user":      {"tester", []string{"CAP_SYS_NICE", "CAP_SYS_CHROOT"}},
		"none, without rights": {"tester", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, false), vars("READ", "/proc/self/status"), func(s *service.Spec) {
				s.Account = test.account
				s.Hardening.Capabilities = test.caps
			})
			i.install()
			i.start()
			var want uint64
			for _, c := range test.caps {
				bit, ok := bits[c]
				if !ok {
					t.Fatalf("%s has no number here", c)
				}
				want |= there & (1 << bit)
			}
			if got := capabilities(t, i.said().Read["/proc/self/status"], "CapEff"); got != want {
				t.Errorf("it has %x, want %x", got, want)
			}
		})
	}
}

func TestLogsAreRead(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, user))
			i.install()
			i.start()
			i.stop()
			if _, err := machine.Run(t.Context(), "journalctl", "--sync"); err != nil {
				t.Fatal(err)
			}
			read := func(n int) string {
				var log strings.Builder
				i.must(i.Logs(t.Context(), i.spec, service.LogQuery{Lines: n}, &log))
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

func TestAUserWhoMayNotReadTheJournalIsTold(t *testing.T) {
	t.Parallel()
	i := echoes(t, inside(t, false))
	i.install()
	m := *i.Manager
	m.stream = inside(t, true).stream
	var log strings.Builder
	if err := m.Logs(t.Context(), i.spec, service.LogQuery{}, &log); !errors.Is(err, service.ErrPermission) {
		t.Errorf("got %v and %q", err, log.String())
	}
}

func TestAUserWithoutRightsIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	i := echoes(t, inside(t, false))
	i.install()
	m := *i.Manager
	m.machine.Run = inside(t, true).machine.Run // as tester, without --user
	if st, err := m.Status(t.Context(), i.spec); err != nil || st.State != service.Stopped {
		t.Errorf("the status is %+v, %v", st, err)
	}
	if p, err := m.Plan(t.Context(), i.spec, false); err != nil || p.Changed() {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	for name, do := range map[string]func(context.Context, service.Spec) error{"start": m.Start, "restart": m.Restart} {
		if err := do(t.Context(), i.spec); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "root") {
			t.Errorf("%s: %v", name, err)
		}
	}
	i.start()
	for name, do := range map[string]func(context.Context, service.Spec) error{"stop": m.Stop, "reload": m.Reload} {
		if err := do(t.Context(), i.spec); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "root") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.Remove(t.Context(), i.spec, false); !errors.Is(err, service.ErrPermission) {
		t.Errorf("remove: %v", err)
	}
	i.is(service.Running)
}

func TestHowLongAStatusTakes(t *testing.T) {
	i := echoes(t, inside(t, false))
	i.install()
	i.start()
	var times []time.Duration
	for range 20 {
		begun := time.Now()
		i.is(service.Running)
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	t.Logf("a status takes %s, the entering of the machine included", times[len(times)/2])
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	i := echoes(t, inside(t, false), func(s *service.Spec) {
		s.Executable, s.Args = "/bin/sleep", []string{"60"}
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
	i.is(service.Starting)
	i.stop()
}

func TestHundredsOfRandomValuesArrive(t *testing.T) {
	m := inside(t, false)
	r := rand.New(rand.NewPCG(3, 4))
	value := func() string {
		for {
			if v := text0(r, ""); web(func(s *service.Spec) { s.Args = []string{v} }).Check() == nil {
				return v
			}
		}
	}
	var described []*installed
	for range 4 {
		i := echoes(t, m, func(s *service.Spec) {
			s.Environment = map[string]string{}
			for n := range 100 {
				s.Args = append(s.Args, value())
				s.Environment[fmt.Sprintf("V%d", n)] = value()
			}
		})
		i.install()
		i.start()
		said := i.said()
		if want := append([]string{i.spec.Executable}, i.spec.Args...); !slices.Equal(said.Args, want) {
			t.Errorf("the arguments are\n%q, want\n%q", said.Args, want)
		}
		for name, want := range i.spec.Environment {
			if !slices.Contains(said.Environment, name+"="+want) {
				t.Errorf("%s=%q has not arrived", name, want)
			}
		}
		i.stop()
	}
	dir := "/run/systemd/system"
	for n := range 200 {
		i := &installed{t, m, web(func(s *service.Spec) {
			s.Name = fmt.Sprintf("described%d", n)
			s.Description = value()
			s.Directory = "/" + strings.Trim(value(), " \t/")
			s.Sockets = []service.Socket{{Name: "k", Network: "unix", Address: "/run/" + strings.TrimSpace(strings.ReplaceAll(value(), "/", ""))}}
		})}
		if i.spec.Check() != nil {
			continue
		}
		units, _, err := Render(i.spec, 257, i.spec.Executable)
		if err != nil {
			continue
		}
		for _, u := range units {
			writeIn(t, dir+"/"+u.Name, u.Text)
		}
		described = append(described, i)
	}
	i := echoes(t, m) // something to have systemd read all that
	i.install()
	for _, i := range described {
		serv, err := machine.Show(t.Context(), i.spec.Name+".service", "Description", "WorkingDirectory", "LoadState")
		i.must(err)
		if want := strings.Trim(i.spec.Description, " \t"); serv["Description"] != want && want != "" {
			t.Errorf("the description is %q, want %q", serv["Description"], want)
		}
		if serv["WorkingDirectory"] != i.spec.Directory || serv["LoadState"] != "loaded" {
			t.Errorf("the working directory is %q, want %q; the unit is %s", serv["WorkingDirectory"], i.spec.Directory, serv["LoadState"])
		}
		sock, err := machine.Show(t.Context(), i.spec.Name+"-k.socket", "Listen", "Triggers")
		i.must(err)
		listen, err := strconv.Unquote(`"` + strings.ReplaceAll(sock["Listen"], `\'`, "'") + `"`) // systemctl has escaped it, as C does
		i.must(err)
		if want := i.spec.Sockets[0].Address + " (Stream)"; listen != want || sock["Triggers"] != i.spec.Name+".service" {
			t.Errorf("the socket is %q, want %q; it starts %s", listen, want, sock["Triggers"])
		}
		for _, u := range []string{serviceUnit(i.spec), socketUnit(i.spec, i.spec.Sockets[0])} {
			if err := os.Remove(machine.Path(dir + "/" + u)); err != nil {
				t.Error(err)
			}
		}
	}
	if len(described) < 100 {
		t.Errorf("only %d were tried", len(described))
	}
}

func TestACrashIsAlsoAPanic(t *testing.T) {
	for variable, restarted := range map[string]bool{"PANIC": true, "FAIL": false} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, false), vars(variable, "as asked"), func(s *service.Spec) {
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
