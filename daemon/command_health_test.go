package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/host/health"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// container returns a shell where no service manager runs.
func container(t *testing.T) *shell {
	s := newShell(t)
	s.none = fmt.Errorf("%w: %w (process 1 is \"web\")", service.ErrNotSupported, manage.ErrNoManager)
	return s
}

func TestStatus_WithoutAManagerAsksTheProcess(t *testing.T) {
	s, tr := container(t), &transcript{}
	since := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		when   string
		answer health.Answer
		err    error
	}{
		{"nothing runs", health.Answer{}, health.ErrNone},
		{"it starts", health.Answer{PID: 1, State: "starting", Since: since}, nil},
		{"it runs", health.Answer{PID: 1, State: "running", Since: since}, nil},
		{"its Check fails", health.Answer{PID: 1, State: "running", Since: since, Unhealthy: "db:\nconnection refused"}, nil},
		{"it is paused", health.Answer{PID: 1, State: "paused", Since: since}, nil},
		{"it stops", health.Answer{PID: 1, State: "stopping", Since: since, Reason: "terminate (SIGTERM)"}, nil},
		{"it hangs", health.Answer{PID: 1}, fmt.Errorf("%w in 10s", health.ErrSilent)},
		{"another user's runs", health.Answer{}, fmt.Errorf("%w: process 7 runs as user 65534: ask as that user", fs.ErrPermission)},
	} {
		s.asks = func(_ context.Context, name string, pid int) (health.Answer, error) {
			if name != "web" || pid != 0 {
				t.Errorf("process %d of %s is asked", pid, name)
			}
			return c.answer, c.err
		}
		tr.WriteString("# " + c.when + "\n")
		tr.call(s, "status")
		tr.call(s, "status --json")
	}
	tr.golden(t, "health")
}

func TestMain_OtherCommandsNeedAManager(t *testing.T) {
	s := container(t)
	for _, line := range []string{"start", "stop", "logs", "doctor"} {
		if code, _, err := s.call(line); code != 3 || !bytes.Contains([]byte(err), []byte("no service manager runs here")) {
			t.Errorf("%s: exit code %d, %s", line, code, err)
		}
	}
}

func TestStatus_AsksTheProcessOfAService(t *testing.T) {
	silent := fmt.Errorf("%w in 10s", health.ErrSilent)
	for name, test := range map[string]struct {
		status service.Status
		answer health.Answer
		err    error
		want   string
		code   int
	}{
		"it is well":       {service.Status{State: service.Running, PID: 42}, health.Answer{State: "running"}, nil, "web: running, process 42\n", 0},
		"its Check fails":  {service.Status{State: service.Running, PID: 42}, health.Answer{State: "running", Unhealthy: "boom"}, nil, "web: running, process 42; unhealthy: boom\n", 1},
		"it hangs":         {service.Status{State: service.Running, PID: 42}, health.Answer{}, silent, "web: running, process 42; unhealthy: it does not answer in 10s\n", 1},
		"it is paused":     {service.Status{State: service.Paused, PID: 42}, health.Answer{Unhealthy: "boom"}, nil, "web: paused, process 42; unhealthy: boom\n", 1},
		"nobody may ask":   {service.Status{State: service.Running, PID: 42}, health.Answer{}, fs.ErrPermission, "web: running, process 42\n", 0},
		"no answers here":  {service.Status{State: service.Running, PID: 42}, health.Answer{}, errors.ErrUnsupported, "web: running, process 42\n", 0},
		"it starts":        {service.Status{State: service.Starting, PID: 42}, health.Answer{Unhealthy: "not asked"}, nil, "web: starting, process 42\n", 3},
		"it has stopped":   {service.Status{State: service.Stopped, ExitCode: -1}, health.Answer{Unhealthy: "not asked"}, nil, "web: stopped\n", 3},
		"no process known": {service.Status{State: service.Running}, health.Answer{Unhealthy: "not asked"}, nil, "web: running\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.manager.status = test.status
			s.asks = func(_ context.Context, name string, pid int) (health.Answer, error) {
				if name != "web" || pid != 42 {
					t.Errorf("process %d of %s is asked", pid, name)
				}
				return test.answer, test.err
			}
			code, out, err := s.call("status")
			if code != test.code || out+err != test.want {
				t.Errorf("exit code %d, %q, want %d, %q", code, out+err, test.code, test.want)
			}
		})
	}
}

func TestStatus_WithoutAManagerNothingIsWrongWithTheInstallation(t *testing.T) {
	p := Func(func(context.Context, func()) error { return nil })
	_, err := Manage(p, Config{Name: "web", Service: service.Config{Hardening: service.Hardening{WritablePaths: []string{"a\nb"}}}})
	want := ErrConfig
	if _, fine := Manage(p, Config{Name: "web"}); errors.Is(fine, manage.ErrNoManager) {
		want = manage.ErrNoManager
	}
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestStatus_RunningButNotInstalled(t *testing.T) {
	s := newShell(t)
	s.asks = func(context.Context, string, int) (health.Answer, error) {
		return health.Answer{PID: 7, State: "running"}, nil
	}
	code, out, _ := s.call("status")
	if want := "web: running, process 7 (register has no service of this name)\n"; code != 0 || out != want {
		t.Errorf("exit code %d, %q, want 0, %q", code, out, want)
	}
	s.users = &register{installed: &manage.Spec{}, status: service.Status{State: service.Running, PID: 7}}
	if code, out, err := s.call("status"); code != 4 || !strings.Contains(err, "it is a per-user service") {
		t.Errorf("it runs as a service of the user: exit code %d, %q, %q, want 4 and where it is", code, out, err)
	}
	s.users = nil
	s.config.Service.Template = true
	if code, out, _ := s.call("status --instance one"); code != 4 || out != "web@one: not installed\n" {
		t.Errorf("another instance of it: exit code %d, %q, want 4", code, out)
	}
	s.config.Service.Template = false
	s.asks = func(context.Context, string, int) (health.Answer, error) { return health.Answer{}, health.ErrNone }
	if code, out, _ := s.call("status"); code != 4 || out != "web: not installed\n" {
		t.Errorf("exit code %d, %q, want 4", code, out)
	}
}

func TestDoctor_FailingCheckIsAProblem(t *testing.T) {
	s := newShell(t)
	s.call("install --now")
	s.asks = func(context.Context, string, int) (health.Answer, error) {
		return health.Answer{State: string(service.Running), Unhealthy: "db: connection refused"}, nil
	}
	if code, out, _ := s.call("doctor"); code != 1 || !strings.Contains(out, "PROBLEM  state: running, process 42; unhealthy: db: connection refused\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
