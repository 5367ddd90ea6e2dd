//go:build unix

package systemd

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestPasses_ReadsArgumentsFromUnit(t *testing.T) {
	for _, args := range [][]string{
		nil, {"-v"}, {"-addr", ":8080", "", "a  b"}, {`it's "quoted"`, "$HOME", "100%", "%n", `\`, `a\`, "\t", "ä", "*", ";"},
	} {
		for _, executable := range []string{"/opt/web", "/opt/my web/$x", `/opt/it's/we\b`} {
			s := web()
			s.Executable, s.Arguments = executable, args
			f, m := newFake(t, false)
			units, _, err := Render(s, 257, executable)
			if err != nil {
				t.Fatal(err)
			}
			f.write(f.unit("web.service"), units[0].Text)
			if got, ok := m.Passes(t.Context(), s); !ok || !slices.Equal(got, args) {
				t.Errorf("%s: got %q, %t; want %q", executable, got, ok, args)
			}
		}
	}
	f, m := newFake(t, false)
	if got, ok := m.Passes(t.Context(), web()); ok {
		t.Errorf("not installed: %q", got)
	}
	f.write(f.unit("web.service"), "[Service]\nExecStart=/opt/web -x\n")
	if got, ok := m.Passes(t.Context(), web()); ok {
		t.Errorf("of another program: %q", got)
	}
	for _, line := range []string{"", `/opt/web "a`, `/opt/web a"b"`, `/opt/web 'a b'`, "/opt/web %n", `"\`} {
		if words, ok := execWords(line); ok {
			t.Errorf("%s is taken apart: %q", line, words)
		}
	}
}

func TestLastRun_IsSelectedByInvocation(t *testing.T) {
	for user, want := range map[bool]string{
		false: "_SYSTEMD_INVOCATION_ID=abc + INVOCATION_ID=abc",
		true:  "--since=@1795569103 _SYSTEMD_USER_UNIT=web.service _UID=1000 _PID=42 + SYSLOG_IDENTIFIER=web _UID=1000 _PID=42",
	} {
		f, m := newFake(t, user)
		install(t, m, web())
		m.uid = func() int { return 1000 }
		f.show["web.service"] = map[string]string{
			"ActiveState": "failed", "InvocationID": "abc", "ExecMainPID": "42", "ExecMainStartTimestamp": "Wed 2026-11-25 01:11:43.944616 UTC",
		}
		call := ""
		f.answer = func(c string) (string, error, bool) {
			if strings.HasPrefix(c, "journalctl") {
				call = c
				return "a line\n", nil, true
			}
			return "", nil, false
		}
		if log, err := m.LastRun(t.Context(), web()); log != "a line\n" || err != nil || !strings.HasSuffix(call, " --lines=200 "+want) {
			t.Errorf("%q, %v, by\n%s, want\n%s", log, err, call, want)
		}
		words := " --lines=3 _SYSTEMD_INVOCATION_ID=abc + INVOCATION_ID=abc _PID=42"
		u, _, err := m.show(t.Context(), web())
		if said := m.lastOutput(t.Context(), web(), u); err != nil || said != "; last log lines: a line" || !user && !strings.HasSuffix(call, words) {
			t.Errorf("%v, %q, by\n%s, want\n%s", err, said, call, words)
		}
		call = ""
		f.show["web.service"] = map[string]string{"ActiveState": "inactive"}
		if log, err := m.LastRun(t.Context(), web()); log != "" || err != nil || call != "" {
			t.Errorf("of what has not run: %q, %v, by %s", log, err, call)
		}
	}
}

func TestConfined(t *testing.T) {
	f, m := newFake(t, false)
	f.answer = func(call string) (string, error, bool) {
		return "User=web\nDynamicUser=yes\nProtectHome=tmpfs\n", nil, strings.HasPrefix(call, "systemctl show --property=User,DynamicUser,ProtectHome,")
	}
	got := manage.Confined(t.Context(), m, web())
	if got.Account != "web" || !got.Dynamic || got.Directives["ProtectHome"] != "tmpfs" {
		t.Errorf("got %+v", got)
	}
	f.answer = func(string) (string, error, bool) { return "User=\nDynamicUser=no\n", nil, true }
	if got := manage.Confined(t.Context(), m, web()); got.Account != "root" || got.Dynamic {
		t.Errorf("without an account: %+v", got)
	}
}
