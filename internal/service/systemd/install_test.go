//go:build unix

package systemd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func install(t *testing.T, m *Manager, s service.Spec) *service.Plan {
	t.Helper()
	p, err := m.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPlanChangesNothing(t *testing.T) {
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

func TestAnInstallationDoesWhatItsPlanSays(t *testing.T) {
	for _, user := range []bool{false, true} {
		for _, s := range []service.Spec{web(), web(onSocket), web(start(service.Manual)), web(start(service.Disabled)), web(template)} {
			f, m := newFake(t, user)
			p := install(t, m, s)
			if got := f.changes(); !slices.Equal(strip(got), strip(p.Calls)) {
				t.Errorf("%q was called, and %q planned", got, p.Calls)
			}
			for _, a := range p.Artefacts {
				if strings.HasPrefix(a.Name, "/etc/web") {
					if info, err := os.Stat(f.path(a.Name)); err != nil || info.Mode() != 0o755|fs.ModeDir {
						t.Errorf("%s: %v", a.Name, err)
					}
				} else if strings.HasPrefix(a.Name, "/") {
					b, err := os.ReadFile(f.path(a.Name))
					if err != nil || string(b) != a.New {
						t.Errorf("%s: %v", a.Name, err)
					}
				}
			}
			again, err := m.Plan(t.Context(), s, false)
			if err != nil || again.Changed() || !again.Installed || len(again.Calls) != 1 {
				t.Errorf("once more would change %+v, %v", again, err)
			}
		}
	}
}

// strip takes away what only the one or the other has.
func strip(calls []string) []string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = strings.ReplaceAll(c, "-- ", "")
	}
	return out
}

// The machines on which something may be installed.
var machines = map[string]func(*fake, *Manager){
	"nothing": func(*fake, *Manager) {},
	"an older one": func(f *fake, m *Manager) {
		install(f.t, m, web(func(s *service.Spec) { s.Description = "older" }))
	},
	"one with other sockets": func(f *fake, m *Manager) {
		install(f.t, m, web(func(s *service.Spec) {
			s.Start = service.OnSocket
			s.Sockets = []service.Socket{{Name: "old", Network: "tcp", Address: ":1"}, {Name: "older", Network: "tcp", Address: ":2"}}
		}))
	},
	"one that is disabled": func(f *fake, m *Manager) { install(f.t, m, web(start(service.Disabled))) },
	"one of kardianos": func(f *fake, _ *Manager) {
		f.write(f.unit("web.service"), ofKardianos)
		_ = f.enable([]string{"web.service"})
	},
	"a link": func(f *fake, _ *Manager) {
		f.write(f.unit("x"), "")
		_ = os.Symlink("/srv/web.service", f.path(f.unit("web.service")))
	},
}

// ofKardianos is the least that is taken for a unit of kardianos/service.
const ofKardianos = `[Unit]
Description=web
ConditionFileIsExecutable=/usr/local/bin/web

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart=/usr/local/bin/web
RestartSec=120
EnvironmentFile=-/etc/sysconfig/web

[Install]
WantedBy=multi-user.target
`

func TestWhateverFailsNothingIsLeft(t *testing.T) {
	for name, prepare := range machines {
		for _, target := range []service.Spec{web(), web(onTwoSockets), web(start(service.Manual)), web(start(service.Disabled))} {
			for n := 0; ; n++ {
				f, m := newFake(t, false)
				prepare(f, m)
				before := f.snapshot()
				p, err := m.Plan(t.Context(), target, true)
				if err != nil {
					t.Fatal(err)
				}
				f.calls = nil
				seen, failed := 0, ""
				f.answer = func(call string) (string, error, bool) {
					seen++
					if seen-1 != n {
						return "", nil, false
					}
					failed = call
					return "", refusal(1, "as asked by the test"), true
				}
				err = m.Apply(t.Context(), p)
				if failed == "" {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					break
				}
				if err == nil {
					if !strings.Contains(failed, " stop ") { // what is of no consequence
						t.Errorf("%s: %s has failed, and nobody has said so", name, failed)
					}
					continue
				}
				has(t, err, nil, "as asked by the test")
				if after := f.snapshot(); after != before {
					t.Errorf("%s, %s fails: left is\n%s\nand there was\n%s", name, failed, after, before)
				}
				if last := f.calls[len(f.calls)-1]; p.Changed() && len(f.calls) > 1 && last != "systemctl daemon-reload" {
					t.Errorf("%s, %s fails: systemd has not heard that it was taken back: %q", name, failed, f.calls)
				}
			}
		}
	}
}

