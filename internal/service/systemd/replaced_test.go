//go:build unix

package systemd

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// TestPlan_NamesSettingsOfKardianosThatAreLost has each directive that kardianos/service
// writes, and some that operators write.
func TestPlan_NamesSettingsOfKardianosThatAreLost(t *testing.T) {
	const before = "the service that is replaced had "
	add := strings.NewReplacer("ExecStart=/usr/local/bin/web\n", `ExecStart=/usr/local/bin/web "-a" b\x20c
RootDirectory=/srv
WorkingDirectory=/srv/web
User=bob
ExecReload=/bin/kill -HUP "$MAINPID"
StandardOutput=file:/var/log/web.out
LimitNOFILE=1024
Restart=always
`, "sysconfig/web\n", `sysconfig/web
EnvironmentFile=/etc/web.env

Environment=A=1
Environment="B=2 3"
# a comment
`, "user.target\n", "user.target\nAlias=w.service\n", "/bin/web\n\n", "/bin/web\nAfter=db.service\nRequires=cache.service\n\n").Replace(ofKardianos)
	for name, c := range map[string]struct {
		old  string
		spec manage.Spec
		want []string
	}{
		"as it was": {ofKardianos, web(func(s *manage.Spec) { s.Account = "root" }), []string{"EnvironmentFile: -/etc/sysconfig/web stays that of the service that is replaced"}},
		"root": {ofKardianos, web(), []string{
			"EnvironmentFile: -/etc/sysconfig/web stays that of the service that is replaced",
			"the service that is replaced ran as root: this one runs as an account of its own, and may not be able to read and write the files of the other; Account says who it is",
		}},
		"another file": {ofKardianos, web(func(s *manage.Spec) { s.Account, s.EnvironmentFile = "root", "/etc/default/web" }), []string{
			before + "EnvironmentFile=-/etc/sysconfig/web: it is not carried over",
			"EnvironmentFile: /etc/default/web does not exist, and without it the service does not start",
		}},
		"everything": {add, web(), []string{
			before + `ExecStart=/usr/local/bin/web "-a" b\x20c: it is not carried over`,
			before + "RootDirectory=/srv: it is not carried over",
			before + "WorkingDirectory=/srv/web: it is not carried over",
			before + "User=bob: it is not carried over",
			before + `ExecReload=/bin/kill -HUP "$MAINPID": it is not carried over`,
			before + "StandardOutput=file:/var/log/web.out: it is not carried over",
			before + "LimitNOFILE=1024: it is not carried over",
			before + "Restart=always: it is not carried over",
			before + "EnvironmentFile=-/etc/sysconfig/web: it is not carried over",
			before + "Environment=A=1: it is not carried over",
			before + `Environment="B=2 3": it is not carried over`,
			before + "Alias=w.service: it is not carried over",
			before + "After=db.service: it is not carried over",
			before + "Requires=cache.service: it is not carried over",
			"EnvironmentFile: /etc/web.env does not exist, and without it the service does not start",
			"EnvironmentFile: /etc/web.env stays that of the service that is replaced",
		}},
		"all of it asked for": {add, web(func(s *manage.Spec) {
			s.Account, s.WorkingDirectory, s.Limits.OpenFiles, s.EnvironmentFile = "bob", "/srv/web", 1024, "/etc/web.env"
			s.Environment, s.Dependencies = map[string]string{"A": "1", "B": "2 3"}, []string{"db", "cache"}
			s.Arguments = []string{"-a", "b c"}
			s.Systemd.Service = []string{"RootDirectory=/srv", "StandardOutput=file:/var/log/web.out", "Restart=always"}
		}), []string{
			before + `ExecReload=/bin/kill -HUP "$MAINPID": it is not carried over`,
			before + "EnvironmentFile=-/etc/sysconfig/web: it is not carried over",
			before + "Alias=w.service: it is not carried over",
			"EnvironmentFile: /etc/web.env does not exist, and without it the service does not start",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			f.write(f.unit("web.service"), c.old)
			m.safe = func(file string, _ bool) error { _, err := os.Stat(file); return err }
			p, err := m.Plan(t.Context(), c.spec, false)
			if err != nil {
				t.Error(err)
				return
			}
			slices.Sort(p.Warnings)
			slices.Sort(c.want)
			if !slices.Equal(p.Warnings, c.want) {
				t.Errorf("it says\n%s\nwant\n%s", strings.Join(p.Warnings, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestPlan_KeepsEnvironmentFileOfKardianos(t *testing.T) {
	f, m := newFake(t, false)
	machines["one of kardianos"](f, m)
	const want = "\n# " + manage.Kept + "\nEnvironmentFile=-/etc/sysconfig/web\n"
	for _, round := range []string{"first", "second"} {
		install(t, m, web())
		if text := f.read(f.unit("web.service")); !strings.Contains(text, want) {
			t.Errorf("after the %s install want %q in\n%s", round, want, text)
		}
	}
	// The program names another file, and then none.
	install(t, m, web(func(s *manage.Spec) { s.EnvironmentFile = "-/etc/default/web 100%" }))
	if text := f.read(f.unit("web.service")); strings.Contains(text, "sysconfig") || !strings.Contains(text, "\nEnvironmentFile=-/etc/default/web 100%%\n") {
		t.Errorf("with another one it is\n%s", text)
	}
	install(t, m, web())
	if text := f.read(f.unit("web.service")); strings.Contains(text, "EnvironmentFile") {
		t.Errorf("with none it is\n%s", text)
	}
}

func TestPlan_RefusesUnsafeEnvironmentFile(t *testing.T) {
	for _, file := range []string{"/etc/default/web", "-/etc/default/web", "-/etc/missing/web"} {
		f, m := newFake(t, false)
		f.write("/etc/default/web", "A=1\n")
		m.safe = func(at string, _ bool) error {
			if strings.HasSuffix(at, "/web") && !strings.HasSuffix(at, "/bin/web") || strings.HasSuffix(at, "/etc") {
				if strings.Contains(at, "missing") {
					return fs.ErrNotExist
				}
				return service.ErrUnsafe
			}
			return nil
		}
		s := web(func(s *manage.Spec) { s.EnvironmentFile = file })
		if _, err := m.Plan(t.Context(), s, false); !errors.Is(err, service.ErrUnsafe) || !strings.HasPrefix(err.Error(), "EnvironmentFile is /etc/") {
			t.Errorf("%s: %v", file, err)
		}
		p, err := m.Plan(t.Context(), s, true)
		if err != nil || !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.HasPrefix(w, "EnvironmentFile: ") }) {
			t.Errorf("%s, with force: %v", file, err)
		}
	}
	for _, file := range []string{"/etc/*.env", `/etc/a\b`, "/etc/a[b]", "/etc/web "} {
		_, m := newFake(t, false)
		if _, err := m.Plan(t.Context(), web(func(s *manage.Spec) { s.EnvironmentFile = file }), false); !errors.Is(err, manage.ErrConfig) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func (f *fake) read(p string) string {
	f.t.Helper()
	text, err := os.ReadFile(f.path(p))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}
