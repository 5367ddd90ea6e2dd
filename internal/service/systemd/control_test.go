//go:build unix

package systemd

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

func TestControl_RefusesWhatIsNotInstalled(t *testing.T) {
	f, m := newFake(t, false)
	for name, do := range map[string]func(context.Context, manage.Spec) error{"start": m.Start, "stop": m.Stop, "restart": m.Restart, "reload": m.Reload} {
		t.Run(name, func(t *testing.T) {
			if err := do(t.Context(), web()); !errors.Is(err, service.ErrNotInstalled) {
				t.Error(err)
			}
		})
	}
	if len(f.changes()) > 0 {
		t.Errorf("called was %q", f.changes())
	}
}

func TestControl_CallsOfSystemctl(t *testing.T) {
	for name, test := range map[string]struct {
		active, socket string // before
		spec           manage.Spec
		do             func(*Manager) func(context.Context, manage.Spec) error
		want           []string
	}{
		"start":                      {"", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Start }, []string{"start -- web.service"}},
		"start what runs":            {"active", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Start }, nil},
		"start what has failed":      {"failed", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Start }, []string{"start -- web.service"}},
		"listen":                     {"", "", web(onSocket), func(m *Manager) func(context.Context, manage.Spec) error { return m.Start }, []string{"start -- web-http.socket"}},
		"listen after a failure":     {"failed", "active", web(onSocket), func(m *Manager) func(context.Context, manage.Spec) error { return m.Start }, []string{"reset-failed -- web.service", "start -- web-http.socket"}},
		"stop":                       {"active", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Stop }, []string{"stop -- web.service"}},
		"stop what does not run":     {"failed", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Stop }, nil},
		"stop what waits":            {"activating", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Stop }, []string{"stop -- web.service"}},
		"do not listen any more":     {"", "active", web(onSocket), func(m *Manager) func(context.Context, manage.Spec) error { return m.Stop }, []string{"stop -- web.service web-http.socket"}},
		"restart":                    {"active", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart what does not run":  {"", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart behind its socket":  {"active", "active", web(onSocket), func(m *Manager) func(context.Context, manage.Spec) error { return m.Restart }, []string{"restart -- web.service"}},
		"restart what nobody called": {"", "active", web(onSocket), func(m *Manager) func(context.Context, manage.Spec) error { return m.Restart }, []string{"start -- web-http.socket"}},
		"reload":                     {"active", "", web(), func(m *Manager) func(context.Context, manage.Spec) error { return m.Reload }, []string{"reload -- web.service"}},
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

func TestStart_SaysWhyItCannot(t *testing.T) {
	for want, unit := range map[string]map[string]string{
		"systemctl unmask web.service": {"LoadState": "masked"},
		"is bad.":                      {"LoadState": "bad-setting", "LoadError": `org.x "is bad."`},
		"another start type":           {"RefuseManualStart": "yes"},
	} {
		t.Run(want, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, web())
			f.show["web.service"] = unit
			wantError(t, m.Start(t.Context(), web()), nil, want)
			wantError(t, m.Restart(t.Context(), web()), nil, want)
		})
	}
}