func onTwoSockets(s *service.Spec) {
	onSocket(s)
	s.Sockets = append(s.Sockets, service.Socket{Name: "admin", Network: "unix", Address: "/run/admin"})
}

func TestWhatStartsByItselfIsEnabled(t *testing.T) {
	for s, want := range map[service.Start][]string{
		service.Automatic: {"web.service"}, service.Delayed: {"web.service"}, service.Manual: nil, service.Disabled: nil,
		service.OnSocket: {"web-admin.socket", "web-http.socket"},
	} {
		f, m := newFake(t, false)
		install(t, m, web(onTwoSockets, start(s)))
		var enabled []string
		for _, l := range f.links("*") {
			enabled = append(enabled, filepath.Base(l))
		}
		slices.Sort(enabled)
		if !slices.Equal(enabled, want) {
			t.Errorf("%s: enabled is %q, want %q", s, enabled, want)
		}
	}
}

func TestAFileThatCannotBeWrittenTakesBackTheOthers(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(onSocket), false)
	if err != nil {
		t.Fatal(err)
	}
	f.write(f.unit("web-http.socket/in the way"), "")
	before := f.snapshot()
	f.calls = nil
	if err := m.Apply(t.Context(), p); err == nil {
		t.Error("it is installed")
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestAContextThatEndsTakesAllBack(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	run := m.machine.Run
	m.machine.Run = func(ctx context.Context, name string, args ...string) (string, error) {
		if strings.Contains(strings.Join(args, " "), "enable") {
			cancel()
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return run(ctx, name, args...)
	}
	if err := m.Apply(ctx, p); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "taken back") {
		t.Errorf("got %v", err)
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestWhatSystemdCannotLoadIsTakenBack(t *testing.T) {
	f, m := newFake(t, false)
	before := f.snapshot()
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	f.show["web.service"] = map[string]string{"LoadState": "bad-setting", "LoadError": `org.freedesktop.systemd1.BadUnitSetting "Unit web.service has a bad unit file setting."`}
	has(t, m.Apply(t.Context(), p), nil, "bad unit file setting", "systemd-analyze verify")
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestWhatBelongsToOthersIsNotOverwritten(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(*fake)
		words   []string
	}{
		"a unit that somebody has written": {func(f *fake) { f.write(f.unit("web.service"), "[Service]\nExecStart=/bin/web\n") }, []string{f0("web.service")}},
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
			f.write(f.unit("web-http.socket"), "# "+service.Mark+"\n[Socket]\nListenStream=1\nService=web-http.service\n")
		}, []string{"another service"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			test.prepare(f)
			before := f.snapshot()
			_, err := m.Plan(t.Context(), web(onSocket), false)
			has(t, err, service.ErrForeign, test.words...)

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
			if text, _ := f.text("web.service"); !service.Marked(text) {
				t.Errorf("with force it is %q", text)
			}
		})
	}
}

func TestWhatIsMaskedIsNotInstalledNotEvenByForce(t *testing.T) {
	null := func(file string) func(*fake) {
		return func(f *fake) {
			f.write(filepath.Dir(file)+"/x", "")
			_ = os.Symlink("/dev/null", f.path(file))
		}
	}
	for want, test := range map[string]struct {
		prepare func(*fake)
		spec    service.Spec
	}{
		"web.service is masked, which forbids to start it: systemctl unmask web.service allows it":                                   {null(f0("web.service")), web()},
		"web-http.socket is masked, which forbids to start it: systemctl unmask web-http.socket allows it":                           {null(f0("web-http.socket")), web(onSocket)},
		"web@a.service is masked, which forbids to start it: systemctl unmask web@a.service allows it":                               {null(f0("web@a.service")), web(template)},
		"web.service is masked until the machine stops, which forbids to start it: systemctl unmask --runtime web.service allows it": {null("/run/systemd/system/web.service"), web()},
		f0("web.service") + " is empty, which masks it and forbids to start it: rm " + f0("web.service") + " allows it":              {func(f *fake) { f.write(f0("web.service"), "") }, web()},
	} {
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
	}
}

func f0(name string) string { return "/etc/systemd/system/" + name }

func TestAUnitOfKardianosIsTakenOver(t *testing.T) {
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

func TestWhatOnlyLooksLikeKardianosIsForeign(t *testing.T) {
	for _, text := range []string{
		strings.Replace(ofKardianos, "RestartSec=120", "RestartSec=5", 1),
		strings.Replace(ofKardianos, "sysconfig/web", "sysconfig/other", 1),
		strings.Replace(ofKardianos, "[Install]", "[Instal]", 1),
	} {
		f, m := newFake(t, false)
		f.write(f.unit("web.service"), text)
		_, err := m.Plan(t.Context(), web(), false)
		has(t, err, service.ErrForeign)
		_, err = m.Remove(t.Context(), web(), false)
		has(t, err, service.ErrForeign)
	}
}

func TestAnExecutableThatOthersCanReplaceIsRefused(t *testing.T) {
	_, m := newFake(t, false)
	m.safe = func(_ string, user bool) error {
		if user {
			return nil
		}
		return errors.Join(service.ErrUnsafe)
	}
	_, err := m.Plan(t.Context(), web(), false)
	has(t, err, service.ErrUnsafe)
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
	has(t, err, service.ErrUnsafe)
}

func TestAnExecutableThatIsNotThereIsRefused(t *testing.T) {
	_, m := newFake(t, false)
	_, err := m.Plan(t.Context(), web(func(s *service.Spec) { s.Executable = "/nonexistent/web" }), false)
	has(t, err, service.ErrSpec, "/nonexistent/web")
}

func TestWhereALinkLeadsIsSeenByTheService(t *testing.T) {
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

func TestSocketsThatAreNotWantedAnyMoreGo(t *testing.T) {
	f, m := newFake(t, false)
	machines["one with other sockets"](f, m)
	f.write(f.unit("web-admin.socket"), "[Socket]\nListenStream=5\nService=web.service\n") // not ours
	p := install(t, m, web(onSocket))
	for _, gone := range []string{"web-old.socket", "web-older.socket"} {
		if _, ok := f.text(gone); ok || len(f.links(gone)) > 0 {
			t.Errorf("%s is there", gone)
		}
		if !slices.Contains(f.changes(), "systemctl stop -- "+gone) {
			t.Errorf("%s listens on: %q", gone, f.changes())
		}
	}
	if _, ok := f.text("web-admin.socket"); !ok {
		t.Error("that of somebody else is gone")
	}
	if len(f.links("web-http.socket")) != 1 {
		t.Error("the new one is not enabled")
	}
	if !slices.Contains(p.Calls, "systemctl disable web-old.socket") {
		t.Errorf("the calls were to be %q", p.Calls)
	}
}

func TestWhatAnOperatorShouldKnowIsAWarning(t *testing.T) {
	for want, prepare := range map[string]func(*fake, *service.Spec){
		"web.service.d stays": func(f *fake, _ *service.Spec) { f.write(f.unit("web.service.d/x.conf"), "[Unit]\n") },
		"WritablePaths: /srv/nothing does not exist": func(_ *fake, s *service.Spec) {
			s.Hardening.WritablePaths = []string{"/srv/nothing"}
		},
		"WritablePaths: /srv is not for everybody": func(f *fake, s *service.Spec) {
			f.write("/srv/file", "")
			s.Hardening.WritablePaths = []string{"/srv"}
		},
		"Account: there is no user www": func(f *fake, s *service.Spec) {
			s.Account = "www"
			f.answer = func(call string) (string, error, bool) { return "", refusal(2, ""), strings.HasPrefix(call, "getent") }
		},
		"only one can run": func(_ *fake, s *service.Spec) { template(s); onSocket(s) },
	} {
		f, m := newFake(t, false)
		s := web()
		prepare(f, &s)
		p, err := m.Plan(t.Context(), s, false)
		if err != nil || !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("want %q, got %+v, %v", want, p, err)
		}
	}
	f, m := newFake(t, false)
	f.write("/etc/passwd", "root:x:0\n")
	if p, err := m.Plan(t.Context(), web(), false); err != nil || len(p.Warnings) > 0 {
		t.Errorf("without a reason: %+v, %v", p, err)
	}
}

func TestWithoutRightsNothingIsTakenBack(t *testing.T) {
	f, m := newFake(t, false)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	f.calls = nil
	if got := m.filed(&fs.PathError{Op: "open", Path: "/etc", Err: fs.ErrPermission}); !errors.Is(got, service.ErrPermission) || !strings.Contains(got.Error(), "sudo") {
		t.Errorf("got %v", got)
	}
	f.write(f.unit("web.service/in the way"), "")
	if err := m.Apply(t.Context(), p); err == nil || len(f.calls) > 0 {
		t.Errorf("got %v, and %q was called", err, f.calls)
	}
}

func TestARemovalLeavesNothing(t *testing.T) {
	for _, user := range []bool{false, true} {
		f, m := newFake(t, user)
		before := f.snapshot()
		s := web(onSocket)
		install(t, m, s)
		f.active["web.service"], f.active["web-http.socket"] = "active", "active"
		f.calls = nil
		gone := []string{f.unit("web-http.socket"), f.unit("web.service")}
		if !user {
			gone = append(gone, "/etc/web")
		}
		removed, err := m.Remove(t.Context(), s, false)
		if err != nil || !slices.Equal(removed, gone) {
			t.Errorf("removed %q, %v", removed, err)
		}
		if f.snapshot() != before {
			t.Errorf("left is %s", f.snapshot())
		}
		prefix := "systemctl "
		if user {
			prefix += "--user "
		}
		want := []string{"stop -- web.service web-http.socket", "disable -- web-http.socket web.service", "daemon-reload", "reset-failed -- web.service"}
		for i := range want {
			want[i] = prefix + want[i]
		}
		if got := f.changes(); !slices.Equal(got, want) {
			t.Errorf("called was %q, want %q", got, want)
		}
		_, err = m.Remove(t.Context(), s, false)
		has(t, err, service.ErrNotInstalled)
	}
}

func TestTheRemovalOfWhatOnlyListensClosesItsSocket(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web-http.socket"] = "active"
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	if f.active["web-http.socket"] == "active" {
		t.Error("it listens on")
	}
}

func TestWhatTheOperatorHasConfiguredStays(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.write("/etc/web/web.yaml", "")
	if removed, err := m.Remove(t.Context(), web(), false); err != nil || slices.Contains(removed, "/etc/web") {
		t.Errorf("removed %q, %v", removed, err)
	}
	if _, err := os.Stat(f.path("/etc/web/web.yaml")); err != nil {
		t.Error(err)
	}
}

func TestASocketThatNobodyHasListensAtItsNewAddress(t *testing.T) {
	moved := web(onSocket, func(s *service.Spec) { s.Sockets[0].Address = ":8081" })
	for state, want := range map[string]string{
		"inactive": "systemctl restart -- web-http.socket", // the service; nobody has the socket
		"active":   "",
	} {
		f, m := newFake(t, false)
		install(t, m, web(onSocket))
		f.active["web.service"], f.active["web-http.socket"] = state, "active"
		f.calls = nil
		p := install(t, m, moved)
		calls := strings.Join(f.changes(), ", ")
		if strings.Contains(calls, "restart") != (want != "") || !strings.Contains(calls, want) {
			t.Errorf("while the service is %s, %s was called", state, calls)
		}
		if told := strings.Contains(strings.Join(p.Warnings, "\n"), "web-http.socket listens as its new file says after a restart"); told != (want == "") {
			t.Errorf("while the service is %s, it warns of %q", state, p.Warnings)
		}
	}
}

func TestARestartOpensASocketThatHasMoved(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web(onSocket))
	f.active["web.service"], f.active["web-http.socket"] = "active", "failed"
	f.calls = nil
	if err := m.Restart(t.Context(), web(onSocket)); err != nil {
		t.Fatal(err)
	}
	want := []string{"systemctl stop -- web.service web-http.socket", "systemctl start -- web-http.socket", "systemctl restart -- web.service"}
	if got := f.changes(); !slices.Equal(got, want) {
		t.Errorf("called was %q, want %q", got, want)
	}
}

func TestATemplateGoesWithItsLastInstance(t *testing.T) {
	f, m := newFake(t, false)
	before := f.snapshot()
	install(t, m, web(template))
	f.answer = func(call string) (string, error, bool) {
		return "web@a.service loaded active running x\nweb@c.service loaded inactive dead x\nweb@d.service loaded failed failed x\n", nil, strings.Contains(call, "list-units")
	}
	removed, err := m.Remove(t.Context(), web(template), false)
	if err != nil || !slices.Equal(removed, []string{f.unit("web@.service"), "/etc/web/a"}) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if f.snapshot() != before {
		t.Errorf("left is %s", f.snapshot())
	}
}

func TestARemovalThatFailsLeavesTheFiles(t *testing.T) {
	for _, failing := range []string{"stop", "disable", "daemon-reload"} {
		f, m := newFake(t, false)
		install(t, m, web())
		f.active["web.service"] = "active"
		f.answer = func(call string) (string, error, bool) {
			return "", refusal(1, "as asked by the test"), strings.Contains(call, " "+failing)
		}
		_, err := m.Remove(t.Context(), web(), true)
		if err == nil {
			t.Errorf("%s has failed, and nobody has said so", failing)
		}
		if _, ok := f.text("web.service"); !ok {
			t.Errorf("%s has failed, and the unit is gone", failing)
		}
	}
}

func TestAPurgeTakesTheDirectories(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	for _, d := range []string{"/var/lib/private/web/x", "/var/cache/web/x", "/var/log/web/x", "/etc/web/x", "/var/lib/webber/x", "/etc/webber"} {
		f.write(d, "")
	}
	_ = os.Symlink("private/web", f.path("/var/lib/web"))
	if _, err := m.Remove(t.Context(), web(), true); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"/var/lib/private/web", "/var/lib/web", "/var/cache/web", "/var/log/web", "/etc/web"} {
		if _, err := os.Lstat(f.path(d)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", d, err)
		}
	}
	for _, d := range []string{"/var/lib/webber/x", "/etc/webber"} {
		if _, err := os.Lstat(f.path(d)); err != nil {
			t.Error(err)
		}
	}
}

