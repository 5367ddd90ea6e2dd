package systemd

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// The tests on a real systemd. The manager works on the root of the booted machine from
// outside, and runs its tools inside.

var (
	machine  *testbed.Machine // nil unless testbed.Enabled
	programs string           // the folder of the built programs, inside and outside
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if !testbed.Enabled() {
		return m.Run(), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	programs, err = testbed.Build(ctx, "linux", "github.com/go-glidepath/glidepath/internal/test/e2e/systemd/echo", "github.com/go-glidepath/glidepath/examples/hello")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	// A service of kardianos/service, from a module of its own.
	if _, err := testbed.Go(ctx, "linux", "-C", filepath.Join("..", "..", "interop"), "build", "-o", programs, "./oldservice"); err != nil {
		return 1, err
	}
	if machine, err = testbed.Boot(ctx, programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	// Who writes from outside is root, and may not make the folders of tester.
	if _, err := machine.RunUser(ctx, "mkdir", "-p", "/home/tester/.config/systemd/user"); err != nil {
		return 1, err
	}
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// inside is the systemd of the booted machine, or of its user.
func inside(t *testing.T, user bool) *Manager {
	testbed.Require(t)
	enter := machine.Run
	if user {
		enter = machine.RunUser
	}
	runner := func(ctx context.Context, name string, args ...string) (string, error) {
		out, err := enter(ctx, name, args...)
		if err == nil && out.Code != 0 {
			err = &command.Error{Line: strings.Join(append([]string{name}, args...), " "), Code: out.Code, Stdout: out.Stdout, Stderr: out.Stderr}
		}
		return out.Stdout, err
	}
	m := New(service.Machine{Tree: files.Tree(machine.Path("/")), Run: runner}, user)
	m.safe = func(string, bool) error { return nil } // the programs are where the test has put them
	m.home = func() (string, error) { return "/home/tester", nil }
	m.uid = func() int { return 1000 }
	m.links = func(file string) (string, error) {
		root := machine.Path("/")
		out, err := runner(t.Context(), "readlink", "-e", "--", strings.TrimPrefix(file, root))
		return root + strings.TrimSuffix(out, "\n"), err
	}
	m.getenv = func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000"}[name] }
	m.stream = func(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
		out, err := enter(ctx, name, args...)
		_, _ = io.WriteString(stdout, out.Stdout)
		_, _ = io.WriteString(stderr, out.Stderr)
		if err == nil && out.Code != 0 {
			err = &command.Error{Line: name, Code: out.Code}
		}
		return err
	}
	return m
}

var count atomic.Int32

// installed is a service of one test in the machine.
type installed struct {
	t *testing.T
	*Manager
	spec service.Spec
}

// echoes is a service of the program echo, with a name of its own. It is removed when
// the test ends.
func echoes(t *testing.T, m *Manager, changes ...func(*service.Spec)) *installed {
	t.Helper()
	s := web(changes...)
	s.User = m.user
	s.Name = fmt.Sprintf("echo%d", count.Add(1))
	if s.Executable == web().Executable {
		s.Executable = filepath.Join(programs, "echo")
	}
	i := &installed{t, m, s}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			var log strings.Builder
			_ = m.Logs(ctx, s, service.LogQuery{}, &log)
			t.Logf("the log of %s:\n%s", s.Name, log.String())
		}
		if _, err := m.Remove(ctx, s, true); err != nil && !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("remove %s: %v", s.Name, err)
		}
	})
	return i
}

func (i *installed) install() *service.Plan {
	i.t.Helper()
	if err := i.spec.Check(); err != nil {
		i.t.Fatal(err)
	}
	p, err := i.Plan(i.t.Context(), i.spec, false)
	if err != nil {
		i.t.Fatal(err)
	}
	i.must(i.Apply(i.t.Context(), p))
	return p
}

func (i *installed) must(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

func (i *installed) start() { i.t.Helper(); i.must(i.Start(i.t.Context(), i.spec)) }
func (i *installed) stop()  { i.t.Helper(); i.must(i.Stop(i.t.Context(), i.spec)) }

// is makes sure of a state.
func (i *installed) is(want service.State) service.Status {
	i.t.Helper()
	st, err := i.Status(i.t.Context(), i.spec)
	i.must(err)
	if st.State != want {
		i.t.Errorf("it is %+v, want it to be %s", st, want)
	}
	return st
}

// soon waits for a state that the service is on its way to: it may answer before systemd
// has heard that it is ready.
func (i *installed) soon(want service.State) service.Status {
	i.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		st, err := i.Status(i.t.Context(), i.spec)
		i.must(err)
		if st.State == want {
			return st
		}
	}
	return i.is(want)
}

// said is what the program has written into its state directory.
func (i *installed) said() (said struct {
	Args        []string
	Environment []string
	Directory   string
	Paths       struct{ State, Cache, Logs, Runtime, Configuration string }
	Written     map[string]string
	Read        map[string]string
	Reloads     int
},
) {
	i.t.Helper()
	dir := "/var/lib/" + i.spec.Name
	if i.user {
		dir = "/home/tester/.local/state/" + i.spec.Name
	}
	if i.spec.Template {
		dir += "/" + i.spec.Instance
	}
	// The tree follows no link that leads out of it, as that of a dynamic user seems to.
	out, err := i.machine.Runner()(i.t.Context(), "cat", dir+"/said.json")
	i.must(err)
	i.must(json.Unmarshal([]byte(out), &said))
	return said
}

