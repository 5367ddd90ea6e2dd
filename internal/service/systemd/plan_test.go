//go:build unix

package systemd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestPlan_ChangesNothing(t *testing.T) {
	f, m := newFake(t, false)
	before := f.snapshot()
	p, err := m.Plan(t.Context(), web(onSocket), false)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Changed() || p.Installed || p.Replaces != "" {
		t.Errorf("got %+v", p)
	}
	if f.snapshot() != before || len(f.changes()) > 0 {
		t.Errorf("it was changed by %q", f.changes())
	}
	want := []string{"systemctl daemon-reload", "systemctl enable web-http.socket"}
	if !slices.Equal(p.Calls, want) {
		t.Errorf("the calls are %q, want %q", p.Calls, want)
	}
}

func TestPlan_RefusesUnitsOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*fake)
		words   []string
	}{
		"a unit that somebody has written": {func(f *fake) { f.write(f.unit("web.service"), "[Service]\nExecStart=/bin/web\n") }, []string{systemFile("web.service")}},
		"a link": {func(f *fake) {
			f.write("/srv/web.service", "[Service]\n")
			f.write(f.unit("x"), "")
			_ = os.Symlink("/srv/web.service", f.path(f.unit("web.service")))
		}, []string{"link to /srv/web.service"}},
		"a unit of a package": {func(f *fake) { f.write("/usr/lib/systemd/system/web.service", "[Service]\n") }, []string{"/usr/lib/systemd/system/web.service"}},
		"an init script": {func(f *fake) {
			f.show["web.service"] = map[string]string{"LoadState": "loaded", "FragmentPath": "/run/systemd/generator.late/web.service", "SourcePath": "/etc/init.d/web"}
		}, []string{"/etc/init.d/web"}},
		"a socket of somebody": {func(f *fake) { f.write(f.unit("web-http.socket"), "[Socket]\nListenStream=1\n") }, []string{"web-http.socket"}},
		"a socket of another of ours": {func(f *fake) {
			f.write(f.unit("web-http.socket"), "# "+manage.Mark+"\n[Socket]\nListenStream=1\nService=web-http.service\n")
		}, []string{"another service"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			test.prepare(f)
			before := f.snapshot()
			_, err := m.Plan(t.Context(), web(onSocket), false)
			wantError(t, err, service.ErrForeign, test.words...)

			p, err := m.Plan(t.Context(), web(onSocket), true)
			if err != nil {
				t.Fatal(err)
			}
			if warned := strings.Join(p.Warnings, "\n"); !strings.Contains(warned, test.words[0]) {
				t.Errorf("the warnings are %q", p.Warnings)
			}
			if f.snapshot() != before {
				t.Error("the plan has changed something")
			}
			delete(f.show, "web.service")
			if err := m.Apply(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if text, _ := f.text("web.service"); !manage.Marked(text) {
				t.Errorf("with force it is %q", text)
			}
		})
	}
}

