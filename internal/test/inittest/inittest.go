//go:build linux

// Package inittest is what a service goes through on a real machine with an init that
// has scripts, for the tests of their managers.
package inittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// Nasty is what no shell may see as anything but letters.
const Nasty = "a  b * 'q' \"d\" $HOME ${x} $(id) `id` \\ \\\\ %s %% ; & | < > # ~ ! ä"

// Bed is a machine, and the programs that its services run. Run sets all but Boot.
type Bed struct {
	Boot     func(ctx context.Context, binds ...string) (*testbed.Machine, error)
	Machine  *testbed.Machine
	Programs string
}

// Service is the machine as a manager sees it that runs on it.
func (b Bed) Service() manage.Machine {
	return manage.Machine{
		Tree: files.Tree(b.Machine.Path("/")),
		Run: func(ctx context.Context, name string, args ...string) (string, error) {
			out, err := b.Machine.Run(ctx, name, args...)
			if err == nil && out.Code != 0 {
				err = &command.Error{Line: strings.Join(append([]string{name}, args...), " "), Code: out.Code, Stdout: out.Stdout, Stderr: out.Stderr}
			}
			return out.Stdout, err
		},
	}
}

// Executable puts a program to where its path has spaces and letters of other alphabets.
func (b Bed) Executable(t *testing.T, program string) string {
	t.Helper()
	file := "/opt/dür chen ☃/" + program
	if _, err := os.Stat(b.Machine.Path(file)); err != nil {
		b.put(t, program, file)
	}
	return file
}

func (b Bed) put(t *testing.T, program, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Programs, program))
	if err != nil {
		t.Fatal(err)
	}
	file = b.Machine.Path(file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, text, 0o755)); err != nil {
		t.Fatal(err)
	}
}

