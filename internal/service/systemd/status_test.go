//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestStatus(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 11, 43, 944616000, time.UTC)
	stamp := "Wed 2026-11-25 01:11:43.944616 UTC"
	loaded := map[string]string{"LoadState": "loaded", "UnitFileState": "enabled"}
	with := func(pairs ...string) map[string]string {
		u := map[string]string{}
		for name, value := range loaded {
			t.Run(name, func(t *testing.T) {
				u[name] = value
			})
		}
		for i := 0; i < len(pairs); i += 2 {
			u[pairs[i]] = pairs[i+1]
		}
		return u
	}
	for name, test := range map[string]struct {
		unit map[string]string
		want service.Status
	}{
		"not installed": {map[string]string{"LoadState": "not-found", "ActiveState": "inactive"}, service.Status{State: service.NotInstalled}},
		"stopped":       {with("ActiveState", "inactive", "InactiveEnterTimestamp", stamp), service.Status{State: service.Stopped, ExitCode: -1, Since: at, StartType: service.Automatic}},
		"finished": {
			with("ActiveState", "inactive", "InactiveEnterTimestamp", stamp, "Result", "success", "ExecMainCode", "1", "ExecMainStatus", "0"),
			service.Status{State: service.Stopped, Since: at, StartType: service.Automatic},
		},
		"never started": {with("ActiveState", "inactive", "InactiveEnterTimestamp", "n/a"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Automatic}},
		"running": {
			with("ActiveState", "active", "SubState", "running", "MainPID", "7", "NRestarts", "3", "ActiveEnterTimestamp", stamp, "StateChangeTimestamp", "x", "StatusText", "running"),
			service.Status{State: service.Running, PID: 7, Restarts: 3, Since: at, StartType: service.Automatic},
		},
		"running, with words": {
			with("ActiveState", "active", "StatusText", "running; the last reload failed: no"),
			service.Status{State: service.Running, StartType: service.Automatic, Detail: "running; the last reload failed: no"},
		},
		"starting":  {with("ActiveState", "activating", "SubState", "start", "StateChangeTimestamp", stamp), service.Status{State: service.Starting, Since: at, StartType: service.Automatic}},
		"reloading": {with("ActiveState", "reloading"), service.Status{State: service.Reloading, StartType: service.Automatic}},
		"stopping": {
			with("ActiveState", "deactivating", "StatusText", "stopping: terminate"),
			service.Status{State: service.Stopping, StartType: service.Automatic, Detail: "stopping: terminate"},
		},
		"failed": {
			with("ActiveState", "failed", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "3"),
			service.Status{State: service.Failed, ExitCode: 3, StartType: service.Automatic, Detail: "exit code 3"},
		},
		"its configuration is wrong": {
			with("ActiveState", "failed", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "78"),
			service.Status{State: service.Failed, ExitCode: 78, StartType: service.Automatic, Detail: "exit code 78: its configuration is wrong; it is not restarted"},
		},
		"killed": {
			with("ActiveState", "failed", "Result", "signal", "ExecMainCode", "2", "ExecMainStatus", "9"),
			service.Status{State: service.Failed, ExitCode: 137, StartType: service.Automatic, Detail: "killed by SIGKILL"},
		},
		"crashed": {
			with("ActiveState", "failed", "Result", "core-dump", "ExecMainCode", "3", "ExecMainStatus", "11"),
			service.Status{State: service.Failed, ExitCode: 139, StartType: service.Automatic, Detail: "Result=core-dump, killed by SIGSEGV, with a core dump"},
		},
		"no sign of life": {
			with("ActiveState", "failed", "Result", "watchdog", "ExecMainCode", "1", "ExecMainStatus", "2"),
			service.Status{State: service.Failed, ExitCode: 2, StartType: service.Automatic, Detail: "Result=watchdog, exit code 2: a Go program crashed, or its command line is wrong"},
		},
		"no process yet": {
			with("ActiveState", "failed", "Result", "resources", "ExecMainCode", "0", "ExecMainStatus", "0"),
			service.Status{State: service.Failed, ExitCode: -1, StartType: service.Automatic, Detail: "Result=resources"},
		},
		"waiting for a restart": {
			with("ActiveState", "activating", "SubState", "auto-restart", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "1", "RestartUSecNext", "5s", "NRestarts", "2"),
			service.Status{State: service.Failed, ExitCode: 1, Restarts: 2, StartType: service.Automatic, Detail: "exit code 1, waiting for its restart (5s)"},
		},
		"in a queue for a restart": {
			with("ActiveState", "activating", "SubState", "auto-restart-queued", "Result", "success", "ExecMainCode", "1", "ExecMainStatus", "0"),
			service.Status{State: service.Failed, StartType: service.Automatic, Detail: "waiting for its restart"},
		},
		"masked":       {with("LoadState", "masked", "UnitFileState", "masked", "ActiveState", "inactive"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Disabled, Detail: "masked"}},
		"wrong":        {with("LoadState", "bad-setting", "LoadError", `org.x "is bad."`, "ActiveState", "inactive"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Automatic, Detail: "the unit cannot be loaded: is bad."}},
		"without file": {with("LoadState", "not-found", "UnitFileState", "", "ActiveState", "active"), service.Status{State: service.Running, Detail: "the unit file is gone"}},
		"manual":       {with("ActiveState", "inactive", "UnitFileState", "disabled"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Manual}},
		"disabled":     {with("ActiveState", "inactive", "UnitFileState", "static", "RefuseManualStart", "yes"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Disabled}},
		"delayed":      {with("ActiveState", "inactive", "After", "basic.target multi-user.target"), service.Status{State: service.Stopped, ExitCode: -1, StartType: service.Delayed}},
		"maintenance":  {with("ActiveState", "maintenance"), service.Status{State: service.Unknown, StartType: service.Automatic}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			f.show["web.service"] = test.unit
			f.show["web.service"]["SubState"] = orDead(test.unit["SubState"])
			got, err := m.Status(t.Context(), web())
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			if len(f.calls) != 1 {
				t.Errorf("it takes %q", f.calls)
			}
		})
	}
}

