//go:build unix

package systemd

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestDiagnose_FindsWhatKeepsItFromRunning(t *testing.T) {
	for want, prepare := range map[string]func(*fake, *Manager, *manage.Spec){
		"unit: web.service is masked": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "masked"}
		},
		"unit: is bad.": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "bad-setting", "LoadError": `x "is bad."`}
		},
		"unit: the unit file is gone": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"LoadState": "not-found", "ActiveState": "active"}
		},
		"unit: web.service has changed": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"NeedDaemonReload": "yes"}
		},
		"drop-ins: /etc/x.conf": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"DropInPaths": "/etc/x.conf"}
		},
		"restarts: 4": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"NRestarts": "4"}
		},
		"last end: exit code 203": func(f *fake, _ *Manager, _ *manage.Spec) {
			f.show["web.service"] = map[string]string{"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "203"}
		},
		"account: there is no user www": func(f *fake, _ *Manager, s *manage.Spec) {
			s.Account = "www"
			f.answer = func(call string) (string, error, bool) { return "", refusal(2, ""), strings.HasPrefix(call, "getent") }
		},
		"path /srv/nothing: it does not exist": func(_ *fake, _ *Manager, s *manage.Spec) {
			s.Hardening.WritablePaths = []string{"/srv/nothing"}
		},
		"executable: /usr/local/bin/web is not executable": func(f *fake, _ *Manager, _ *manage.Spec) {
			_ = os.Chmod(f.path("/usr/local/bin/web"), 0o644)
		},
		"executable: /home/me/web is hidden": func(f *fake, _ *Manager, s *manage.Spec) {
			f.write("/home/me/web", "")
			s.Executable = "/home/me/web"
			f.show["web.service"] = map[string]string{"ProtectHome": "yes"}
		},
		"executable: /tmp/web is hidden": func(f *fake, _ *Manager, s *manage.Spec) {
			f.write("/tmp/web", "")
			s.Executable = "/tmp/web"
			f.show["web.service"] = map[string]string{"PrivateTmp": "yes"}
		},
		"executable: the account of the service may be unable to enter /opt/closed": func(f *fake, _ *Manager, s *manage.Spec) {
			f.write("/opt/closed/web", "")
			_ = os.Chmod(f.path("/opt/closed"), 0o700)
			s.Executable = "/opt/closed/web"
			f.show["web.service"] = map[string]string{"DynamicUser": "yes"}
		},
		"dependency db.service: there is no such unit": func(_ *fake, _ *Manager, s *manage.Spec) { s.Dependencies = []string{"network", "db"} },
		"dependency db.service: it has failed": func(f *fake, _ *Manager, s *manage.Spec) {
			s.Dependencies = []string{"db"}
			f.show["db.service"] = map[string]string{"LoadState": "loaded", "ActiveState": "failed"}
		},
		"lingering: it starts when you log in": func(f *fake, m *Manager, _ *manage.Spec) {
			m.user, f.units = true, "/home/me/.config/systemd/user"
			f.write(f.unit("web.service"), "WantedBy=default.target\n")
			_ = f.enable([]string{"web.service"})
			f.answer = func(call string) (string, error, bool) {
				return "no\n", nil, call == "loginctl show-user --property=Linger --value 1000"
			}
		},
		"systemd: version 252 does not wait for a reload": func(f *fake, _ *Manager, _ *manage.Spec) { f.version = "systemd 252 (x)" },
		"systemd: its version is unknown":                 func(f *fake, _ *Manager, _ *manage.Spec) { f.version = "" },
		"systemd: Recovery.Delays":                        func(f *fake, _ *Manager, _ *manage.Spec) { f.version = "systemd 252 (x)" },
		"socket web-http.socket: it has failed": func(f *fake, m *Manager, _ *manage.Spec) {
			install(f.t, m, web(onSocket))
			f.show["web-http.socket"] = map[string]string{"ActiveState": "failed", "Result": "resources"}
		},
		"socket web-http.socket: it is enabled but not listening": func(f *fake, m *Manager, _ *manage.Spec) { install(f.t, m, web(onSocket)) },
	} {
		t.Run(want, func(t *testing.T) {
			f, m := newFake(t, false)
			s := web()
			install(t, m, s)
			if found := m.Diagnose(t.Context(), s); slices.ContainsFunc(found, func(f manage.Finding) bool { return f.Level > manage.OK }) {
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
			if !slices.ContainsFunc(found, func(f manage.Finding) bool {
				return strings.HasPrefix(f.What+": "+f.Detail, want) && f.Level > manage.OK
			}) {
				t.Errorf("found is\n%s", strings.Join(lines, "\n"))
			}
			if f.snapshot() != before || len(f.changes()) > 0 && !onlyLooks(f.changes()) {
				t.Errorf("it has changed something: %q", f.changes())
			}
		})
	}
	_, m := newFake(t, false)
	if found := m.Diagnose(t.Context(), web()); !reflect.DeepEqual(found, []manage.Finding(nil)) {
		t.Errorf("what is not installed: %+v", found)
	}
}

func onlyLooks(calls []string) bool {
	return !slices.ContainsFunc(calls, func(c string) bool {
		return !strings.HasPrefix(c, "loginctl show") && !strings.HasPrefix(c, "journalctl")
	})
}

func TestLaunches(t *testing.T) {
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

func TestDiagnose_NamesUserCreatedLater(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.write("/etc/passwd", "web:x:34:34:web:/var/web:/usr/sbin/nologin\n")
	found := m.Diagnose(t.Context(), web())
	if !slices.ContainsFunc(found, func(x manage.Finding) bool {
		return x.Level == manage.Problem && x.What == "account" && strings.Contains(x.Detail, "has a user of that name already")
	}) {
		t.Errorf("found %+v", found)
	}
}