func TestStart_FailureSaysWhy(t *testing.T) {
	for _, user := range []bool{false, true} {
		for want, unit := range map[string]map[string]string{
			"exit code 1; last log lines: a; no certificate":                                    {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"},
			"it ended before it was ready (Result=protocol); last log lines: a; no certificate": {"Result": "protocol", "ExecMainCode": "1", "ExecMainStatus": "0"},
			"(Result=watchdog), killed by SIGABRT; last log lines":                              {"Result": "watchdog", "ExecMainCode": "2", "ExecMainStatus": "6"},
			"started too often":                       {"Result": "start-limit-hit"},
			"sandbox forbids":                         {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "31"},
			"killed by signal 40":                     {"Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "40"},
			"217/USER":                                {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "217"},
			"it gave up at its stop deadline":         {"Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "124"},
			"exit code 1, waiting for its restart (1": {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1", "RestartUSecNext": "1s"},
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
			wantError(t, m.Start(t.Context(), web()), nil, want)
		}
	}
}

func TestStart_FailureWithoutLogSaysWhereItIs(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.answer = func(call string) (string, error, bool) {
		f.show["web.service"] = map[string]string{"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1", "InvocationID": "abc"}
		return "", refusal(1, "failed"), strings.Contains(call, " start ") || strings.HasPrefix(call, "journalctl")
	}
	f.show["web.service"] = map[string]string{}
	if err := m.startAndCheck(t.Context(), web(), "start"); err == nil || !strings.Contains(err.Error(), "journalctl -u web.service") {
		t.Errorf("got %v", err)
	}
}

func TestStart_AcceptsFinishedJob(t *testing.T) {
	for unit, want := range map[[3]string]string{
		{"success", "1", "0"}:  "",
		{"success", "2", "15"}: "it was started but is now stopped",
		{"success", "0", "0"}:  "it was started but is now stopped",
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

func TestStart_WaitsForTheEndOfAJobThatIsStopping(t *testing.T) {
	for name, test := range map[string]struct {
		looks int // until it has stopped
		want  string
	}{
		"it stops":       {3, ""},
		"it never stops": {1 << 30, "it was started but is now stopping"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, m := newFake(t, false)
				install(t, m, web())
				started, looks := false, 0
				f.answer = func(call string) (string, error, bool) {
					start := strings.Contains(call, " start ")
					started = started || start
					if looks++; started && looks > test.looks {
						f.active["web.service"] = "inactive"
						f.show["web.service"] = map[string]string{"ActiveState": "inactive", "Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0"}
					} else if started {
						f.active["web.service"] = "deactivating"
					}
					return "", nil, start
				}
				if err := m.startAndCheck(t.Context(), web(), "start"); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			})
		})
	}
}

func TestStart_ErrorIsOneLine(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.answer = func(call string) (string, error, bool) {
		return "", refusal(1, "Failed to start web.service: no.\nSee system logs and 'systemctl status web.service' for details.\nAnd more.\n"), strings.Contains(call, " start ")
	}
	err := m.Start(t.Context(), web())
	wantError(t, err, nil, "no.; And more.")
	if strings.Contains(err.Error(), "See ") || command.Code(err) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestStart_MissingSystemctlIsSaidOnce(t *testing.T) {
	f, m := newFake(t, false)
	f.answer = func(string) (string, error, bool) { return "", fmt.Errorf("systemctl: %w", exec.ErrNotFound), true }
	err := m.startAndCheck(t.Context(), web(), "start")
	wantError(t, err, exec.ErrNotFound)
	if strings.Count(err.Error(), "not found, so") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestStop_SaysIfStartedAgain(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.active["web.service"] = "active"
	f.answer = func(call string) (string, error, bool) { return "", nil, strings.Contains(call, " stop ") }
	wantError(t, m.Stop(t.Context(), web()), nil, "something started it again")
}

func TestControl_EndsWithContext(t *testing.T) {
	for name, do := range map[string]func(*Manager) func(context.Context, manage.Spec) error{
		"start":   func(m *Manager) func(context.Context, manage.Spec) error { return m.Start },
		"stop":    func(m *Manager) func(context.Context, manage.Spec) error { return m.Stop },
		"restart": func(m *Manager) func(context.Context, manage.Spec) error { return m.Restart },
		"reload":  func(m *Manager) func(context.Context, manage.Spec) error { return m.Reload },
	} {
		t.Run(name, func(t *testing.T) {
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
			wantError(t, do(m)(ctx, web()), context.Canceled, "systemd continues")
		})
	}
}

func TestReload(t *testing.T) {
	for name, test := range map[string]struct {
		active, result, text string
		fails                bool
		want                 string
	}{
		"that works":                {"active", "success", "running", false, ""},
		"that fails in the program": {"active", "success", "running; the last reload failed: no such file", false, "no such file"},
		"that is not answered":      {"active", "timeout", "running", true, "ReloadResult=timeout"},
		"that ends the program":     {"inactive", "success", "", false, "it stopped instead"},
		"that kills the program":    {"failed", "success", "", true, "exit code 2"},
	} {
		t.Run(name, func(t *testing.T) {
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
				t.Error(err)
			case test.want != "":
				wantError(t, err, nil, test.want)
			}
		})
	}
	f, m := newFake(t, false)
	install(t, m, web())
	wantError(t, m.Reload(t.Context(), web()), service.ErrNotRunning, "stopped")
	f.active["web.service"] = "active"
	wantError(t, m.Pause(t.Context(), web()), service.ErrNotSupported)
	wantError(t, m.Continue(t.Context(), web()), service.ErrNotSupported)
}
