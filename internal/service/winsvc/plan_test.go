package winsvc

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestPlan_WarnsOfChangesThatNeedAReboot(t *testing.T) {
	late := func(p *manage.Plan) string {
		for _, w := range p.Warnings {
			if _, text, ok := strings.Cut(w, "the change of "); ok {
				return strings.TrimSuffix(text, " takes effect only when the machine is restarted: restarting the service is not enough")
			}
		}
		return ""
	}
	m, f := newManager(t)
	for _, step := range []struct {
		crashOnly bool
		sid       uint32
		want      string
	}{
		{false, sidUnrestricted, ""}, // it was not installed
		{false, sidUnrestricted, ""}, // nothing changes
		{true, sidUnrestricted, "FailureActionsOnNonCrashFailures"},
		{true, sidRestricted, "ServiceSidType"},
		{false, sidNone, "ServiceSidType and FailureActionsOnNonCrashFailures"},
		{false, sidUnrestricted, ""},
	} {
		if s := f.services["web"]; s != nil {
			s.infos[levelSID] = info{Number: step.sid} // set by another tool
		}
		s := web()
		s.Recovery.CrashOnly = step.crashOnly
		s.Arguments = append(s.Arguments, "-x") // needs no reboot
		if got := late(install(t, m, s, false)); got != step.want {
			t.Errorf("%+v: %q", step, got)
		}
	}
}

func TestPlan_WarnsOfWhatThisWindowsLacks(t *testing.T) {
	s := rich()
	s.Hardening.WritablePaths = nil
	for l, name := range map[level]string{
		levelDescription: "Description", levelFailureActions: "Recovery", levelDelayed: "Start", levelNonCrash: "CrashOnly",
		levelSID: "ServiceSidType", levelPrivileges: "required privileges", levelPreshutdown: "PreshutdownTimeout",
	} {
		for _, probed := range []bool{true, false} { // whether Plan or only Apply finds out
			m, f := newManager(t)
			f.lacks[l] = true
			if !probed {
				delete(f.services, "rpcss")
			}
			p := install(t, m, s, false)
			got := slices.DeleteFunc(slices.Clone(p.Warnings), func(w string) bool { return !strings.Contains(w, name) })
			if len(got) == 0 || !strings.HasPrefix(got[len(got)-1], "this version of Windows") {
				t.Errorf("without level %d (%s), probed %t, the warnings are %q", l, name, probed, p.Warnings)
			}
			if f.services["web"] == nil {
				t.Errorf("without level %d the service was not made", l)
			}
			if again, err := m.Plan(t.Context(), s, false); err != nil || again.Changed() {
				t.Errorf("without level %d, the next plan changes something, %v", l, err)
			}
		}
	}
	s = web()
	s.Recovery = service.Recovery{Never: true}
	s.Hardening.Profile = service.Unconfined
	m, f := newManager(t)
	for _, l := range levels {
		f.lacks[l] = l != levelDescription && l != levelSID
	}
	if p := install(t, m, s, false); len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "does not tell the recovery actions") {
		t.Errorf("warnings about settings that are not used: %q", p.Warnings)
	}
}

func TestApply_SetsRecoveryActionsThatCannotBeRead(t *testing.T) {
	m, f := newManager(t)
	f.untold[levelFailureActions] = true
	p := install(t, m, web(), false)
	if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "does not tell the recovery actions") }) {
		t.Errorf("the warnings are %q", p.Warnings)
	}
	f.services["web"].infos[levelFailureActions] = info{}
	if p := install(t, m, web(), false); p.Changed() {
		t.Errorf("the plan is %+v", p)
	}
	if got := f.services["web"].infos[levelFailureActions].Failure; len(got.Actions) != 3 {
		t.Errorf("recovery is %+v", got)
	}
}