func TestPlan_RefusesMaskedUnitsEvenWithForce(t *testing.T) {
	null := func(file string) func(*fake) {
		return func(f *fake) {
			f.write(filepath.Dir(file)+"/x", "")
			_ = os.Symlink("/dev/null", f.path(file))
		}
	}
	for want, test := range map[string]struct {
		prepare func(*fake)
		spec    manage.Spec
	}{
		"web.service is masked and cannot be started: run systemctl unmask web.service first":                               {null(systemFile("web.service")), web()},
		"web-http.socket is masked and cannot be started: run systemctl unmask web-http.socket first":                       {null(systemFile("web-http.socket")), web(onSocket)},
		"web@a.service is masked and cannot be started: run systemctl unmask web@a.service first":                           {null(systemFile("web@a.service")), web(template)},
		"web.service is masked until the next boot and cannot be started: run systemctl unmask --runtime web.service first": {null("/run/systemd/system/web.service"), web()},
		systemFile("web.service") + " is empty, which masks the unit: run rm " + systemFile("web.service") + " first":       {func(f *fake) { f.write(systemFile("web.service"), "") }, web()},
	} {
		t.Run(want, func(t *testing.T) {
			f, m := newFake(t, false)
			test.prepare(f)
			before := f.snapshot()
			for _, force := range []bool{false, true} {
				if _, err := m.Plan(t.Context(), test.spec, force); err == nil || err.Error() != want {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
			if f.snapshot() != before {
				t.Error("the plan has changed something")
			}
		})
	}
}

func TestPlan_ReplacesUnitOfKardianos(t *testing.T) {
	f, m := newFake(t, false)
	machines["one of kardianos"](f, m)
	p := install(t, m, web())
	if p.Replaces != "kardianos/service" || !p.Installed {
		t.Errorf("got %+v", p)
	}
	if !slices.Contains(f.changes(), "systemctl reenable -- web.service") {
		t.Errorf("its links are the old ones: %q", f.changes())
	}
}

func TestPlan_RefusesWhatOnlyLooksLikeKardianos(t *testing.T) {
	for _, text := range []string{
		strings.Replace(ofKardianos, "RestartSec=120", "RestartSec=5", 1),
		strings.Replace(ofKardianos, "sysconfig/web", "sysconfig/other", 1),
		strings.Replace(ofKardianos, "[Install]", "[Instal]", 1),
	} {
		f, m := newFake(t, false)
		f.write(f.unit("web.service"), text)
		_, err := m.Plan(t.Context(), web(), false)
		wantError(t, err, service.ErrForeign)
		_, err = m.Remove(t.Context(), web(), false)
		wantError(t, err, service.ErrForeign)
	}
}

func TestPlan_RefusesUnsafeExecutable(t *testing.T) {
	_, m := newFake(t, false)
	m.safe = func(_ string, user bool) error {
		if user {
			return nil
		}
		return errors.Join(service.ErrUnsafe)
	}
	_, err := m.Plan(t.Context(), web(), false)
	wantError(t, err, service.ErrUnsafe)
	p, err := m.Plan(t.Context(), web(), true)
	if err != nil || !slices.Contains(p.Warnings, service.ErrUnsafe.Error()) {
		t.Errorf("got %+v, %v", p, err)
	}
	_, m = newFake(t, true)
	m.safe = func(_ string, user bool) error {
		if !user {
			return nil
		}
		return errors.Join(service.ErrUnsafe)
	}
	_, err = m.Plan(t.Context(), web(ofUser), false)
	wantError(t, err, service.ErrUnsafe)
}

func TestPlan_RefusesMissingExecutable(t *testing.T) {
	_, m := newFake(t, false)
	_, err := m.Plan(t.Context(), web(func(s *manage.Spec) { s.Executable = "/nonexistent/web" }), false)
	wantError(t, err, manage.ErrConfig, "/nonexistent/web")
}

func TestPlan_ExposesTargetOfLinkedExecutable(t *testing.T) {
	f, m := newFake(t, false)
	m.links = func(string) (string, error) { return f.path("/home/me/go/bin/web"), nil }
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	if text := p.Artefacts[0].New; !strings.Contains(text, "\nBindReadOnlyPaths=/home/me/go/bin/web\n") || !strings.Contains(text, "\nProtectHome=tmpfs\n") || !strings.Contains(text, "\nExecStart=/usr/local/bin/web\n") {
		t.Errorf("got %s", text)
	}
}

func TestPlan_WarnsOperator(t *testing.T) {
	for want, prepare := range map[string]func(*fake, *manage.Spec){
		"web.service.d stays": func(f *fake, _ *manage.Spec) { f.write(f.unit("web.service.d/x.conf"), "[Unit]\n") },
		"WritablePaths: /srv/nothing does not exist": func(_ *fake, s *manage.Spec) {
			s.Hardening.WritablePaths = []string{"/srv/nothing"}
		},
		"WritablePaths: /srv is not writable for everyone": func(f *fake, s *manage.Spec) {
			f.write("/srv/file", "")
			s.Hardening.WritablePaths = []string{"/srv"}
		},
		"Account: there is no user www": func(f *fake, s *manage.Spec) {
			s.Account = "www"
			f.answer = func(call string) (string, error, bool) { return "", refusal(2, ""), strings.HasPrefix(call, "getent") }
		},
		"only one can run": func(_ *fake, s *manage.Spec) { template(s); onSocket(s) },
	} {
		t.Run(want, func(t *testing.T) {
			f, m := newFake(t, false)
			s := web()
			prepare(f, &s)
			p, err := m.Plan(t.Context(), s, false)
			if err != nil || !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, want) }) {
				t.Errorf("want %q, got %+v, %v", want, p, err)
			}
		})
	}
	f, m := newFake(t, false)
	f.write("/etc/passwd", "root:x:0\n")
	if p, err := m.Plan(t.Context(), web(), false); err != nil || len(p.Warnings) > 0 {
		t.Errorf("without a reason: %+v, %v", p, err)
	}
}