func orDead(s string) string {
	if s == "" {
		return "dead"
	}
	return s
}

func TestStatus_StoppedWhileSocketListens(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web-http.socket"] = "active"
	f.calls = nil
	got, err := m.Status(t.Context(), web())
	if want := (service.Status{State: service.Stopped, ExitCode: -1, StartType: service.OnSocket, Detail: "listening"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(f.calls) != 1 {
		t.Errorf("it takes %q", f.calls)
	}
}

func TestStatus_OfTemplate(t *testing.T) {
	f, m := newFake(t, false)
	s := web(template, func(s *manage.Spec) { s.Instance = "" })
	if st, err := m.Status(t.Context(), s); err != nil || st.State != service.NotInstalled {
		t.Errorf("got %+v, %v", st, err)
	}
	install(t, m, s)
	if st, err := m.Status(t.Context(), s); err != nil || st.State != service.Stopped {
		t.Errorf("got %+v, %v", st, err)
	}
	if got := f.changes(); !slices.Equal(got, []string{"systemctl daemon-reload"}) {
		t.Errorf("called was %q", got)
	}
	for name, err := range map[string]error{
		"start": m.Start(t.Context(), s), "stop": m.Stop(t.Context(), s), "restart": m.Restart(t.Context(), s), "reload": m.Reload(t.Context(), s),
		"logs": m.Logs(t.Context(), s, manage.LogQuery{}, io.Discard),
	} {
		t.Run(name, func(t *testing.T) {
			if !errors.Is(err, manage.ErrConfig) {
				t.Error(err)
			}
		})
	}
}

func TestExplain_ErrorsOfSystemctl(t *testing.T) {
	for name, test := range map[string]struct {
		user  bool
		err   error
		want  error
		words string
	}{
		"no systemctl":       {false, fmt.Errorf("systemctl: %w", exec.ErrNotFound), service.ErrNotSupported, "systemctl not found"},
		"another init":       {false, refusal(1, "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down"), service.ErrNotSupported, "does not run this machine"},
		"no bus":             {false, refusal(1, "Failed to connect to bus: No such file or directory"), nil, "cannot connect to systemd"},
		"no user's bus":      {true, refusal(1, "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined"), nil, "XDG_RUNTIME_DIR is not set"},
		"asked for password": {false, refusal(1, "Failed to start web.service: Interactive authentication required.\nSee system logs"), service.ErrPermission, "run it as root (sudo)"},
		"denied":             {false, refusal(4, "Failed to start web.service: Access denied"), service.ErrPermission, "run it as root (sudo)"},
		"denied to a user":   {true, refusal(4, "Failed to start web.service: Access denied"), service.ErrPermission, "Access denied"},
		"anything else":      {false, refusal(1, "something else"), nil, "something else"},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, test.user)
			f.answer = func(string) (string, error, bool) { return "", test.err, true }
			_, err := m.Status(t.Context(), web())
			wantError(t, err, test.want, test.words)
			_, err = m.Plan(t.Context(), web(), false)
			wantError(t, err, test.want, test.words)
			wantError(t, m.Start(t.Context(), web()), test.want, test.words)
			_, err = m.Remove(t.Context(), web(), false)
			if !errors.Is(err, service.ErrNotInstalled) {
				t.Errorf("remove: %v", err)
			}
			if found := m.Diagnose(t.Context(), web()); len(found) != 1 || found[0].Level != manage.Problem || !strings.Contains(found[0].Detail, test.words) {
				t.Errorf("found %+v", found)
			}
		})
	}
	_, m := newFake(t, true)
	m.getenv = func(string) string { return "/run/user/1000" }
	wantError(t, m.explain(refusal(1, "Failed to connect to bus: Connection refused")), nil, "enable-linger")
}