func TestPlan_OwnerOfTheService(t *testing.T) {
	foreign := func(path string) (*Manager, *fake) {
		m, f := newManager(t)
		f.add("web", config{Type: typeOwnProcess, Start: startAutomatic, ErrorControl: 1, ImagePath: path, DisplayName: "web", Account: localSystem})
		return m, f
	}
	for _, path := range []string{`"C:\Old Files\WEB.EXE" -x`, `C:\Old Files\web.exe -x`, `C:\old\web.exe`} {
		m, f := foreign(path)
		p := install(t, m, web(), false)
		if p.Replaces != another || !strings.Contains(strings.Join(p.Warnings, "\n"), path) {
			t.Errorf("%s: replaces %q, %q", path, p.Replaces, p.Warnings)
		}
		if again, err := m.Plan(t.Context(), web(), false); err != nil || again.Replaces != "" || again.Changed() {
			t.Errorf("%s: once more: %+v, %v", path, again, err)
		}
		if got := f.services["web"].config; got.Account != `NT SERVICE\web` {
			t.Errorf("the service is %+v", got)
		}
	}
	m, f := foreign(`C:\Windows\System32\svchost.exe -k web.exe`)
	before := f.snapshot()
	if _, err := m.Plan(t.Context(), web(), false); !errors.Is(err, service.ErrForeign) || !strings.Contains(err.Error(), "sc delete web") {
		t.Errorf("got %v", err)
	}
	if err := m.CheckRemoval(t.Context(), web()); !errors.Is(err, service.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if _, err := m.Remove(t.Context(), web(), true); !errors.Is(err, service.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if f.snapshot() != before {
		t.Error("something has changed")
	}
	if p := install(t, m, web(), true); p.Replaces != "" || !strings.Contains(strings.Join(p.Warnings, "\n"), "belonged to another program") {
		t.Errorf("with force: %+v", p)
	}
}

func TestPlan_Refusals(t *testing.T) {
	unsafe := func(string, bool) error { return service.ErrUnsafe }
	for name, test := range map[string]struct {
		setUp func(m *Manager, f *fake, s *manage.Spec)
		want  error
		text  string
		force string // the warning with force, "" if it is refused all the same
	}{
		"a service of a user":          {func(_ *Manager, _ *fake, s *manage.Spec) { s.User = true }, service.ErrNotSupported, "Task Scheduler", ""},
		"an executable of everybody's": {func(m *Manager, _ *fake, _ *manage.Spec) { m.safe = unsafe }, service.ErrUnsafe, "", service.ErrUnsafe.Error()},
		"a folder of a user's": {func(_ *Manager, f *fake, _ *manage.Spec) {
			f.folders[`C:\ProgramData\web`] = "O:S-1-5-21-1D:(A;OICI;FA;;;WD)"
		}, service.ErrUnsafe, "S-1-5-21-1", "belonged to S-1-5-21-1"},
		"a folder that is a link": {func(_ *Manager, f *fake, _ *manage.Spec) {
			f.folders[`C:\ProgramData\web`], f.links[`C:\ProgramData\web`] = "O:BAD:", true
		}, service.ErrUnsafe, "is a link", ""},
		"a template": {func(_ *Manager, _ *fake, s *manage.Spec) { s.Template = true }, service.ErrNotSupported, "name an instance", ""},
		"a name that is too long": {func(_ *Manager, _ *fake, s *manage.Spec) {
			s.Template, s.Name, s.Instance = true, strings.Repeat("n", 200), strings.Repeat("i", 56)
		}, manage.ErrConfig, "257 characters", ""},
		"a display name that is too long": {func(_ *Manager, _ *fake, s *manage.Spec) { s.DisplayName = strings.Repeat("ü", 257) }, manage.ErrConfig, "257 characters", ""},
		"a privilege that is none": {func(_ *Manager, _ *fake, s *manage.Spec) {
			s.Hardening.Profile, s.Hardening.Capabilities = service.Unconfined, []string{"CAP_X", "SeNewPrivilege", "SeNoSuchPrivilege"}
		}, manage.ErrConfig, `Capabilities has "SeNoSuchPrivilege": there is no such privilege`, ""},
		"a managed account of no domain":  {func(_ *Manager, _ *fake, s *manage.Spec) { s.Account = "gmsa$" }, manage.ErrConfig, `DOMAIN\gmsa$`, ""},
		"an executable with a variable":   {func(_ *Manager, _ *fake, s *manage.Spec) { s.Executable = `C:\%TEMP%\web.exe` }, manage.ErrConfig, "variable", ""},
		"a name of a folder of another's": {func(_ *Manager, _ *fake, s *manage.Spec) { s.Name = "web." }, manage.ErrConfig, "or end with a dot", ""},
		"a name that is a query":          {func(_ *Manager, _ *fake, s *manage.Spec) { s.Name = "x' or @Name='y" }, manage.ErrConfig, "a name must not contain", ""},
		"a name that is a device":         {func(_ *Manager, _ *fake, s *manage.Spec) { s.Name = "Com1.web" }, manage.ErrConfig, "device", ""},
		"a descriptor for everybody":      {func(_ *Manager, _ *fake, s *manage.Spec) { s.Windows.SecurityDescriptor = "D:NO_ACCESS_CONTROL" }, manage.ErrConfig, "no DACL", ""},
		"a descriptor without a DACL":     {func(_ *Manager, _ *fake, s *manage.Spec) { s.Windows.SecurityDescriptor = "O:BA" }, manage.ErrConfig, "no DACL", ""},
		"a descriptor that is none":       {func(_ *Manager, _ *fake, s *manage.Spec) { s.Windows.SecurityDescriptor = "x" }, manage.ErrConfig, "SecurityDescriptor", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			s := web()
			test.setUp(m, f, &s)
			before := f.snapshot()
			if _, err := m.Plan(t.Context(), s, false); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
			p, err := m.Plan(t.Context(), s, true)
			if test.force == "" && !errors.Is(err, test.want) {
				t.Errorf("with force: %v", err)
			}
			if test.force != "" && (err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), test.force)) {
				t.Errorf("with force: %+v, %v", p, err)
			}
			if f.snapshot() != before {
				t.Error("a plan has changed something")
			}
		})
	}
}

