package winsvc

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// needing adds running services that depend on others.
func needing(f *fake, needs map[string][]string) {
	for name, list := range needs {
		s := f.add(name, config{Type: typeOwnProcess, Start: startDemand, ImagePath: `C:\Program Files\web\web.exe`, DisplayName: "The " + name, Dependencies: list, Account: localSystem})
		s.status, s.takes = s.running(win32.Running), 40*time.Second // longer than any wait hint
	}
}

// The order is right whether or not Windows returns indirect dependents.
func TestDependents_AreInStopOrder(t *testing.T) {
	for _, shallow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m, f := newManager(t)
			f.shallow = shallow
			install(t, m, web(), false)
			needing(f, map[string][]string{
				"a": {"WEB"}, "b": {"A", "web"}, "c": {"b"}, "idle": {"web"}, "beyond": {"idle"}, "other": {"Tcpip"},
			})
			f.services["web"].status = f.services["web"].running(win32.Running)
			f.services["a"].status = f.services["a"].running(win32.Paused)
			for _, name := range []string{"idle", "beyond"} {
				f.services[name].status = status{State: win32.Stopped}
			}
			f.user = true // every user may ask
			d, err := m.Dependents(t.Context(), web())
			if err != nil || d.Along || !slices.Equal(d.Running, []string{"c", "b", "a"}) || !slices.Equal(d.Stopped, []string{"beyond", "idle"}) {
				t.Fatalf("shallow %t: %+v, %v", shallow, d, err)
			}
			f.user = false
			for _, name := range append(d.Running, "web") {
				if err := m.Stop(t.Context(), manage.Spec{Name: name}); err != nil {
					t.Errorf("stop %s: %v", name, err)
				}
			}
			for _, name := range []string{"web", "a", "b", "c"} {
				if err := m.Start(t.Context(), manage.Spec{Name: name}); err != nil {
					t.Errorf("start %s: %v", name, err)
				}
			}
			if again, err := m.Dependents(t.Context(), web()); err != nil || !slices.Equal(again.Running, d.Running) {
				t.Errorf("afterwards: %+v, %v", again, err)
			}
		})
	}
	m, f := newManager(t)
	if _, err := m.Dependents(t.Context(), web()); !errors.Is(err, service.ErrNotInstalled) {
		t.Errorf("of none: %v", err)
	}
	install(t, m, web(), false)
	if d, err := m.Dependents(t.Context(), web()); err != nil || len(d.Running)+len(d.Stopped) > 0 {
		t.Errorf("nobody needs it: %+v, %v", d, err)
	}
	f.calls, f.failing, f.with = nil, 3, win32.Errno(31)
	if _, err := m.Dependents(t.Context(), web()); win32.Number(err) != 31 {
		t.Errorf("a failure: %v", err)
	}
}
