//go:build unix

package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

func TestAStatusSaysWhatSystemdKnows(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 11, 43, 944616000, time.UTC)
	stamp := "Wed 2026-11-25 01:11:43.944616 UTC"
	loaded := map[string]string{"LoadState": "loaded", "UnitFileState": "enabled"}
	with := func(pairs ...string) map[string]string {
		u := map[string]string{}
		for name, value := range loaded {
			u[name] = value
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
		"stopped":       {with("ActiveState", "inactive", "InactiveEnterTimestamp", stamp), service.Status{State: service.Stopped, ExitCode: -1, Since: at, Start: service.Automatic}},
		"finished": {
			with("ActiveState", "inactive", "InactiveEnterTimestamp", stamp, "Result", "success", "ExecMainCode", "1", "ExecMainStatus", "0"),
			service.Status{State: service.Stopped, Since: at, Start: service.Automatic},
		},
		"never started": {with("ActiveState", "inactive", "InactiveEnterTimestamp", "n/a"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Automatic}},
		"running": {
			with("ActiveState", "active", "SubState", "running", "MainPID", "7", "NRestarts", "3", "ActiveEnterTimestamp", stamp, "StateChangeTimestamp", "x", "StatusText", "running"),
			service.Status{State: service.Running, PID: 7, Restarts: 3, Since: at, Start: service.Automatic},
		},
		"running, with words": {
			with("ActiveState", "active", "StatusText", "running; the last reload failed: no"),
			service.Status{State: service.Running, Start: service.Automatic, Detail: "running; the last reload failed: no"},
		},
		"starting":  {with("ActiveState", "activating", "SubState", "start", "StateChangeTimestamp", stamp), service.Status{State: service.Starting, Since: at, Start: service.Automatic}},
		"reloading": {with("ActiveState", "reloading"), service.Status{State: service.Reloading, Start: service.Automatic}},
		"stopping": {
			with("ActiveState", "deactivating", "StatusText", "stopping: terminate"),
			service.Status{State: service.Stopping, Start: service.Automatic, Detail: "stopping: terminate"},
		},
		"failed": {
			with("ActiveState", "failed", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "3"),
			service.Status{State: service.Failed, ExitCode: 3, Start: service.Automatic, Detail: "exit code 3"},
		},
		"its configuration is wrong": {
			with("ActiveState", "failed", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "78"),
			service.Status{State: service.Failed, ExitCode: 78, Start: service.Automatic, Detail: "exit code 78: its configuration is wrong; it is not restarted"},
		},
		"killed": {
			with("ActiveState", "failed", "Result", "signal", "ExecMainCode", "2", "ExecMainStatus", "9"),
			service.Status{State: service.Failed, ExitCode: 137, Start: service.Automatic, Detail: "killed by SIGKILL"},
		},
		"crashed": {
			with("ActiveState", "failed", "Result", "core-dump", "ExecMainCode", "3", "ExecMainStatus", "11"),
			service.Status{State: service.Failed, ExitCode: 139, Start: service.Automatic, Detail: "Result=core-dump, killed by SIGSEGV, with a core dump"},
		},
		"no sign of life": {
			with("ActiveState", "failed", "Result", "watchdog", "ExecMainCode", "1", "ExecMainStatus", "2"),
			service.Status{State: service.Failed, ExitCode: 2, Start: service.Automatic, Detail: "Result=watchdog, exit code 2: a Go program has crashed, or its command line is wrong"},
		},
		"no process yet": {
			with("ActiveState", "failed", "Result", "resources", "ExecMainCode", "0", "ExecMainStatus", "0"),
			service.Status{State: service.Failed, ExitCode: -1, Start: service.Automatic, Detail: "Result=resources"},
		},
		"waiting for a restart": {
			with("ActiveState", "activating", "SubState", "auto-restart", "Result", "exit-code", "ExecMainCode", "1", "ExecMainStatus", "1", "RestartUSecNext", "5s", "NRestarts", "2"),
			service.Status{State: service.Failed, ExitCode: 1, Restarts: 2, Start: service.Automatic, Detail: "exit code 1, waits for its restart (5s)"},
		},
		"in a queue for a restart": {
			with("ActiveState", "activating", "SubState", "auto-restart-queued", "Result", "success", "ExecMainCode", "1", "ExecMainStatus", "0"),
			service.Status{State: service.Failed, Start: service.Automatic, Detail: "waits for its restart"},
		},
		"masked":       {with("LoadState", "masked", "UnitFileState", "masked", "ActiveState", "inactive"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Disabled, Detail: "masked"}},
		"wrong":        {with("LoadState", "bad-setting", "LoadError", `org.x "is bad."`, "ActiveState", "inactive"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Automatic, Detail: "the unit cannot be loaded: is bad."}},
		"without file": {with("LoadState", "not-found", "UnitFileState", "", "ActiveState", "active"), service.Status{State: service.Running, Detail: "the unit file is gone"}},
		"manual":       {with("ActiveState", "inactive", "UnitFileState", "disabled"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Manual}},
		"disabled":     {with("ActiveState", "inactive", "UnitFileState", "static", "RefuseManualStart", "yes"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Disabled}},
		"delayed":      {with("ActiveState", "inactive", "After", "basic.target multi-user.target"), service.Status{State: service.Stopped, ExitCode: -1, Start: service.Delayed}},
		"maintenance":  {with("ActiveState", "maintenance"), service.Status{State: service.Unknown, Start: service.Automatic}},
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

func TestAServiceThatIsListenedForIsStopped(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web-http.socket"] = "active"
	f.calls = nil
	got, err := m.Status(t.Context(), web())
	if want := (service.Status{State: service.Stopped, ExitCode: -1, Start: service.OnSocket, Detail: "listening"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(f.calls) != 1 {
		t.Errorf("it takes %q", f.calls)
	}
}

func TestATemplateItselfDoesNotRun(t *testing.T) {
	f, m := newFake(t, false)
	s := web(template, func(s *service.Spec) { s.Instance = "" })
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
		"logs": m.Logs(t.Context(), s, service.LogQuery{}, io.Discard),
	} {
		if !errors.Is(err, service.ErrSpec) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatSystemctlComplainsOfIsExplained(t *testing.T) {
	for name, test := range map[string]struct {
		user  bool
		err   error
		want  error
		words string
	}{
		"no systemctl":       {false, fmt.Errorf("systemctl: %w", exec.ErrNotFound), service.ErrNotSupported, "systemctl is not there"},
		"another init":       {false, refusal(1, "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down"), service.ErrNotSupported, "does not run this machine"},
		"no bus":             {false, refusal(1, "Failed to connect to bus: No such file or directory"), nil, "cannot be reached"},
		"no user's bus":      {true, refusal(1, "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined"), nil, "XDG_RUNTIME_DIR is not set"},
		"asked for password": {false, refusal(1, "Failed to start web.service: Interactive authentication required.\nSee system logs"), service.ErrPermission, "run it as root (sudo)"},
		"denied":             {false, refusal(4, "Failed to start web.service: Access denied"), service.ErrPermission, "run it as root (sudo)"},
		"denied to a user":   {true, refusal(4, "Failed to start web.service: Access denied"), service.ErrPermission, "Access denied"},
		"anything else":      {false, refusal(1, "something else"), nil, "something else"},
	} {
		f, m := newFake(t, test.user)
		f.answer = func(string) (string, error, bool) { return "", test.err, true }
		_, err := m.Status(t.Context(), web())
		t.Log(name)
		has(t, err, test.want, test.words)
		_, err = m.Plan(t.Context(), web(), false)
		has(t, err, test.want, test.words)
		has(t, m.Start(t.Context(), web()), test.want, test.words)
		_, err = m.Remove(t.Context(), web(), false)
		if !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("%s: remove: %v", name, err)
		}
		if found := m.Diagnose(t.Context(), web()); len(found) != 1 || found[0].Level != service.Problem || !strings.Contains(found[0].Detail, test.words) {
			t.Errorf("%s: found %+v", name, found)
		}
	}
	_, m := newFake(t, true)
	m.getenv = func(string) string { return "/run/user/1000" }
	has(t, m.explain(refusal(1, "Failed to connect to bus: Connection refused")), nil, "enable-linger")
}

func TestWhatIsNotInstalledIsNotOperated(t *testing.T) {
	f, m := newFake(t, false)
	for name, do := range map[string]func(context.Context, service.Spec) error{"start": m.Start, "stop": m.Stop, "restart": m.Restart, "reload": m.Reload} {
		if err := do(t.Context(), web()); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(f.changes()) > 0 {
		t.Errorf("called was %q", f.changes())
	}
}

func TestWhatTheOperatorAsksForIsDone(t *testing.T) {
	for name, test := range map[string]struct {
		active, socket string // before
		spec           service.Spec
		do             func(*Manager) func(context.Context, service.Spec) error
		want           []string
	}{
		"start":                      {"", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Start }, []string{"start -- web.service"}},
		"start what runs":            {"active", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Start }, nil},
		"start what has failed":      {"failed", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Start }, []string{"start -- web.service"}},
		"listen":                     {"", "", web(onSocket), func(m *Manager) func(context.Context, service.Spec) error { return m.Start }, []string{"start -- web-http.socket"}},
		"listen after a failure":     {"failed", "active", web(onSocket), func(m *Manager) func(context.Context, service.Spec) error { return m.Start }, []string{"reset-failed -- web.service", "start -- web-http.socket"}},
		"stop":                       {"active", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Stop }, []string{"stop -- web.service"}},
		"stop what does not run":     {"failed", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Stop }, nil},
		"stop what waits":            {"activating", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Stop }, []string{"stop -- web.service"}},
		"do not listen any more":     {"", "active", web(onSocket), func(m *Manager) func(context.Context, service.Spec) error { return m.Stop }, []string{"stop -- web.service web-http.socket"}},
		"restart":                    {"active", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart what does not run":  {"", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart behind its socket":  {"active", "active", web(onSocket), func(m *Manager) func(context.Context, service.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart what nobody called": {"", "active", web(onSocket), func(m *Manager) func(context.Context, service.Spec) error { return m.Restart }, []string{"start -- web-http.socket"}},
		"reload":                     {"active", "", web(), func(m *Manager) func(context.Context, service.Spec) error { return m.Reload }, []string{"reload -- web.service"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, test.spec)
			f.active["web.service"], f.active["web-http.socket"] = test.active, test.socket
			f.calls = nil
			waited := ""
			m.machine.Progress = func(what string) { waited = what }
			if err := test.do(m)(t.Context(), test.spec); err != nil {
				t.Error(err)
			}
			for i := range test.want {
				test.want[i] = "systemctl " + test.want[i]
			}
			if got := f.changes(); !slices.Equal(got, test.want) {
				t.Errorf("called was %q, want %q", got, test.want)
			}
			if (waited != "") != (len(test.want) > 0) {
				t.Errorf("it was waited %q", waited)
			}
		})
	}
}

func TestWhatCannotBeStartedIsSaid(t *testing.T) {
	for want, unit := range map[string]map[string]string{
		"systemctl unmask web.service": {"LoadState": "masked"},
		"is bad.":                      {"LoadState": "bad-setting", "LoadError": `org.x "is bad."`},
		"another start type":           {"RefuseManualStart": "yes"},
	} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.show["web.service"] = unit
		has(t, m.Start(t.Context(), web()), nil, want)
		has(t, m.Restart(t.Context(), web()), nil, want)
	}
}