func TestATemplateStaysForItsOtherInstances(t *testing.T) {
	for name, prepare := range map[string]func(*fake, *Manager){
		"enabled": func(f *fake, m *Manager) { install(f.t, m, web(template, func(s *service.Spec) { s.Instance = "b" })) },
		"active": func(f *fake, _ *Manager) {
			f.answer = func(call string) (string, error, bool) {
				return "web@b.service loaded active running Serves the web (b)\nweb@c.service loaded inactive dead x\n", nil, strings.Contains(call, "list-units")
			}
		},
	} {
		f, m := newFake(t, false)
		install(t, m, web(template))
		prepare(f, m)
		removed, err := m.Remove(t.Context(), web(template), false)
		if err != nil || !slices.Equal(removed, []string{"web@a.service", "/etc/web/a"}) {
			t.Errorf("%s: removed %q, %v", name, removed, err)
		}
		if _, ok := f.text("web@.service"); !ok {
			t.Errorf("%s: the unit is gone", name)
		}
		if len(f.links("web@a.service")) > 0 {
			t.Errorf("%s: it is still enabled", name)
		}
		_, err = m.Remove(t.Context(), web(template, func(s *service.Spec) { s.Instance = "" }), false)
		has(t, err, nil, "web@b")
	}
}

func TestTheUnitsOfAUserAreWhereItSays(t *testing.T) {
	_, m := newFake(t, true)
	for config, want := range map[string]string{
		"": "/home/me/.config/systemd/user", "/cfg": "/cfg/systemd/user", "relative": "/home/me/.config/systemd/user",
	} {
		m.getenv = func(name string) string { return map[string]string{"XDG_CONFIG_HOME": config}[name] }
		if got, err := m.folder(); got != want || err != nil {
			t.Errorf("%q: got %s, %v", config, got, err)
		}
	}
	m.getenv = func(string) string { return "" }
	m.home = func() (string, error) { return "", errors.New("no home") }
	_, err := m.Plan(t.Context(), web(ofUser), false)
	has(t, err, nil, "no home")
}

