//go:build linux

package inittest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/script"
)

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
