package winsvc

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// install makes a plan and applies it.
func install(t *testing.T, m *Manager, s manage.Spec, force bool) *manage.Plan {
	t.Helper()
	p, err := m.Plan(t.Context(), s, force)
	if err == nil {
		err = m.Apply(t.Context(), p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rich returns a specification that uses every setting.
func rich() manage.Spec {
	s := web()
	s.StartType = service.Delayed
	s.Environment = map[string]string{"A": `a "b" %c% $d\`, "EMPTY": ""}
	s.Preshutdown = true
	s.Hardening.WritablePaths = []string{`D:\data`}
	s.Windows.Dependencies = []string{"+NetBIOSGroup", "afd"}
	s.Windows.SecurityDescriptor = "D:P(A;;CCLCSWRPWPLOCRRC;;;BU)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
	return s
}

func withData(f *fake) {
	f.folders[`D:\data`] = "O:BAD:AI(D;OICI;FA;;;BG)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)"
	f.folders[`D:\more`] = "O:BAD:AI(A;OICIID;FA;;;SY)"
}

func TestApply_InstallsWhatThePlanSaid(t *testing.T) {
	m, f := newManager(t)
	withData(f)
	p := install(t, m, rich(), false)
	if p.Installed || !p.Changed() {
		t.Errorf("the plan is %+v", p)
	}
	again, err := m.Plan(t.Context(), rich(), false)
	if err != nil {
		t.Fatal(err)
	}
	if again.Changed() || !again.Installed || again.Replaces != "" {
		t.Errorf("once more, the plan is %+v", again)
	}
	for i, a := range again.Artefacts {
		if a.Old != p.Artefacts[i].New {
			t.Errorf("%s is read back as\n%s, and was to be\n%s", a.Name, a.Old, p.Artefacts[i].New)
		}
	}
	s := f.services["web"]
	if s.config.ImagePath != `"C:\Program Files\web\web.exe" -addr :9090` || s.config.Account != `NT SERVICE\web` || !slices.Equal(s.config.Dependencies, []string{"Tcpip", "Afd", "+NetBIOSGroup"}) {
		t.Errorf("the service is %+v", s.config)
	}
	if got := s.infos[levelFailureActions].Failure; got.Reset != 86400 || !slices.Equal(got.Actions, []action{{1, 1000}, {1, 5000}, {1, 60000}}) {
		t.Errorf("recovery is %+v", got)
	}
	if got := s.infos[levelPreshutdown].Number; got != 31000 {
		t.Errorf("preshutdown is %d", got)
	}
	env := f.keys[strings.ToLower(serviceKey("web"))]["Environment"].texts()
	if !slices.Contains(env, `A=a "b" %c% $d\`) || !slices.Contains(env, "EMPTY=") || !slices.Contains(env, `STATE_DIRECTORY=C:\ProgramData\web\state`) {
		t.Errorf("the environment is %q", env)
	}
	sid := serviceSID("web")
	if got := f.folders[`C:\ProgramData\web\logs`]; got != "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;"+sid+")" {
		t.Errorf("the folder for logs is %s", got)
	}
	if got := f.folders[`D:\data`]; got != "O:BAD:AI(D;OICI;FA;;;BG)(A;OICI;0x1301bf;;;"+sid+")(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)" {
		t.Errorf("the writable folder is %s", got)
	}
}

func TestApply_UpdateChangesOnlyWhatDiffers(t *testing.T) {
	m, f := newManager(t)
	withData(f)
	install(t, m, rich(), false)
	f.services["web"].status = f.services["web"].running(win32.Running)
	old := f.folders[`D:\data`]
	s := web()
	s.Arguments, s.StartType, s.Account, s.Version = []string{""}, service.Manual, "LocalService", "1.3.0"
	s.Hardening.Profile = service.Unconfined
	s.Hardening.WritablePaths = []string{`D:\more`}
	s.Recovery = service.Recovery{Never: true}
	p := install(t, m, s, false)
	if !p.Installed || p.Replaces != "" {
		t.Errorf("the plan is %+v", p)
	}
	got := f.services["web"]
	switch {
	case got.config.ImagePath != `"C:\Program Files\web\web.exe" ""`, got.config.Start != startDemand, got.config.Account != localService:
		t.Errorf("the service is %+v", got.config)
	case got.infos[levelDelayed].Flag, len(got.infos[levelPrivileges].List) > 0, len(got.infos[levelFailureActions].Failure.Actions) > 0, got.infos[levelNonCrash].Flag:
		t.Errorf("the service is %+v", got.infos)
	case got.status.State != win32.Running:
		t.Error("it was stopped")
	case strings.Contains(f.folders[`D:\data`], serviceSID("web")) || f.folders[`D:\data`] == old:
		t.Errorf("it may still write to D:\\data: %s", f.folders[`D:\data`])
	case !strings.Contains(f.folders[`D:\more`], serviceSID("web")):
		t.Errorf("it may not write to D:\\more: %s", f.folders[`D:\more`])
	}
}

func TestApply_WritesNothingThatIsUnchanged(t *testing.T) {
	for _, account := range []string{"", "LocalService", "root"} {
		m, f := newManager(t)
		withData(f)
		s := rich()
		s.Account = account
		install(t, m, s, false)
		f.calls = nil
		install(t, m, s, false)
		for _, c := range f.calls {
			for _, writes := range []string{"Change", "Create", "Set", "RegSet", "RegDelete", "Delete", "Remove"} {
				if strings.HasPrefix(c, writes) {
					t.Errorf("as %q, it calls %s", account, c)
				}
			}
		}
	}
}

// world describes a machine before an installation.
type world struct {
	name  string
	setUp func(t *testing.T, m *Manager, f *fake)
	spec  manage.Spec
	force bool
}

func worlds() []world {
	password := rich()
	password.Account, password.Password = "svc", func() (string, error) { return "hush", nil }
	manual := web()
	manual.StartType, manual.Hardening.Profile, manual.Recovery = service.Manual, service.Unconfined, service.Recovery{Never: true}
	manual.Hardening.WritablePaths = []string{`D:\more`}
	kardianos := func(t *testing.T, _ *Manager, f *fake) {
		withData(f)
		s := f.add("web", config{Type: typeOwnProcess | typeInteractive, Start: startDemand, ErrorControl: 1, ImagePath: `C:\Old Files\web.exe -x`, DisplayName: "Old", Account: localSystem})
		s.infos[levelFailureActions] = info{Failure: failureActions{10, []action{{actionCommand, 5}}}}
		f.keys[strings.ToLower(serviceKey("web"))]["Environment"] = value{regMulti, wide("OLD=1\x00\x00")}
		f.keys[strings.ToLower(eventKey("web"))] = map[string]value{"EventMessageFile": text(regString, `C:\old.dll`)}
		f.folders[`C:\ProgramData\web`] = "O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)"
	}
	return []world{
		{"nothing is installed", func(t *testing.T, _ *Manager, f *fake) { withData(f) }, rich(), false},
		{"nothing is installed, and there is a password", func(t *testing.T, _ *Manager, f *fake) { withData(f) }, password, false},
		{"the same is installed", func(t *testing.T, m *Manager, f *fake) { withData(f); install(t, m, rich(), false) }, rich(), false},
		{"less is installed", func(t *testing.T, m *Manager, f *fake) { withData(f); install(t, m, manual, false) }, password, false},
		{"more is installed", func(t *testing.T, m *Manager, f *fake) { withData(f); install(t, m, password, false) }, manual, false},
		{"another tool has installed it", kardianos, rich(), false},
		{"another tool has installed it, with a password", func(t *testing.T, m *Manager, f *fake) {
			kardianos(t, m, f)
			s := f.services["web"]
			s.config.Type, s.config.Account, s.password = typeOwnProcess, `.\old`, "unknown"
		}, rich(), false},
		{"a folder belongs to a user", func(t *testing.T, _ *Manager, f *fake) {
			withData(f)
			f.folders[`C:\ProgramData\web`] = "O:S-1-5-21-1-2-3-1001D:(A;OICI;FA;;;WD)"
		}, rich(), true},
	}
}

func TestApply_UndoesEverythingIfAnyCallFails(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			failures := 0
			for n := 1; ; n++ {
				m, f := newManager(t)
				w.setUp(t, m, f)
				p, err := m.Plan(t.Context(), w.spec, w.force)
				if err != nil {
					t.Fatal(err)
				}
				before := f.snapshot()
				f.calls, f.failing, f.with = nil, n, win32.Errno(31) // ERROR_GEN_FAILURE
				err = m.Apply(t.Context(), p)
				if len(f.calls) < n { // all calls were made
					if err != nil {
						t.Fatal(err)
					}
					break
				}
				failures++
				if err == nil {
					t.Errorf("call %d, %s, failed, but no error was returned", n, f.calls[n-1])
				} else if win32.Number(err) != 31 || strings.Contains(err.Error(), "could be undone") || strings.Contains(err.Error(), "hush") {
					t.Errorf("call %d, %s: %v", n, f.calls[n-1], err)
				}
				if after := f.snapshot(); after != before {
					t.Fatalf("call %d, %s, failed. Before:\n%s\nafter:\n%s", n, f.calls[n-1], before, after)
				}
			}
			if failures < 15 {
				t.Errorf("only %d calls failed", failures)
			}
			t.Logf("%d calls failed, one after the other", failures)
		})
	}
}

func TestApply_ReportsWhatCannotBeUndone(t *testing.T) {
	m, f := newManager(t)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	f.calls, f.failing, f.with, f.broken = nil, 30, win32.Errno(31), true
	err = m.Apply(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "not all earlier changes could be undone") || !strings.Contains(err.Error(), "delete service web") {
		t.Errorf("got %v", err)
	}
}

func TestApply_DoesNotFollowALinkCreatedAfterThePlan(t *testing.T) {
	for _, path := range []string{`C:\ProgramData\web\logs`, `D:\data`} {
		m, f := newManager(t)
		withData(f)
		install(t, m, rich(), false)
		if _, err := m.Remove(t.Context(), rich(), false); err != nil {
			t.Fatal(err)
		}
		p, err := m.Plan(t.Context(), rich(), false)
		if err != nil {
			t.Fatal(err)
		}
		f.links[path] = true
		before := f.snapshot()
		if err := m.Apply(t.Context(), p); !errors.Is(err, service.ErrUnsafe) {
			t.Errorf("%s: got %v", path, err)
		}
		if after := f.snapshot(); after != before {
			t.Errorf("%s: before:\n%s\nafter:\n%s", path, before, after)
		}
	}
}

func TestApply_ReportsRefusalsAndLeavesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		setUp func(f *fake, s *manage.Spec)
		want  string
	}{
		"the display name is taken": {func(_ *fake, s *manage.Spec) { s.DisplayName = "afd OF windows" }, "another service has this name"},
		"a circle": {func(f *fake, s *manage.Spec) {
			f.services["afd"].config.Dependencies = []string{"web"}
		}, "in a circle"},
		"no such account": {func(_ *fake, s *manage.Spec) {
			s.Account, s.Password = "nobody", func() (string, error) { return "hush", nil }
		}, "the account does not exist"},
		"no password": {func(_ *fake, s *manage.Spec) { s.Account = "svc" }, `account .\svc: ` + manage.ErrConfig.Error() + ": it needs a password"},
		"a password that is not told": {func(_ *fake, s *manage.Spec) {
			s.Account, s.Password = "svc", func() (string, error) { return "", errors.New("no terminal") }
		}, "no terminal"},
		"it is being deleted": {func(f *fake, s *manage.Spec) {
			s.Executable = `C:\x\web.exe`
			f.services["web"] = &fakeService{name: "web", deleted: true, held: 1, security: asMade, infos: map[level]info{}, config: config{ImagePath: `web.exe`}}
		}, "marked for deletion"},
	} {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			s := web()
			test.setUp(f, &s)
			p, err := m.Plan(t.Context(), s, false)
			if err != nil {
				t.Fatal(err)
			}
			before := f.snapshot()
			if err := m.Apply(t.Context(), p); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v", err)
			}
			if after := f.snapshot(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

func TestApply_AsksForPasswordsOnlyIfNeeded(t *testing.T) {
	asked := 0
	ask := func() (string, error) { asked++; return "hush", nil }
	for _, test := range []struct {
		account, want, password string
		asks                    int
	}{
		{"", `NT SERVICE\web`, "", 0},
		{"root", "LocalSystem", "", 0},
		{"LocalSystem", "LocalSystem", "", 0},
		{"Local Service", `NT AUTHORITY\LocalService`, "", 0},
		{`nt authority\networkservice`, `NT AUTHORITY\NetworkService`, "", 0},
		{"svc", `.\svc`, "hush", 1},
		{`CORP\svc`, `CORP\svc`, "hush", 1},
		{"svc@corp.example", "svc@corp.example", "hush", 1},
		{`.\svc$`, `.\svc$`, "hush", 1}, // a user of this machine: only a domain manages accounts
		{`nt service\web`, `nt service\web`, "", 0},
		{`CORP\gmsa$`, `CORP\gmsa$`, "", 0},
		{"gmsa$@corp.example", "gmsa$@corp.example", "", 0},
	} {
		t.Run(test.account, func(t *testing.T) {
			for _, first := range []string{"", "other"} { // what was installed before, if anything
				m, f := newManager(t)
				s := web()
				s.Password = ask
				if first != "" {
					s.Account = first
					install(t, m, s, false)
				}
				s.Account = test.account
				asked = 0
				p := install(t, m, s, false)
				got := f.services["web"]
				if got.config.Account != test.want || got.password != test.password || asked != test.asks {
					t.Errorf("%q is %q with password %q, asked %d times", test.account, got.config.Account, got.password, asked)
				}
				for _, a := range p.Artefacts {
					if strings.Contains(a.Old+a.New, "hush") {
						t.Errorf("the plan has the password:\n%s", a.New)
					}
				}
				s.Password = nil // the password is kept
				if install(t, m, s, false); f.services["web"].password != test.password {
					t.Errorf("%q has lost its password", test.account)
				}
			}
		})
	}
}

func TestManager_OnlyPlansWithoutRights(t *testing.T) {
	m, f := newManager(t)
	install(t, m, web(), false)
	f.user = true
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	if p.Changed() || !strings.Contains(strings.Join(p.Warnings, "\n"), "only administrators can see") {
		t.Errorf("the plan is %+v", p)
	}
	s := web()
	s.Name, s.DisplayName = "new", ""
	fresh, err := m.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	_, removed := m.Remove(t.Context(), web(), false)
	for what, err := range map[string]error{
		"update": m.Apply(t.Context(), p), "install": m.Apply(t.Context(), fresh), "remove": removed,
		"start": m.Start(t.Context(), web()), "stop": m.Stop(t.Context(), web()), "pause": m.Pause(t.Context(), web()), "reload": m.Reload(t.Context(), web()),
	} {
		if !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "Administrator") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if f.snapshot() != before {
		t.Error("something has changed")
	}
}

func TestApply_InstancesAreSeparateServices(t *testing.T) {
	m, f := newManager(t)
	for _, instance := range []string{"a", "b"} {
		s := web()
		s.Template, s.Instance = true, instance
		install(t, m, s, false)
		env := f.keys[strings.ToLower(serviceKey("web@"+instance))]["Environment"].texts()
		if !slices.Contains(env, "SERVICE_INSTANCE="+instance) || !slices.Contains(env, `STATE_DIRECTORY=C:\ProgramData\web@`+instance+`\state`) {
			t.Errorf("the environment is %q", env)
		}
	}
	if f.services["web@a"] == nil || f.services["web@b"] == nil || f.services["web"] != nil {
		t.Errorf("the services are %v", f.services)
	}
}

func TestApply_CancelledLeavesNothing(t *testing.T) {
	m, f := newManager(t)
	p, err := m.Plan(t.Context(), web(), false)
	if err != nil {
		t.Fatal(err)
	}
	before := f.snapshot()
	ctx := &counted{Context: t.Context(), left: 5}
	if err := m.Apply(ctx, p); err == nil || ctx.left >= 0 {
		t.Errorf("got %v", err)
	}
	if after := f.snapshot(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestLaunches_ReturnsTheInstalledExecutable(t *testing.T) {
	m, f := newManager(t)
	if got, err := m.Launches(t.Context(), web()); got != "" || err != nil {
		t.Errorf("of what is not installed: %q, %v", got, err)
	}
	install(t, m, web(), false)
	f.services["web"].config.ImagePath = `"C:\Program Files\Web\web.exe" -x`
	if got, err := m.Launches(t.Context(), web()); got != `C:\Program Files\Web\web.exe` || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