func TestUnitFolder_OfUser(t *testing.T) {
	_, m := newFake(t, true)
	for config, want := range map[string]string{
		"": "/home/me/.config/systemd/user", "/cfg": "/cfg/systemd/user", "relative": "/home/me/.config/systemd/user",
	} {
		m.getenv = func(name string) string { return map[string]string{"XDG_CONFIG_HOME": config}[name] }
		if got, err := m.unitFolder(); got != want || err != nil {
			t.Errorf("%q: got %s, %v", config, got, err)
		}
	}
	m.getenv = func(string) string { return "" }
	m.home = func() (string, error) { return "", errors.New("no home") }
	_, err := m.Plan(t.Context(), web(ofUser), false)
	wantError(t, err, nil, "no home")
}

func TestFolders_OfInstanceAreInThoseOfTemplate(t *testing.T) {
	for _, test := range []struct {
		user bool
		s    manage.Spec
		want string
	}{
		{false, web(), "/var/lib/web"},
		{false, web(template), "/var/lib/web/a"},
		{true, web(ofUser), "/home/me/.local/state/web"},
		{true, web(ofUser, template), "/home/me/.local/state/web/a"},
	} {
		_, m := newFake(t, test.user)
		if got := manage.Folders(m, test.s).State; got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestVersion(t *testing.T) {
	for said, want := range map[string]int{
		"systemd 257 (257.13-1~deb13u1)\n+PAM": 257, "systemd 249 (249.11-0ubuntu3)": 249, "systemd 258~rc2 (258~rc2)": 258, "systemd 255.4 (x)": 255,
		"": 0, "elogind 255": 0, "systemd next": 0, "systemd 1": 0,
	} {
		f, m := newFake(t, false)
		f.version = said
		if got, err := m.version(t.Context()); got != want || err != nil {
			t.Errorf("%q: got %d, %v", said, got, err)
		}
	}
}

func TestPlan_RefusesNameOfExistingUser(t *testing.T) {
	const taken = "this machine has a user of that name already"
	for name, test := range map[string]struct {
		passwd, group, getent string
		change                func(*manage.Spec)
		want                  string
	}{
		"a user":                  {passwd: "web:x:34:34:web:/var/web:/usr/sbin/nologin\n", want: taken},
		"a user with all rights":  {passwd: "web:x:0:0::/:/bin/sh\n", want: taken},
		"a user kept elsewhere":   {getent: "web:*:70000:70000:Web:/home/web:/bin/sh\n", want: taken},
		"a group":                 {group: "web:x:34:\n", want: "this machine has a group of that name already"},
		"of a template":           {passwd: "web:x:34:34:web:/var/web:/bin/sh\n", change: template, want: taken},
		"the service runs":        {getent: "web:!*:64000:64000:Dynamic User:/:/usr/sbin/nologin\n"},
		"somebody says he is one": {passwd: "web:x:1000:1000:Dynamic User:/home/web:/bin/sh\n", want: taken},
		"it is what is asked for": {passwd: "web:x:34:34:web:/var/web:/bin/sh\n", change: func(s *manage.Spec) { s.Account = "web" }},
		"root is asked for":       {passwd: "web:x:0:0::/:/bin/sh\n", change: func(s *manage.Spec) { s.Account = "root" }},
		"systemd hashes the name": {passwd: "web.1:x:34:34::/:/bin/sh\n", change: func(s *manage.Spec) { s.Name = "web.1" }},
		"nobody else":             {passwd: "web2:x:34:34::/:/bin/sh\n", group: "2web:x:34:\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			f.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"+test.passwd)
			f.write("/etc/group", "root:x:0:\n"+test.group)
			f.answer = func(call string) (string, error, bool) {
				return test.getent, nil, call == "getent passwd web" && test.getent != ""
			}
			s := web()
			if test.change != nil {
				test.change(&s)
			}
			_, err := m.Plan(t.Context(), s, true)
			if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
