//go:build linux

// Package inittest is what a service goes through on a real machine with an init that
// has scripts, for the tests of their managers.
package inittest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
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

// sh runs a command line in the machine, and returns what it prints.
func (b Bed) sh(t *testing.T, line string) string {
	t.Helper()
	out, err := b.Machine.Run(t.Context(), "sh", "-c", line)
	if err != nil || out.Code != 0 {
		t.Fatalf("%s: %+v, %v", line, out, err)
	}
	return out.Stdout
}