func TestPlan_ExecutableThatOnlyAdministratorsSeeIsNoError(t *testing.T) {
	m, _ := newManager(t)
	m.safe = func(string, bool) error { return fs.ErrPermission }
	if p, err := m.Plan(t.Context(), web(), false); err != nil || len(p.Warnings) != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	m.safe = func(string, bool) error { return fs.ErrNotExist }
	if _, err := m.Plan(t.Context(), web(), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestRecovery_RoundsTimesUp(t *testing.T) {
	f, _ := recovery(service.Recovery{Delays: []time.Duration{1, 365 * 24 * time.Hour}, ResetPeriod: 1})
	if f.Reset != 1 || f.Actions[0].Delay != 1 || f.Actions[1].Delay != 4294967294 {
		t.Errorf("got %+v", f)
	}
}

func TestPlan_WarnsOfDoubtfulDescriptors(t *testing.T) {
	const ours = "(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
	for sddl, want := range map[string]string{
		ours: "",
		"(A;;GA;;;BA)(A;;CCLCSWRPWPDTLOCRRC;;;BU)":       "", // users may start and stop it
		"(A;;0xf01ff;;;BA)(A;;KA;;;SY)":                  "",
		"(A;;CCLCSWRPWPLOCRRC;;;BU)":                     "Administrators (BA) lack rights",
		"(A;;CCLCSWRPWPDTLOCRSDRC;;;BA)":                 "Administrators (BA) lack rights", // they cannot change it
		"(D;;GA;;;BA)":                                   "Administrators (BA) lack rights",
		ours + "(A;;DC;;;BU)":                            "Users may change the service",
		ours + "(A;;CCWD;;;AU)":                          "Authenticated Users may change the service",
		ours + "(XA;;WO;;;WD;(Member_of {SID(BA)}))":     "Everyone may change the service",
		ours + "(A;;GW;;;S-1-5-80-1)":                    "S-1-5-80-1 may change the service",
		ours + "(D;;DC;;;BU)":                            "",
		"(A;;CCDCLCSWRPWPDTLOCR;;;BA)(A;;SDRCWDWO;;;BA)": "",
		ours + "(A;;0x2;;;IU)":                           "everybody who logs on (Interactive) may change the service",
	} {
		t.Run(sddl, func(t *testing.T) {
			m, _ := newManager(t)
			s := web()
			s.Windows.SecurityDescriptor = "D:" + sddl
			p, err := m.Plan(t.Context(), s, false)
			got := strings.Join(p.Warnings, "\n")
			if err != nil || want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, "\n") {
				t.Errorf("%s: %q, %v", sddl, got, err)
			}
		})
	}
}

func TestPlan_WarnsOfAFolderOpenToOthers(t *testing.T) {
	m, f := newManager(t)
	install(t, m, web(), false)
	f.folders[`C:\ProgramData\web`] += "(A;OICI;0x1200a9;;;BU)"
	p := install(t, m, web(), false)
	if len(p.Warnings) != 1 || !strings.HasPrefix(p.Warnings[0], `C:\ProgramData\web already exists`) || strings.Contains(p.Warnings[0], "restores it") {
		t.Errorf("the warnings are %q", p.Warnings)
	}
	if p := install(t, m, web(), false); len(p.Warnings) != 0 { // the folder is as it should be
		t.Errorf("once more, the warnings are %q", p.Warnings)
	}
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	if p := install(t, m, web(), false); len(p.Warnings) != 0 { // the folders that were kept are as they should be
		t.Errorf("after a removal, the warnings are %q", p.Warnings)
	}
}
