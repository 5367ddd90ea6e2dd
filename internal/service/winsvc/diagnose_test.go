package winsvc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

func TestDiagnose_FindsWhatKeepsTheServiceFromRunning(t *testing.T) {
	type test struct {
		setUp func(m *Manager, f *fake, s *fakeService)
		level manage.Level
		what  string
		text  string
	}
	for name, test := range map[string]test{
		"it runs":         {func(_ *Manager, _ *fake, s *fakeService) { s.status = s.running(win32.Running) }, manage.OK, "state", "running, as process 4711"},
		"it is stopped":   {func(*Manager, *fake, *fakeService) {}, manage.Note, "state", "it is stopped: the service has not been started"},
		"it is as it was": {func(*Manager, *fake, *fakeService) {}, manage.OK, "configuration", "as this program would install it"},
		"it has failed": {func(_ *Manager, _ *fake, s *fakeService) {
			s.status = status{State: win32.Stopped, ExitCode: win32.ErrorServiceSpecific, SpecificCode: 124}
		}, manage.Problem, "state", "did not stop before its deadline"},
		"its account": {func(_ *Manager, _ *fake, s *fakeService) {
			s.status = status{State: win32.Stopped, ExitCode: win32.ErrorServiceLogonFailed}
		}, manage.Problem, "state", "could not log on"},
		"a password": {func(_ *Manager, _ *fake, s *fakeService) { s.config.Account = `.\svc` }, manage.Note, "account", `.\svc has a password`},
		"disabled":   {func(_ *Manager, _ *fake, s *fakeService) { s.config.Start = startDisabled }, manage.Problem, "start type", "disabled"},
		"no executable": {func(_ *Manager, f *fake, _ *fakeService) {
			delete(f.folders, `C:\Program Files\web\web.exe`)
		}, manage.Problem, "executable", "does not exist"},
		"an unquoted path": {func(_ *Manager, _ *fake, s *fakeService) { s.config.ImagePath = `C:\Program Files\web\web.exe` }, manage.Warning, "executable", "not quoted"},
		"an unsafe place": {func(m *Manager, _ *fake, _ *fakeService) {
			m.safe = func(string, bool) error { return service.ErrUnsafe }
		}, manage.Warning, "executable", "write there"},
		"no dependency": {func(_ *Manager, f *fake, _ *fakeService) { delete(f.services, "afd") }, manage.Problem, "dependency Afd", "does not exist"},
		"a stopped dependency": {func(_ *Manager, f *fake, _ *fakeService) {
			f.services["afd"].status = status{State: win32.Stopped}
		}, manage.Note, "dependency Afd", "stopped"},
		"no event source": {func(_ *Manager, f *fake, _ *fakeService) { delete(f.keys, strings.ToLower(eventKey("web"))) }, manage.Warning, "event source", "there is none"},
		"drift":           {func(_ *Manager, _ *fake, s *fakeService) { s.config.ImagePath += " -x" }, manage.Note, "configuration", `service "web" is not as`},
		"another tool's": {func(_ *Manager, f *fake, _ *fakeService) {
			delete(f.keys[strings.ToLower(parametersKey("web"))], markName)
		}, manage.Note, "owner", "another tool"},
		"not installed": {func(_ *Manager, f *fake, _ *fakeService) { delete(f.services, "web") }, manage.Problem, "service", "not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			m, f := newManager(t)
			install(t, m, web(), false)
			test.setUp(m, f, f.services["web"])
			before := f.snapshot()
			for _, user := range []bool{false, true} {
				f.user = user
				found := m.Diagnose(t.Context(), web())
				if !slices.ContainsFunc(found, func(x manage.Finding) bool {
					return x.Level == test.level && x.What == test.what && strings.Contains(x.Detail, test.text)
				}) {
					t.Errorf("as user %t, found %+v", user, found)
				}
				checkFindings(t, found)
			}
			if f.snapshot() != before {
				t.Error("something has changed")
			}
		})
	}
}

// checkFindings checks that findings have one line, and problems a remedy.
func checkFindings(t *testing.T, found []manage.Finding) {
	t.Helper()
	for _, x := range found {
		if strings.Contains(x.Detail+x.Remedy, "\n") || x.Level == manage.Problem && x.Remedy == "" {
			t.Errorf("%+v", x)
		}
	}
}

func TestEnded_ExplainsExitCodes(t *testing.T) {
	for _, e := range []win32.Errno{win32.ErrorServiceSpecific, win32.ErrorServiceRequestTimeout, win32.ErrorServiceLogonFailed, win32.ErrorServiceDisabled, win32.ErrorServiceDependencyFail, win32.ErrorServiceNeverStarted} {
		if got := e.Error(); !strings.Contains(got, fmt.Sprintf("(error %d)", e)) || strings.HasPrefix(got, "an error of Windows") {
			t.Errorf("%d is %q", e, got)
		}
	}
	for code := range maps.Keys(ourCodes) {
		if got, n := ended(status{ExitCode: win32.ErrorServiceSpecific, SpecificCode: code}); n != int(code) || !strings.Contains(got, fmt.Sprintf("(code 1066/%d)", code)) {
			t.Errorf("%d is %q, %d", code, got, n)
		}
	}
}

// The remedy mentions a password only for an account that has one.
func TestDiagnose_RemedyFitsTheAccount(t *testing.T) {
	const managed = "Test-ADServiceAccount web in PowerShell"
	for account, want := range map[string][]string{
		`NT SERVICE\web`:            {`NT SERVICE\ALL SERVICES`},
		`NT AUTHORITY\LocalService`: {"nothing denies"},
		`.\svc`:                     {"and its password", "services.msc"},
		`.\svc$`:                    {"and its password", "services.msc"},
		`CORP\svc`:                  {"and its password", "services.msc"},
		"svc@corp.example":          {"and its password", "services.msc"},
		`CORP\web$`:                 {`give CORP\web$ the right to log on as a service`, "it takes no password", managed},
		"web$@corp.example":         {"it takes no password", managed},
	} {
		m, f := newManager(t)
		install(t, m, web(), false)
		f.services["web"].config.Account, f.services["web"].status = account, status{State: win32.Stopped, ExitCode: win32.ErrorServiceLogonFailed}
		found := m.Diagnose(t.Context(), web())
		for _, w := range want {
			if found[0].What != "state" || !strings.Contains(found[0].Remedy, w) {
				t.Errorf("%s: there is no %q in %+v", account, w, found[0])
			}
		}
		other := `NT SERVICE\ALL SERVICES`
		if strings.Contains(want[0], other) {
			other = "its password"
		}
		if strings.Contains(found[0].Remedy, other) {
			t.Errorf("%s: %+v", account, found[0])
		}
		for _, x := range found {
			if x.What == "account" && strings.Contains(account, "web$") != strings.Contains(x.Remedy, managed) {
				t.Errorf("%s: %+v", account, x)
			}
		}
	}
}