func TestAFailedStartSaysWhy(t *testing.T) {
	for _, user := range []bool{false, true} {
		for want, unit := range map[string]map[string]string{
			"exit code 1; its last words: a; no certificate":                                    {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"},
			"it ended before it was ready (Result=protocol); its last words: a; no certificate": {"Result": "protocol", "ExecMainCode": "1", "ExecMainStatus": "0"},
			"(Result=watchdog), killed by SIGABRT; its last words":                              {"Result": "watchdog", "ExecMainCode": "2", "ExecMainStatus": "6"},
			"started too often":                     {"Result": "start-limit-hit"},
			"sandbox forbids":                       {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "31"},
			"killed by signal 40":                   {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "40"},
			"217/USER":                              {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "217"},
			"given up at its stop deadline":         {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "124"},
			"exit code 1, waits for its restart (1": {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1", "RestartUSecNext": "1s"},
		} {
			f, m := newFake(t, user)
			install(t, m, web())
			if unit["ActiveState"] == "" {
				unit["ActiveState"] = "failed"
			}
			unit["InvocationID"], unit["ExecMainStartTimestamp"] = "abc", "Wed 2026-11-25 01:11:43.944616 UTC"
			f.answer = func(call string) (string, error, bool) {
				switch {
				case strings.HasPrefix(call, "journalctl"):
					if !strings.Contains(call, "abc") && !strings.Contains(call, "--since=@1795569103 _SYSTEMD_USER_UNIT=web.service") {
						t.Errorf("it reads %s", call)
					}
					return "a\nno certificate\n", nil, true
				case strings.Contains(call, " start "):
					f.show["web.service"] = unit
					return "", refusal(1, "Job for web.service failed because the control process exited with error code."), true
				}
				return "", nil, false
			}
			has(t, m.Start(t.Context(), web()), nil, want)
		}
	}
}

func TestAFailedStartWithoutALogSaysWhereItIs(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.answer = func(call string) (string, error, bool) {
		f.show["web.service"] = map[string]string{"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1", "InvocationID": "abc"}
		return "", refusal(1, "failed"), strings.Contains(call, " start ") || strings.HasPrefix(call, "journalctl")
	}
	f.show["web.service"] = map[string]string{}
	if err := m.bring(t.Context(), web(), "start"); err == nil || !strings.Contains(err.Error(), "journalctl -u web.service") {
		t.Errorf("got %v", err)
	}
}

func TestAJobThatHasFinishedWasStarted(t *testing.T) {
	for unit, want := range map[[3]string]string{
		{"success", "1", "0"}:  "",
		{"success", "2", "15"}: "it was started, and is stopped now",
		{"success", "0", "0"}:  "it was started, and is stopped now", // its condition did not hold
	} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.answer = func(call string) (string, error, bool) {
			start := strings.Contains(call, " start ")
			if start {
				f.show["web.service"] = map[string]string{"ActiveState": "inactive", "Result": unit[0], "ExecMainCode": unit[1], "ExecMainStatus": unit[2]}
			}
			return "", nil, start
		}
		err := m.Start(t.Context(), web())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", unit, err, want)
		}
	}
}