func TestAnInstanceHasItsFoldersInThoseOfTheTemplate(t *testing.T) {
	for _, test := range []struct {
		user bool
		s    service.Spec
		want string
	}{
		{false, web(), "/var/lib/web"},
		{false, web(template), "/var/lib/web/a"},
		{true, web(ofUser), "/home/me/.local/state/web"},
		{true, web(ofUser, template), "/home/me/.local/state/web/a"},
	} {
		_, m := newFake(t, test.user)
		if got := service.Folders(m, test.s).State; got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestTheVersionOfSystemdIsRead(t *testing.T) {
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

func TestALeftoverOfAnotherServiceStays(t *testing.T) {
	f, m := newFake(t, false)
	other := web(onSocket)
	other.Name = "web-x"
	install(t, m, other)
	install(t, m, web())
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(f.path(f.unit("web-x*")))
	if len(found) != 2 {
		t.Errorf("found %q", found)
	}
}

func TestAServiceDoesNotRunAsAUserThatHappensToHaveItsName(t *testing.T) {
	const taken = "this machine has a user of that name already"
	for name, test := range map[string]struct {
		passwd, group, getent string
		change                func(*service.Spec)
		want                  string
	}{
		"a user":                  {passwd: "web:x:34:34:web:/var/web:/usr/sbin/nologin\n", want: taken},
		"a user with all rights":  {passwd: "web:x:0:0::/:/bin/sh\n", want: taken},
		"a user kept elsewhere":   {getent: "web:*:70000:70000:Web:/home/web:/bin/sh\n", want: taken},
		"a group":                 {group: "web:x:34:\n", want: "this machine has a group of that name already"},
		"of a template":           {passwd: "web:x:34:34:web:/var/web:/bin/sh\n", change: template, want: taken},
		"the service runs":        {getent: "web:!*:64000:64000:Dynamic User:/:/usr/sbin/nologin\n"},
		"somebody says he is one": {passwd: "web:x:1000:1000:Dynamic User:/home/web:/bin/sh\n", want: taken},
		"it is what is asked for": {passwd: "web:x:34:34:web:/var/web:/bin/sh\n", change: func(s *service.Spec) { s.Account = "web" }},
		"root is asked for":       {passwd: "web:x:0:0::/:/bin/sh\n", change: func(s *service.Spec) { s.Account = "root" }},
		"systemd hashes the name": {passwd: "web.1:x:34:34::/:/bin/sh\n", change: func(s *service.Spec) { s.Name = "web.1" }},
		"nobody else":             {passwd: "web2:x:34:34::/:/bin/sh\n", group: "2web:x:34:\n"},
	} {
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
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, service.ErrSpec) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func TestDiagnoseNamesAUserThatHasComeLater(t *testing.T) {
	f, m := newFake(t, false)
	install(t, m, web())
	f.write("/etc/passwd", "web:x:34:34:web:/var/web:/usr/sbin/nologin\n")
	found := m.Diagnose(t.Context(), web())
	if !slices.ContainsFunc(found, func(x service.Finding) bool {
		return x.Level == service.Problem && x.What == "account" && strings.Contains(x.Detail, "has a user of that name already")
	}) {
		t.Errorf("found %+v", found)
	}
}

func TestWhatDoesNotBelongToTheServiceStays(t *testing.T) {
	f, m := newFake(t, false)
	ownedtest.Run(t, m, web(), m.machine.Tree, m.Folders(web()))
	f.write("/var/lib/private/web/data", "theirs")
	if _, err := m.Plan(t.Context(), web(), false); !errors.Is(err, service.ErrForeign) {
		t.Errorf("of a dynamic user of that name: %v", err)
	}
}

func TestAnUninstallThatWasKilledIsFinished(t *testing.T) {
	for _, purge := range []bool{false, true} {
		f, m := newFake(t, false)
		before := f.snapshot()
		install(t, m, web())
		if err := f.disable([]string{"web.service"}); err != nil {
			t.Fatal(err)
		}
		// So far it had come: the unit is on its way out, and systemd has not heard of it.
		if err := os.Rename(f.path(f.unit("web.service")), f.path(f.unit(".web.glidepath0.old"))); err != nil {
			t.Fatal(err)
		}
		f.show["web.service"] = map[string]string{"LoadState": "loaded", "FragmentPath": f.unit("web.service")}
		f.active["web.service"] = "active" // somebody has started it again
		f.calls = nil
		if _, err := m.Remove(t.Context(), web(), purge); err != nil {
			t.Fatal(err)
		}
		want := []string{"systemctl stop -- web.service", "systemctl daemon-reload", "systemctl reset-failed -- web.service"}
		if got := f.changes(); !slices.Equal(got, want) {
			t.Errorf("it calls %q, want %q", got, want)
		}
		if after := f.snapshot(); after != before {
			t.Errorf("there is left\n%s", after)
		}
		delete(f.show, "web.service")
		if _, err := m.Remove(t.Context(), web(), purge); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("the second time: %v", err)
		}
	}
}

func TestWhatAUserHasIsUsedAndStays(t *testing.T) {
	f, m := newFake(t, true)
	f.write("/home/me/.local/state/web/data", "theirs")
	p := install(t, m, web())
	if !slices.ContainsFunc(p.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "/home/me/.local/state/web was there before: it is used as it is")
	}) {
		t.Errorf("it warns of %q", p.Warnings)
	}
	f.write("/home/me/.cache/web/data", "its own")
	if removed, err := m.Remove(t.Context(), web(), true); err != nil || !slices.Contains(removed, "/home/me/.cache/web") {
		t.Errorf("removed %q, %v", removed, err)
	}
	if text := f.snapshot(); !strings.Contains(text, "/home/me/.local/state/web/data") || strings.Contains(text, ".glidepath") {
		t.Errorf("there is left\n%s", text)
	}
}