// put copies a program to a place inside the machine.
func put(t *testing.T, program, at string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(programs, program))
	if err != nil {
		t.Fatal(err)
	}
	// Another service may run what is there.
	file := machine.Path(at)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), "put")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Chmod(0o755), f.Close(), os.Rename(f.Name(), file)); err != nil {
		t.Fatal(err)
	}
}

// vars gives the service variables.
func vars(pairs ...string) func(*service.Spec) {
	return func(s *service.Spec) {
		if s.Environment == nil {
			s.Environment = map[string]string{}
		}
		for i := 0; i < len(pairs); i += 2 {
			s.Environment[pairs[i]] = pairs[i+1]
		}
	}
}

func TestEachProfileStartsReloadsAndStops(t *testing.T) {
	for _, user := range []bool{false, true} {
		for _, p := range []service.Profile{service.Strict, service.Network, service.Localhost, service.LowPorts, service.Lenient, service.None} {
			t.Run(fmt.Sprintf("%s, user %v", p, user), func(t *testing.T) {
				t.Parallel()
				address := "tcp 127.0.0.1:0"
				if p == service.LowPorts && !user {
					address = "tcp 127.0.0.1:81"
				}
				i := echoes(t, inside(t, user), profile(p), vars("LISTEN", address))
				i.is(service.NotInstalled)
				if p := i.install(); p.Installed || p.Replaces != "" {
					t.Errorf("the plan is %+v", p)
				}
				st := i.is(service.Stopped)
				if st.Start != service.Automatic {
					t.Errorf("its start type is %q", st.Start)
				}
				i.start()
				st = i.is(service.Running)
				if st.PID == 0 || time.Since(st.Since) > time.Minute || st.Restarts != 0 {
					t.Errorf("it is %+v", st)
				}
				i.must(i.Reload(t.Context(), i.spec))
				if n := i.said().Reloads; n != 1 {
					t.Errorf("%d reloads, want 1", n)
				}
				i.must(i.Restart(t.Context(), i.spec))
				if again := i.is(service.Running); again.PID == st.PID {
					t.Error("it was not restarted")
				}
				i.stop()
				i.is(service.Stopped)
				i.must(i.Restart(t.Context(), i.spec))
				i.is(service.Running)
				i.start() // does nothing
				if p, err := i.Plan(t.Context(), i.spec, false); err != nil || p.Changed() || !p.Installed {
					t.Errorf("what was installed would be changed: %+v, %v", p, err)
				}
				removed, err := i.Remove(t.Context(), i.spec, false)
				if err != nil || len(removed) == 0 {
					t.Errorf("removed %q, %v", removed, err)
				}
				i.is(service.NotInstalled)
				if _, err := i.Remove(t.Context(), i.spec, false); !errors.Is(err, service.ErrNotInstalled) {
					t.Errorf("remove it again: %v", err)
				}
				i.install() // so that the cleanup purges
			})
		}
	}
}

func TestWhatIsPurgedIsGone(t *testing.T) {
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user %v", user), func(t *testing.T) {
			t.Parallel()
			i := echoes(t, inside(t, user))
			i.install()
			i.start()
			paths := i.said().Paths
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

func TestArgumentsAndEnvironmentArriveUnchanged(t *testing.T) {
	args := []string{
		"a b", `c"d`, "e'f", "g%h", "i$j", `k\l`, "m\tn", "", ";", "{}", "é", "#x", "${HOME}", "$HOME", `\x41`, "-x", "=y", "* ? ~", `\`, `"`, "'", "%", "$", "$$",
		"%%", `\\`, `a\`, " leading", "trailing ", "@a", "+b", "!c", ":d", "|e", "\u00a0", "日本", "a;b", "(c)", "<d>", "&e", "`f`",
	}
	environment := map[string]string{}
	for n, a := range args {
		environment[fmt.Sprintf("V%d", n)] = a
	}
	for _, executable := range []string{
		"", "/opt/plain/echo", "/opt/we ird/é%n;#{}@!*?.bin", "/opt/we ird/a$HOME/x", `/opt/q"uo'te\x/echo`, `/opt/q"uo'te\x/$HOME %h`,
		"/home/tester/my bin/echo", "/root/$bin/echo", "/tmp/my tmp/echo", "/var/tmp/echo 1",
	} {
		for _, user := range []bool{false, true} {
			if user && strings.HasPrefix(executable, "/root") {
				continue
			}
			t.Run(fmt.Sprintf("%q, user %v", executable, user), func(t *testing.T) {
				t.Parallel()
				m := inside(t, user)
				if executable != "" {
					put(t, "echo", executable)
				}
				i := echoes(t, m, func(s *service.Spec) { s.Args, s.Environment = args, environment })
				if executable != "" {
					i.spec.Executable = executable
				}
				i.install()
				i.start()
				said := i.said()
				want := append([]string{i.spec.Executable}, args...)
				if fmt.Sprintf("%q", said.Args) != fmt.Sprintf("%q", want) {
					t.Errorf("the arguments are\n%q, want\n%q", said.Args, want)
				}
				got := map[string]string{}
				for _, e := range said.Environment {
					name, value, _ := strings.Cut(e, "=")
					got[name] = value
				}
				for name, value := range environment {
					if got[name] != value {
						t.Errorf("%s is %q, want %q", name, got[name], value)
					}
				}
			})
		}
	}
}
