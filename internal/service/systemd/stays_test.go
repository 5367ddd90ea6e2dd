//go:build unix

package systemd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

const (
	staysDisabled = "it stays disabled, as somebody has left it since it was installed; --enable enables it"
	staysEnabled  = "it stays enabled, as somebody has left it since it was installed"
)

func enable(s *manage.Spec) { s.Enable = true }

func TestPlan_KeepsWhatSomebodyEnabledOrDisabled(t *testing.T) {
	newer := func(s *manage.Spec) { s.Description = "newer" }
	for name, test := range map[string]struct {
		first  manage.Spec
		then   func(*fake, *Manager)
		second manage.Spec
		links  []string // what is enabled in the end
		note   string
	}{
		"disabled, and installed just so": {web(), disabling("web.service"), web(), nil, staysDisabled},
		"disabled, and updated":           {web(), disabling("web.service"), web(newer), nil, staysDisabled},
		"disabled, and made delayed":      {web(), disabling("web.service"), web(start(service.Delayed)), nil, staysDisabled},
		"disabled, and made manual":       {web(), disabling("web.service"), web(start(service.Manual)), nil, ""},
		"disabled, and --enable":          {web(), disabling("web.service"), web(newer, enable), []string{"web.service"}, ""},
		"disabled, removed and installed": {web(), func(f *fake, m *Manager) {
			disabling("web.service")(f, m)
			if _, err := m.Remove(f.t.Context(), web(), false); err != nil {
				f.t.Fatal(err)
			}
		}, web(), []string{"web.service"}, ""},
		"not touched":                              {web(), func(*fake, *Manager) {}, web(newer), []string{"web.service"}, ""},
		"manual, and enabled":                      {web(start(service.Manual)), enabling("web.service"), web(start(service.Manual), newer), []string{"web.service"}, staysEnabled},
		"manual, enabled, --enable":                {web(start(service.Manual)), enabling("web.service"), web(start(service.Manual), enable), []string{"web.service"}, staysEnabled},
		"manual, and automatic now":                {web(start(service.Manual)), func(*fake, *Manager) {}, web(), []string{"web.service"}, ""},
		"enabled, and disabled by the program now": {web(start(service.Manual)), enabling("web.service"), web(start(service.Disabled)), nil, ""},
		"automatic, and manual now":                {web(), func(*fake, *Manager) {}, web(start(service.Manual)), nil, ""},
		"its sockets disabled":                     {web(onTwoSockets), disabling("web-http.socket", "web-admin.socket"), web(onTwoSockets, newer), nil, staysDisabled},
		"its sockets disabled, and --enable":       {web(onTwoSockets), disabling("web-http.socket", "web-admin.socket"), web(onTwoSockets, enable), []string{"web-admin.socket", "web-http.socket"}, ""},
		"an installation that was cut short, and manual now": {web(), func(f *fake, m *Manager) {
			c := m.machine.Tree.Begin("web")
			if err := errors.Join(m.ownedRecord(web(), f.units).DropStart(c), c.Keep()); err != nil {
				f.t.Fatal(err)
			}
		}, web(start(service.Manual)), nil, ""},
		"an installation that was cut short": {web(), func(f *fake, m *Manager) {
			disabling("web.service")(f, m)
			c := m.machine.Tree.Begin("web")
			if err := errors.Join(m.ownedRecord(web(), f.units).DropStart(c), c.Keep()); err != nil {
				f.t.Fatal(err)
			}
		}, web(), []string{"web.service"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, test.first)
			test.then(f, m)
			for again := range 2 {
				p := install(t, m, test.second)
				var links []string
				for _, l := range f.links("*") {
					links = append(links, l[strings.LastIndex(l, "/")+1:])
				}
				slices.Sort(links)
				if !slices.Equal(links, test.links) {
					t.Errorf("installed %d times: enabled is %q, want %q", again+2, links, test.links)
				}
				if notes := strings.Join(p.Notes, "; "); notes != test.note && (again == 0 || test.note != "") {
					t.Errorf("installed %d times: the notes are %q, want %q", again+2, notes, test.note)
				}
				if again > 0 && p.Changed() {
					t.Errorf("the second time it changes %+v", p.Artefacts)
				}
			}
		})
	}
}

func disabling(units ...string) func(*fake, *Manager) {
	return func(f *fake, _ *Manager) {
		if err := f.disable(units); err != nil {
			f.t.Fatal(err)
		}
	}
}

func enabling(units ...string) func(*fake, *Manager) {
	return func(f *fake, _ *Manager) {
		if err := f.enable(units); err != nil {
			f.t.Fatal(err)
		}
	}
}
