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

// ofSSH is the descriptor of the folder of OpenSSH: %ProgramData%\ssh. Its service is sshd.
const ofSSH = "O:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;AU)"

func ssh() manage.Spec {
	s := web()
	s.Name = "ssh"
	return s
}

func TestRemove_RestoresAFolderOfAnotherProgram(t *testing.T) {
	for _, purge := range []bool{false, true} {
		m, f := newManager(t)
		for _, dir := range []string{"", `\sshd_config`, `\logs`} {
			f.folders[`C:\ProgramData\ssh`+dir] = ofSSH
		}
		before := f.snapshot()
		_, err := m.Plan(t.Context(), ssh(), false)
		if !errors.Is(err, service.ErrForeign) || !strings.HasPrefix(err.Error(), `C:\ProgramData\ssh exists, but was not created by an installation of ssh`) {
			t.Fatalf("without force: %v", err)
		}
		p := install(t, m, ssh(), true)
		if !slices.ContainsFunc(p.Warnings, func(w string) bool {
			return strings.HasPrefix(w, `C:\ProgramData\ssh already exists`) && strings.Contains(w, "uninstall restores it as it is now")
		}) {
			t.Errorf("it warns of %q", p.Warnings)
		}
		if p := install(t, m, ssh(), false); p.Changed() { // the record says that the folder is known
			t.Errorf("once more: %+v", p)
		}
		if _, err := m.Remove(t.Context(), ssh(), purge); err != nil {
			t.Fatal(err)
		}
		if !purge {
			if f.folders[`C:\ProgramData\ssh`] != ofSSH {
				t.Errorf("it is not given back: %s", f.folders[`C:\ProgramData\ssh`])
			}
			if _, err := m.Remove(t.Context(), ssh(), true); err != nil { // removes what was kept
				t.Fatal(err)
			}
		}
		if after := f.snapshot(); after != before {
			t.Errorf("purge %t, before:\n%s\nafter:\n%s", purge, before, after)
		}
	}
}

func TestRemove_KeepsAnEventSourceOfAnotherProgram(t *testing.T) {
	m, f := newManager(t)
	f.keys[strings.ToLower(eventKey("web"))] = map[string]value{"EventMessageFile": text(regExpand, `C:\Another\messages.dll`), "CategoryCount": dword(3)}
	before := f.snapshot()
	if _, err := m.Plan(t.Context(), web(), false); !errors.Is(err, service.ErrForeign) || !strings.Contains(err.Error(), `event source "web", whose texts are in C:\Another\messages.dll`) {
		t.Fatalf("without force: %v", err)
	}
	p := install(t, m, web(), true)
	if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "it is not changed") }) {
		t.Errorf("it warns of %q", p.Warnings)
	}
	if removed, err := m.Remove(t.Context(), web(), true); err != nil || slices.Contains(removed, `event source "web"`) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if after := f.snapshot(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestPlan_RefusesTheNameOfALog(t *testing.T) {
	for _, name := range []string{"Application", "system", "Security", "Setup", "ForwardedEvents", "Vendor"} {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			f.keys[strings.ToLower(logKey("Vendor"))] = map[string]value{"File": text(regExpand, `C:\vendor.evtx`)}
			s := web()
			s.Name = name
			if _, err := m.Plan(t.Context(), s, true); !errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), "called "+name+", which is the name of a ") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestRemove_PurgeWorksAfterUninstall(t *testing.T) {
	m, f := newManager(t)
	before := f.snapshot()
	install(t, m, web(), false)
	if _, err := m.Remove(t.Context(), web(), false); err != nil {
		t.Fatal(err)
	}
	if removed, err := m.Remove(t.Context(), web(), true); err != nil || !slices.Equal(removed, []string{`folder C:\ProgramData\web`}) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if after := f.snapshot(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	f.folders[`C:\ProgramData\web`] = ofSSH
	if _, err := m.Remove(t.Context(), web(), true); !errors.Is(err, service.ErrNotInstalled) || f.folders[`C:\ProgramData\web`] != ofSSH {
		t.Errorf("of somebody else's folder: %v", err)
	}
}

// asBefore moves the record to where earlier versions kept it: the key of the service.
func asBefore(f *fake, name string) {
	r, p := f.keys[strings.ToLower(recordKey(name))], f.keys[strings.ToLower(parametersKey(name))]
	for is, was := range map[string]string{givenName: oldGivenName, pathsName: oldPathsName} {
		if v, ok := r[is]; ok {
			p[was] = v
			delete(r, is)
		}
	}
}

func TestReadLedger_RecordOfAnEarlierVersion(t *testing.T) {
	for _, update := range []bool{false, true} {
		m, f := newManager(t)
		withData(f)
		f.folders[`C:\ProgramData\web`] = ofSSH
		before := f.snapshot()
		install(t, m, rich(), true)
		asBefore(f, "web")
		if len(f.keys[strings.ToLower(parametersKey("web"))]) != 4 {
			t.Fatalf("the key is %v", f.keys[strings.ToLower(parametersKey("web"))])
		}
		if update {
			s := rich()
			s.Version, s.Hardening.WritablePaths = "2", []string{`D:\more`}
			install(t, m, s, false)
			install(t, m, rich(), false)
		}
		if _, err := m.Remove(t.Context(), rich(), true); err != nil {
			t.Fatal(err)
		}
		if after := f.snapshot(); after != before {
			t.Errorf("update %t, before:\n%s\nafter:\n%s", update, before, after)
		}
	}
}

// Whenever an installation is killed, a removal finds everything that it has created. So does
// another installation and a removal.
func TestRemove_FindsWhatAKilledInstallationCreated(t *testing.T) {
	for n := 1; ; n++ {
		m, f := newManager(t)
		withData(f)
		f.folders[`C:\ProgramData\web`] = ofSSH
		before := f.snapshot()
		p, err := m.Plan(t.Context(), rich(), true)
		if err != nil {
			t.Fatal(err)
		}
		f.calls, f.failing, f.with, f.broken = nil, n, win32.Errno(31), true
		_ = m.Apply(t.Context(), p)
		calls := len(f.calls)
		f.failing, f.broken = 0, false
		if n%2 == 0 {
			install(t, m, rich(), true)
		}
		if _, err := m.Remove(t.Context(), rich(), true); err != nil && !errors.Is(err, service.ErrNotInstalled) {
			t.Error(err)
		}
		if after := f.snapshot(); after != before {
			t.Fatalf("killed at call %d, %s. Before:\n%s\nafter:\n%s", n, f.calls[min(n, calls)-1], before, after)
		}
		if calls < n {
			return
		}
	}
}