func TestAStartThatSystemdTakesForDoneButIsNot(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.answer = func(call string) (string, error, bool) {
		f.active["web.service"] = "deactivating"
		return "", nil, strings.Contains(call, " start ")
	}
	has(t, m.bring(t.Context(), web(), "start"), nil, "stopping now")
}

func TestWhatSystemctlSaysIsOneLine(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.answer = func(call string) (string, error, bool) {
		return "", refusal(1, "Failed to start web.service: no.\nSee system logs and 'systemctl status web.service' for details.\nAnd more.\n"), strings.Contains(call, " start ")
	}
	err := m.Start(t.Context(), web())
	has(t, err, nil, "no.; And more.")
	if strings.Contains(err.Error(), "See ") || command.Code(err) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestASystemctlThatIsGoneIsSaidOnce(t *testing.T) {
	f, m := newFake(t, false)
	f.answer = func(string) (string, error, bool) { return "", fmt.Errorf("systemctl: %w", exec.ErrNotFound), true }
	err := m.bring(t.Context(), web(), "start")
	has(t, err, exec.ErrNotFound)
	if strings.Count(err.Error(), "not there") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestAStopThatIsUndoneIsSaid(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.active["web.service"] = "active"
	f.answer = func(call string) (string, error, bool) { return "", nil, strings.Contains(call, " stop ") }
	has(t, m.Stop(t.Context(), web()), nil, "started it again")
}

func TestNothingIsWaitedForAfterTheContextHasEnded(t *testing.T) {
	for name, do := range map[string]func(*Manager) func(context.Context, service.Spec) error{
		"start":   func(m *Manager) func(context.Context, service.Spec) error { return m.Start },
		"stop":    func(m *Manager) func(context.Context, service.Spec) error { return m.Stop },
		"restart": func(m *Manager) func(context.Context, service.Spec) error { return m.Restart },
		"reload":  func(m *Manager) func(context.Context, service.Spec) error { return m.Reload },
	} {
		f, m := newFake(t, false)
		install(t, m, web())
		if name != "start" {
			f.active["web.service"] = "active"
		}
		ctx, cancel := context.WithCancel(t.Context())
		f.answer = func(call string) (string, error, bool) {
			if strings.Contains(call, " "+name+" ") {
				cancel()
				return "", fmt.Errorf("systemctl: %w", context.Cause(ctx)), true
			}
			return "", nil, false
		}
		has(t, do(m)(ctx, web()), context.Canceled, "systemd goes on with it")
	}
}

func TestAReload(t *testing.T) {
	for name, test := range map[string]struct {
		active, result, text string
		fails                bool
		want                 string
	}{
		"that works":                {"active", "success", "running", false, ""},
		"that fails in the program": {"active", "success", "running; the last reload failed: no such file", false, "no such file"},
		"that is not answered":      {"active", "timeout", "running", true, "ReloadResult=timeout"},
		"that ends the program":     {"inactive", "success", "", false, "it has stopped instead"},
		"that kills the program":    {"failed", "success", "", true, "exit code 2"},
	} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.active["web.service"] = "active"
		f.answer = func(call string) (string, error, bool) {
			if !strings.Contains(call, " reload ") {
				return "", nil, false
			}
			f.active["web.service"] = test.active
			f.show["web.service"] = map[string]string{"ReloadResult": test.result, "StatusText": test.text, "ExecMainCode": "1", "ExecMainStatus": "2"}
			if test.active == "failed" {
				f.show["web.service"]["Result"] = "exit-code"
			}
			if test.fails {
				return "", refusal(1, "Job for web.service failed."), true
			}
			return "", nil, true
		}
		err := m.Reload(t.Context(), web())
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "":
			has(t, err, nil, test.want)
		}
	}
	f, m := newFake(t, false)
	install(t, m, web())
	has(t, m.Reload(t.Context(), web()), service.ErrNotRunning, "stopped")
	f.active["web.service"] = "active"
	has(t, m.Pause(t.Context(), web()), service.ErrNotSupported)
	has(t, m.Continue(t.Context(), web()), service.ErrNotSupported)
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	_, m := newFake(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	m.stream = func(ctx context.Context, _, _ io.Writer, _ string, _ ...string) error {
		cancel()
		return context.Cause(ctx)
	}
	if err := m.Logs(ctx, web(), service.LogQuery{Follow: true}, io.Discard); err != nil {
		t.Error(err)
	}
	if err := m.Logs(ctx, web(), service.LogQuery{}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("without following: %v", err)
	}
}

func TestFollowingEndsWithJournalctl(t *testing.T) {
	_, m := newFake(t, false)
	m.stream = func(context.Context, io.Writer, io.Writer, string, ...string) error {
		return &command.Error{Line: "journalctl", Code: -1} // an interrupt at the terminal is for both
	}
	if err := m.Logs(t.Context(), web(), service.LogQuery{Follow: true}, io.Discard); err != nil {
		t.Error(err)
	}
	if err := m.Logs(t.Context(), web(), service.LogQuery{}, io.Discard); err == nil {
		t.Error("without following, it has said nothing")
	}
}

func TestALogThatMayNotBeReadIsSaid(t *testing.T) {
	_, m := newFake(t, false)
	m.stream = func(_ context.Context, _, stderr io.Writer, _ string, args ...string) error {
		if !slices.Contains(args, "--quiet") {
			_, _ = io.WriteString(stderr, "Hint: You are currently not seeing messages from other users and the system.\n")
		}
		return nil
	}
	has(t, m.Logs(t.Context(), web(), service.LogQuery{}, io.Discard), service.ErrPermission, "systemd-journal")

	m.stream = func(_ context.Context, _, stderr io.Writer, _ string, _ ...string) error {
		_, _ = io.WriteString(stderr, "No journal files were opened due to insufficient permissions.\n")
		return &command.Error{Line: "journalctl", Code: 1}
	}
	has(t, m.Logs(t.Context(), web(), service.LogQuery{}, io.Discard), service.ErrPermission)
	m.stream = func(context.Context, io.Writer, io.Writer, string, ...string) error { return nil }
	if err := m.Logs(t.Context(), web(), service.LogQuery{}, io.Discard); err != nil {
		t.Errorf("an empty log is no error: %v", err)
	}
}

func TestADiagnosisFindsWhatKeepsItFromRunning(t *testing.T) {
	for want, prepare := range map[string]func(*fake, *Manager, *service.Spec){
		"unit: web.service is masked": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "masked"}
		},
		"unit: is bad.": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "bad-setting", "LoadError": `x "is bad."`}
		},
		"unit: its file is gone": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "not-found", "ActiveState": "active"}
		},
		"unit: web.service has changed": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"NeedDaemonReload": "yes"}
		},
		"drop-ins: /etc/x.conf": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"DropInPaths": "/etc/x.conf"}
		},
		"restarts: 4": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"NRestarts": "4"}
		},
		"last end: exit code 203": func(f *fake, _ *Manager, _ *service.Spec) {
			f.show["web.service"] = map[string]string{"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "203"}
		},
		"account: there is no user www": func(f *fake, _ *Manager, s *service.Spec) {
			s.Account = "www"
			f.answer = func(call string) (string, error, bool) { return "", refusal(2, ""), strings.HasPrefix(call, "getent") }
		},
		"path /srv/nothing: it does not exist": func(_ *fake, _ *Manager, s *service.Spec) {
			s.Hardening.WritablePaths = []string{"/srv/nothing"}
		},
		"executable: /usr/local/bin/web may not be executed": func(f *fake, _ *Manager, _ *service.Spec) {
			_ = os.Chmod(f.path("/usr/local/bin/web"), 0o644)
		},
		"executable: /home/me/web is hidden": func(f *fake, _ *Manager, s *service.Spec) {
			f.write("/home/me/web", "")
			s.Executable = "/home/me/web"
			f.show["web.service"] = map[string]string{"ProtectHome": "yes"}
		},
		"executable: /tmp/web is hidden": func(f *fake, _ *Manager, s *service.Spec) {
			f.write("/tmp/web", "")
			s.Executable = "/tmp/web"
			f.show["web.service"] = map[string]string{"PrivateTmp": "yes"}
		},
		"executable: not everybody may enter /opt/closed": func(f *fake, _ *Manager, s *service.Spec) {
			f.write("/opt/closed/web", "")
			_ = os.Chmod(f.path("/opt/closed"), 0o700)
			s.Executable = "/opt/closed/web"
			f.show["web.service"] = map[string]string{"DynamicUser": "yes"}
		},
		"dependency db.service: systemd knows no such unit": func(_ *fake, _ *Manager, s *service.Spec) { s.Needs = []string{"network", "db"} },
		"dependency db.service: it has failed": func(f *fake, _ *Manager, s *service.Spec) {
			s.Needs = []string{"db"}
			f.show["db.service"] = map[string]string{"LoadState": "loaded", "ActiveState": "failed"}
		},
		"lingering: it starts when you log on": func(f *fake, m *Manager, _ *service.Spec) {
			m.user, f.units = true, "/home/me/.config/systemd/user"
			f.write(f.unit("web.service"), "WantedBy=default.target\n")
			_ = f.enable([]string{"web.service"})
			f.answer = func(call string) (string, error, bool) {
				return "no\n", nil, call == "loginctl show-user --property=Linger --value 1000"
			}
		},
		"systemd: version 252: it does not wait for a reload": func(f *fake, _ *Manager, _ *service.Spec) { f.version = "systemd 252 (x)" },
		"systemd: its version is not known":                   func(f *fake, _ *Manager, _ *service.Spec) { f.version = "" },
		"systemd: Recovery.Delays":                            func(f *fake, _ *Manager, _ *service.Spec) { f.version = "systemd 252 (x)" },
		"socket web-http.socket: it has failed": func(f *fake, m *Manager, _ *service.Spec) {
			install(f.t, m, web(onSocket))
			f.show["web-http.socket"] = map[string]string{"ActiveState": "failed", "Result": "resources"}
		},
		"socket web-http.socket: it is enabled, and nobody": func(f *fake, m *Manager, _ *service.Spec) { install(f.t, m, web(onSocket)) },
	} {
		t.Run(want, func(t *testing.T) {
			f, m := newFake(t, false)
			s := web()
			install(t, m, s)
			if found := m.Diagnose(t.Context(), s); slices.ContainsFunc(found, func(f service.Finding) bool { return f.Level > service.OK }) {
				t.Errorf("without a reason it finds %+v", found)
			}
			before := ""
			prepare(f, m, &s)
			f.calls, before = nil, f.snapshot()
			found := m.Diagnose(t.Context(), s)
			var lines []string
			for _, f := range found {
				lines = append(lines, f.What+": "+f.Detail)
				if strings.Contains(f.Detail+f.Remedy, "\n") {
					t.Errorf("%+v has more than one line", f)
				}
			}
			if !slices.ContainsFunc(found, func(f service.Finding) bool {
				return strings.HasPrefix(f.What+": "+f.Detail, want) && f.Level > service.OK
			}) {
				t.Errorf("found is\n%s", strings.Join(lines, "\n"))
			}
			if f.snapshot() != before || len(f.changes()) > 0 && !onlyLooks(f.changes()) {
				t.Errorf("it has changed something: %q", f.changes())
			}
		})
	}
	_, m := newFake(t, false)
	if found := m.Diagnose(t.Context(), web()); !reflect.DeepEqual(found, []service.Finding(nil)) {
		t.Errorf("what is not installed: %+v", found)
	}
}

func onlyLooks(calls []string) bool {
	return !slices.ContainsFunc(calls, func(c string) bool {
		return !strings.HasPrefix(c, "loginctl show") && !strings.HasPrefix(c, "journalctl")
	})
}

func TestTheExecutableIsWhatSystemdStarts(t *testing.T) {
	for show, want := range map[string]string{
		"{ path=/opt/my web/web ; argv[]=/opt/my web/web -x ; ignore_errors=no ; start_time=[n/a] }": "/opt/my web/web",
		`{ path=/bin/sh ; argv[]=/bin/sh -c exec "$0" "$@" /opt/it's/web ; ignore_errors=no }`:       "",
		"{ path=/bin/sh ; argv[]=/bin/sh /opt/script ; ignore_errors=no }":                           "/bin/sh",
		"": "",
	} {
		f, m := newFake(t, false)
		f.answer = func(call string) (string, error, bool) {
			return "ExecStart=" + show + "\n", nil, call == "systemctl show --property=ExecStart -- web.service"
		}
		if got, err := m.Launches(t.Context(), web()); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", show, got, err, want)
		}
	}
}