// Spec is a service of the probe.
func (b Bed) Spec(t *testing.T, name string, args ...string) manage.Spec {
	t.Helper()
	s := manage.Spec{
		Config: service.Config{
			Executable:   b.Executable(t, "probe"),
			Arguments:    append([]string{"-stop-timeout=10s"}, args...),
			Environment:  map[string]string{"GREETING": Nasty, "retry": "1", "PATH": "/bin:/usr/bin:/x y", "LOG_TARGET": "json"},
			StartType:    service.Automatic,
			Dependencies: []string{"network"},
			Recovery:     service.Recovery{Delays: []time.Duration{time.Second}, ResetPeriod: time.Minute},
			Hardening:    service.Hardening{Profile: service.Strict},
		},
		Name:        name,
		DisplayName: "The " + name + " \"Service\" $HOME",
		Description: "Tests `id` 'it'",
		StopTimeout: 10 * time.Second,
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Install plans and applies, and fails if the plan is not one that changes something.
func Install(t *testing.T, m manage.Manager, s manage.Spec) *manage.Plan {
	t.Helper()
	p, err := m.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Changed() {
		t.Errorf("the plan of %s changes nothing", s.Name)
	}
	if err := m.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	again, err := m.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if again.Changed() || !again.Installed || len(again.Calls) > 0 {
		t.Errorf("installed, the plan is still %+v", again)
	}
	return p
}

// Expect asserts the state of a service.
func Expect(t *testing.T, m manage.Manager, s manage.Spec, want service.State) service.Status {
	t.Helper()
	got, err := m.Status(t.Context(), s)
	if err != nil || got.State != want {
		t.Errorf("%s is %+v, %v; want it %s", s.Name, got, err, want)
	}
	if running := want == service.Running; running != (got.PID != 0) || running != !got.Since.IsZero() {
		t.Errorf("%s is %+v", s.Name, got)
	}
	return got
}

// Until waits for a state.
func Until(t *testing.T, m manage.Manager, s manage.Spec, is func(service.Status) bool) service.Status {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got, err := m.Status(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if is(got) {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s stays %+v", s.Name, got)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Life is a whole one, twice.
func (b Bed) Life(t *testing.T, m manage.Manager) {
	notes := "/var/lib/life/notes " + strings.NewReplacer("/", "", "\x00", "").Replace(Nasty)
	s := b.Spec(t, "life", "-notes="+notes, "-reload=ok")
	book := testbed.NewNotebook(t, b.Machine.Path(notes))
	begin := b.snapshot(t)
	for range 2 {
		Expect(t, m, s, service.NotInstalled)
		Install(t, m, s)
		st := Expect(t, m, s, service.Stopped)
		if st.StartType != service.Automatic {
			t.Errorf("its start is %q", st.StartType)
		}
		b.start(t, m, s)
		st = Expect(t, m, s, service.Running)
		if since := time.Since(st.Since); since < 0 || since > 10*time.Second {
			t.Errorf("it runs since %s", st.Since)
		}
		b.looks(t, s, st.PID)
		book.Await("started")
		if err := m.Start(t.Context(), s); err != nil {
			t.Errorf("start again: %v", err)
		}
		if same := Expect(t, m, s, service.Running); same.PID != st.PID {
			t.Errorf("a start of what runs has made process %d of %d", same.PID, st.PID)
		}

		if err := m.Reload(t.Context(), s); err != nil {
			t.Error(err)
		}
		book.Await("reloaded")
		if same := Expect(t, m, s, service.Running); same.PID != st.PID {
			t.Errorf("a reload has made process %d of %d", same.PID, st.PID)
		}

		if err := m.Restart(t.Context(), s); err != nil {
			t.Error(err)
		}
		other := Expect(t, m, s, service.Running)
		if other.PID == st.PID {
			t.Error("a restart has kept the process")
		}
		if n := book.Count("stopped"); n != 1 {
			t.Errorf("it has stopped %d times", n)
		}

		s2 := s
		s2.Arguments = append(slices.Clone(s.Arguments), "-able")
		Install(t, m, s2)
		if same := Expect(t, m, s, service.Running); same.PID != other.PID {
			t.Error("an update has restarted the service")
		}
		if err := m.Restart(t.Context(), s2); err != nil {
			t.Error(err)
		}
		b.looks(t, s2, Expect(t, m, s2, service.Running).PID)

		if err := m.Stop(t.Context(), s); err != nil {
			t.Error(err)
		}
		Expect(t, m, s, service.Stopped)
		if n := book.Count("stopped"); n != 3 {
			t.Errorf("it has stopped %d times", n)
		}
		if err := m.Stop(t.Context(), s); err != nil {
			t.Errorf("stop again: %v", err)
		}
		if err := m.Reload(t.Context(), s); !errors.Is(err, service.ErrNotRunning) {
			t.Errorf("reload of what does not run: %v", err)
		}
		var log bytes.Buffer
		if err := m.Logs(t.Context(), s, manage.LogQuery{LogOptions: service.LogOptions{Lines: 1}}, &log); err != nil || !strings.Contains(log.String(), "stopped") {
			t.Errorf("the last line of its log is %q, %v", log.String(), err)
		}

		b.start(t, m, s)
		pid := Expect(t, m, s, service.Running).PID
		removed, err := m.Remove(t.Context(), s, true)
		if err != nil {
			t.Error(err)
		}
		t.Logf("removed %q", removed)
		Expect(t, m, s, service.NotInstalled)
		if _, alive := script.Look(b.Service().Tree, pid); alive {
			t.Error("it was removed and still runs")
		}
		if _, err := m.Remove(t.Context(), s, true); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("remove again: %v", err)
		}
		if end := b.snapshot(t); !maps.Equal(begin, end) {
			for p := range end {
				if _, ok := begin[p]; !ok {
					t.Errorf("there is left %s", p)
				}
			}
			for p := range begin {
				if _, ok := end[p]; !ok {
					t.Errorf("there is gone %s", p)
				}
			}
		}
	}
}

func (b Bed) start(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	if err := m.Start(t.Context(), s); err != nil {
		log, err2 := os.ReadFile(b.Machine.Path(script.InitD(s).Log))
		t.Fatalf("%v; its log, %v: %s", err, err2, log)
	}
}

// looks asserts what a process of the service is like.
func (b Bed) looks(t *testing.T, s manage.Spec, pid int) {
	t.Helper()
	proc := b.Machine.Path("/proc/" + strconv.Itoa(pid))
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got, want := read("cmdline"), strings.Join(append([]string{s.Executable}, s.Arguments...), "\x00")+"\x00"; got != want {
		t.Errorf("its command line is\n%q, want\n%q", got, want)
	}
	got := strings.Split(read("environ"), "\x00")
	l := script.InitD(s)
	want := maps.Clone(s.Environment)
	for _, v := range l.Dirs.Vars() {
		want[v.Name] = v.Dir
	}
	for name, value := range want {
		if !slices.Contains(got, name+"="+value) {
			t.Errorf("there is no %s=%s in its environment %q", name, value, got)
		}
	}
	if dir, _ := os.Readlink(filepath.Join(proc, "cwd")); dir != l.Dirs.State {
		t.Errorf("its directory is %q", dir)
	}
	a, exists, err := account.Find(t.Context(), b.Service(), account.Name(s.ServiceName()))
	if err != nil || !exists || a.UID == 0 || !a.Own(s.ServiceName()) {
		t.Fatalf("the account is %+v, %t, %v", a, exists, err)
	}
	status := read("status")
	for _, line := range []string{
		fmt.Sprintf("Uid:\t%d\t%d\t%d\t%d", a.UID, a.UID, a.UID, a.UID),
		fmt.Sprintf("Gid:\t%d\t%d\t%d\t%d", a.GID, a.GID, a.GID, a.GID),
		fmt.Sprintf("Groups:\t%d ", a.GID), "Umask:\t0077",
		"CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000",
	} {
		if !strings.Contains(status, "\n"+line) {
			t.Errorf("it has no %q in %s", line, status)
		}
	}
	for p, mode := range map[string]os.FileMode{
		l.Dirs.State: 0o700, l.Dirs.Cache: 0o700, l.Dirs.Logs: 0o700, l.Dirs.Runtime: 0o700, l.Dirs.Configuration: 0o750, l.Log: 0o600,
	} {
		uid := a.UID
		if p == l.Dirs.Configuration {
			uid = 0
		}
		info, err := os.Stat(b.Machine.Path(p))
		if err != nil {
			t.Error(err)
			continue
		}
		st, _ := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != mode || int(st.Uid) != uid || int(st.Gid) != a.GID {
			t.Errorf("%s has mode %v, user %d and group %d; want %v, %d and %d", p, info.Mode(), st.Uid, st.Gid, mode, uid, a.GID)
		}
	}
}

// snapshot is what there is where installations leave things.
func (b Bed) snapshot(t *testing.T) map[string]string {
	t.Helper()
	// The numbers of links are insserv's, which renumbers all services.
	out, err := b.Machine.Run(t.Context(), "sh", "-c", `
find /etc /var/lib /var/log /var/cache /usr/local -xdev -not -path '/etc/*-' -not -path '*/deptree*' -not -path '/etc/.pwd.lock' | sed 's,\(/rc[0-6S]\.d/.\)[0-9]*,\1,'
find /run -xdev -maxdepth 1
grep -h . /etc/passwd /etc/group`)
	if err != nil || out.Code != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	all := map[string]string{}
	for line := range strings.Lines(out.Stdout) {
		all[strings.TrimSpace(line)] = ""
	}
	return all
}

// Stubborn has a stop that takes longer than it may: the process is killed.
func (b Bed) Stubborn(t *testing.T, m manage.Manager) {
	t.Parallel()
	// The program itself would give up after its own budget: it is frozen.
	s := b.Spec(t, "stubborn")
	s.StopTimeout = time.Second
	Install(t, m, s)
	b.start(t, m, s)
	pid := Expect(t, m, s, service.Running).PID
	if out, err := b.Machine.Run(t.Context(), "sh", "-c", "kill -STOP "+strconv.Itoa(pid)); err != nil || out.Code != 0 {
		t.Fatal(out, err)
	}
	begin := time.Now()
	if err := m.Stop(t.Context(), s); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took < 5*time.Second || took > 12*time.Second {
		t.Errorf("it was killed after %v, want 6s", took)
	}
	if _, alive := script.Look(b.Service().Tree, pid); alive {
		t.Error("it still runs")
	}
	if st := Expect(t, m, s, service.Stopped); st.PID != 0 {
		t.Error(st)
	}
	b.remove(t, m, s)
}

func (b Bed) remove(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	if _, err := m.Remove(t.Context(), s, true); err != nil {
		t.Error(err)
	}
}

// Failing cannot start.
func (b Bed) Failing(t *testing.T, m manage.Manager) {
	t.Parallel()
	s := b.Spec(t, "failing", "-start-fail")
	s.Recovery = service.Recovery{Never: true}
	Install(t, m, s)
	err := m.Start(t.Context(), s)
	if err == nil {
		t.Error("a service that cannot start has started")
	}
	t.Logf("start says: %v", err)
	if st := Until(t, m, s, func(st service.Status) bool { return st.PID == 0 }); st.State != service.Failed && st.State != service.Stopped {
		t.Errorf("it is %+v", st)
	}
	b.remove(t, m, s)
}

// Twins are two services of one executable, one an instance of a template.
func (b Bed) Twins(t *testing.T, m manage.Manager) {
	t.Parallel()
	one, two := b.Spec(t, "twin"), b.Spec(t, "twin")
	two.Template, two.Instance = true, "second"
	Install(t, m, one)
	Install(t, m, two)
	b.start(t, m, one)
	b.start(t, m, two)
	first, second := Expect(t, m, one, service.Running).PID, Expect(t, m, two, service.Running).PID
	if first == second {
		t.Errorf("both are process %d", first)
	}
	environ, _ := os.ReadFile(b.Machine.Path(fmt.Sprintf("/proc/%d/environ", second)))
	if !strings.Contains(string(environ), "\x00SERVICE_INSTANCE=second\x00") {
		t.Errorf("the instance has the environment %q", environ)
	}
	b.remove(t, m, one)
	if same := Expect(t, m, two, service.Running).PID; same != second {
		t.Error("the end of one has ended the other")
	}
	b.remove(t, m, two)
}

// Old is a service that kardianos/service has installed and started: it is taken over,
// and nothing of it is left.
func (b Bed) Old(t *testing.T, m manage.Manager) {
	begin := b.snapshot(t)
	const old = "/opt/oldservice" // it could not start one in a folder with spaces
	b.put(t, "oldservice", old)
	b.sh(t, "'"+old+"' old install && '"+old+"' old start")
	s := b.Spec(t, "old")
	s.Executable, s.Arguments = old, []string{"old"}
	if st, err := m.Status(t.Context(), s); err != nil || st.State == service.NotInstalled {
		t.Errorf("before, it is %+v, %v", st, err)
	}
	p := Install(t, m, s)
	if p.Replaces != "kardianos/service" || !p.Installed {
		t.Errorf("the plan is %+v", p)
	}
	if err := m.Restart(t.Context(), s); err != nil {
		t.Error(err)
	}
	b.looks(t, s, Expect(t, m, s, service.Running).PID)
	if out := b.sh(t, `n=0; for p in /proc/[0-9]*/exe; do [ "$(readlink $p)" != '`+old+`' ] || n=$((n+1)); done; echo $n`); out != "1\n" {
		t.Errorf("there are %q processes of it", out)
	}
	b.remove(t, m, s)
	end := b.snapshot(t)
	for p := range end {
		// Its logs are named after the executable, and nobody's.
		if _, ok := begin[p]; !ok && !strings.HasPrefix(p, "/var/log/old") {
			t.Errorf("there is left %s", p)
		}
	}
}

// sh runs a command line in the machine, and returns what it prints.
func (b Bed) sh(t *testing.T, line string) string {
	t.Helper()
	out, err := b.Machine.Run(t.Context(), "sh", "-c", line)
	if err != nil || out.Code != 0 {
		t.Fatalf("%s: %+v, %v", line, out, err)
	}
	return out.Stdout
}

// Crash kills the process of a service, and returns it and its number.
func (b Bed) Crash(t *testing.T, m manage.Manager, s manage.Spec) (pid int) {
	t.Helper()
	b.start(t, m, s)
	pid = Expect(t, m, s, service.Running).PID
	b.sh(t, "kill -KILL "+strconv.Itoa(pid))
	return pid
}

// Ports is a service that has the right to low ports, and a limit.
func (b Bed) Ports(t *testing.T, m manage.Manager) {
	t.Parallel()
	s := b.Spec(t, "ports")
	s.Hardening.Profile = service.LowPorts
	s.Limits.OpenFiles = 4321
	Install(t, m, s)
	b.start(t, m, s)
	pid := Expect(t, m, s, service.Running).PID
	status := b.sh(t, fmt.Sprintf("cat /proc/%d/status /proc/%d/limits", pid, pid))
	for _, line := range []string{"CapAmb:\t0000000000000400", "CapEff:\t0000000000000400", "NoNewPrivs:\t1"} {
		if !strings.Contains(status, "\n"+line+"\n") {
			t.Errorf("it has no %q in %s", line, status)
		}
	}
	// Go raises the soft limit to the hard one.
	if !strings.Contains(strings.Join(strings.Fields(status), " "), "Max open files 4321 4321 files") {
		t.Errorf("its limits are %s", status)
	}
	b.remove(t, m, s)
}

// Types are the start types that start nothing.
func (b Bed) Types(t *testing.T, m manage.Manager) {
	s := b.Spec(t, "typed")
	for _, start := range []service.StartType{service.Manual, service.Automatic, service.Delayed, service.Disabled, service.Automatic, service.Manual} {
		s.StartType = start
		Install(t, m, s)
		if st := Expect(t, m, s, service.Stopped); st.StartType != start {
			t.Errorf("installed with start %q, it has %q", start, st.StartType)
		}
	}
	b.start(t, m, s)
	b.remove(t, m, s)
	s.StartType = service.Disabled
	Install(t, m, s)
	if err := m.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("start of what is disabled: %v", err)
	}
	Expect(t, m, s, service.Stopped)
	b.remove(t, m, s)
}

// AtBoot is a service that the init starts; enter has it do so.
func (b Bed) AtBoot(t *testing.T, m manage.Manager, enter string) {
	s := b.Spec(t, "atboot")
	Install(t, m, s)
	Expect(t, m, s, service.Stopped)
	t.Log(b.sh(t, enter))
	Until(t, m, s, func(st service.Status) bool { return st.State == service.Running })
	b.remove(t, m, s)
}

// Children are those that the program of a service leaves behind when it stops.
func (b Bed) Children(t *testing.T, m manage.Manager) {
	t.Parallel()
	s := b.Spec(t, "parent")
	file := b.Machine.Path("/opt/parent")
	const script = "#!/bin/busybox sh\nsleep 4242 &\ntrap 'exit 0' TERM\nwhile :; do sleep 0.1; done\n"
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Executable, s.Arguments = "/opt/parent", nil
	Install(t, m, s)
	b.start(t, m, s)
	const count = `grep -lz '^4242$' /proc/[0-9]*/cmdline 2>/dev/null | wc -l`
	if out := b.sh(t, count); strings.TrimSpace(out) != "1" {
		t.Errorf("there are %q children", out)
	}
	if err := m.Stop(t.Context(), s); err != nil {
		t.Error(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for strings.TrimSpace(b.sh(t, count)) != "0" {
		if time.Now().After(deadline) {
			t.Error("a child is left")
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.remove(t, m, s)
}
