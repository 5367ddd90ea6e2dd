//go:build unix

package systemd

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestFailure_NamesMissingEnvironmentFile(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.write("/etc/default/web", "")
	unit := map[string]string{
		"ActiveState": "failed", "Result": "resources",
		"EnvironmentFiles": "/etc/default/web (ignore_errors=no)\nEnvironmentFiles=/etc/optional (ignore_errors=yes)\nEnvironmentFiles=/etc/default/my web (ignore_errors=no)\n" +
			"EnvironmentFiles=/etc/default/w*b (ignore_errors=no)",
	}
	f.show["web.service"] = unit
	wantError(t, m.startAndCheck(t.Context(), web(), "start"), nil, "there is no /etc/default/my web, and systemd does not start it without that (EnvironmentFile=, Result=resources); see the log")
	const finding = " environment file: there is no /etc/default/my web, and systemd does not start the service without it (EnvironmentFile=) -> " +
		"create it, or put - before the path where it is set; systemctl cat web.service shows where that is"
	for level, state := range map[string]string{"3": "failed", "2": "active"} {
		unit["ActiveState"] = state
		if got := lines(m.Diagnose(t.Context(), web())); !slices.Contains(got, level+finding) {
			t.Errorf("%s: found %q", state, got)
		}
	}
	if got := manage.Confined(t.Context(), m, web()).Directives["EnvironmentFile"]; got != "/etc/default/web\n/etc/default/my web\n/etc/default/w*b" {
		t.Errorf("required are %q", got)
	}
	f.write("/etc/default/my web", "")
	unit["ActiveState"] = "failed"
	for _, l := range lines(m.Diagnose(t.Context(), web())) {
		if strings.Contains(l, "environment file") || !strings.Contains(l, "lacked the resources") {
			t.Errorf("with all files, found %q", l)
		}
	}
}

func TestFailure_NamesWorkingDirectory(t *testing.T) {
	for dir, want := range map[string]string{
		"/srv/gone": "exit code 200/CHDIR: its working directory /srv/gone cannot be entered",
		"~":         "exit code 200/CHDIR: the working directory cannot be entered",
		"":          "exit code 200/CHDIR: the working directory cannot be entered",
	} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.show["web.service"] = map[string]string{"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "200", "WorkingDirectory": dir}
		if st, err := m.Status(t.Context(), web()); err != nil || st.Detail != want {
			t.Errorf("%q: got %+v, %v", dir, st, err)
		}
	}
}
