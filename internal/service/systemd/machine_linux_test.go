package systemd

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// Some tests use a real systemd. The manager works on the root of the booted machine from
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
	// The service of kardianos/service is in its own module.
	if _, err := testbed.Go(ctx, "linux", "-C", filepath.Join("..", "..", "test", "interop"), "build", "-o", programs, "./oldservice"); err != nil {
		return 1, err
	}
	if machine, err = testbed.Boot(ctx, programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	// Outside, the test is root, and must not create the folders of tester.
	if _, err := machine.RunUser(ctx, "mkdir", "-p", "/home/tester/.config/systemd/user"); err != nil {
		return 1, err
	}
	if err := testbed.WaitTogether(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// inside returns the systemd of the booted machine, or of its user.
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
	m := New(manage.Machine{Tree: files.Tree(machine.Path("/")), Run: runner}, user)
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
	spec manage.Spec
}

// echoService returns a service of the program echo, with its own name. It is removed when
// the test ends.
func echoService(t *testing.T, m *Manager, changes ...func(*manage.Spec)) *installed {
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
			_ = m.Logs(ctx, s, manage.LogQuery{}, &log)
			t.Logf("the log of %s:\n%s", s.Name, log.String())
		}
		if _, err := m.Remove(ctx, s, true); err != nil && !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("remove %s: %v", s.Name, err)
		}
	})
	return i
}

func (i *installed) install() *manage.Plan {
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

func (i *installed) stop() { i.t.Helper(); i.must(i.Stop(i.t.Context(), i.spec)) }

// wantState fails the test unless the service is in a state.
func (i *installed) wantState(want service.State) service.Status {
	i.t.Helper()
	st, err := i.Status(i.t.Context(), i.spec)
	i.must(err)
	if st.State != want {
		i.t.Errorf("it is %+v, want it to be %s", st, want)
	}
	return st
}

// awaitState waits for a state that the service will reach. It may answer before systemd
// knows that it is ready.
func (i *installed) awaitState(want service.State) service.Status {
	i.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		st, err := i.Status(i.t.Context(), i.spec)
		i.must(err)
		if st.State == want {
			return st
		}
	}
	return i.wantState(want)
}

// reported is what the program echo writes about itself.
type reported struct {
	Args        []string
	Environment []string
	Directory   string
	Paths       struct{ State, Cache, Logs, Runtime, Configuration string }
	Written     map[string]string
	Read        map[string]string
	Reloads     int
}

// report returns what the program has written into its state directory.
func (i *installed) report() (said reported) {
	i.t.Helper()
	dir := "/var/lib/" + i.spec.Name
	if i.user {
		dir = "/home/tester/.local/state/" + i.spec.Name
	}
	if i.spec.Template {
		dir += "/" + i.spec.Instance
	}
	// The tree follows no link that leads out of it, as the one of a dynamic user seems to.
	out, err := i.machine.Runner()(i.t.Context(), "cat", dir+"/said.json")
	i.must(err)
	i.must(json.Unmarshal([]byte(out), &said))
	return said
}

// putProgram copies a program to a path inside the machine.
func putProgram(t *testing.T, program, at string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(programs, program))
	if err != nil {
		t.Fatal(err)
	}
	// Another service may be running the file that is there.
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

// vars sets variables of the service.
func vars(pairs ...string) func(*manage.Spec) {
	return func(s *manage.Spec) {
		if s.Environment == nil {
			s.Environment = map[string]string{}
		}
		for i := 0; i < len(pairs); i += 2 {
			s.Environment[pairs[i]] = pairs[i+1]
		}
	}
}

func writeIn(t *testing.T, at, text string) {
	t.Helper()
	file := machine.Path(at)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// old is a service that kardianos/service has installed.
type old struct{ name, file string }

func oldUnit(t *testing.T) old {
	t.Helper()
	testbed.Require(t)
	name := fmt.Sprintf("old%d", count.Add(1))
	program := "/usr/local/bin/" + name
	putProgram(t, "oldservice", program)
	out, err := machine.Run(t.Context(), program, name, "install")
	if err != nil || out.Code != 0 {
		t.Fatalf("%v: %+v", err, out)
	}
	return old{name, "/etc/systemd/system/" + name + ".service"}
}

// dial returns what the program writes to a connection.
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

// freePort returns an address of the host, whose network the machine shares.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
