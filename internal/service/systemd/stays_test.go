//go:build unix

package systemd

import (
	"errors"
	"os"
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

func TestPlan_LeavesLinksToOtherTargets(t *testing.T) {
	newer := func(s *manage.Spec) { s.Description = "newer" }
	for name, test := range map[string]struct {
		first, second manage.Spec
	}{
		"another description": {web(), web(newer)},
		"delayed":             {web(), web(start(service.Delayed))},
		"the same":            {web(), web()},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFake(t, false)
			install(t, m, test.first)
			disabling("web.service")(f, m)
			other := f.unit("graphical.target.wants/web.service") // as systemctl add-wants makes it
			f.write(f.unit("graphical.target.wants/x"), "")
			if err := os.Symlink(f.unit("web.service"), f.path(other)); err != nil {
				t.Fatal(err)
			}
			p := install(t, m, test.second)
			if got := f.links("web.service"); !slices.Equal(got, []string{f.path(other)}) {
				t.Errorf("the links are %q after %q", got, p.Calls)
			}
		})
	}
	f, m := newFake(t, false)
	install(t, m, web())
	old := unitText(t, f, "web.service")
	f.write(f.unit("web.service"), strings.Replace(old, "WantedBy=multi-user.target", "WantedBy=graphical.target", 1))
	if p := install(t, m, web()); !slices.Contains(p.Calls, "systemctl reenable web.service") {
		t.Errorf("another target: %q", p.Calls)
	}
}

func unitText(t *testing.T, f *fake, unit string) string {
	t.Helper()
	text, ok := f.text(unit)
	if !ok {
		t.Fatal(unit + " is missing")
	}
	return text
}

func TestPlan_LeavesWhatIsEnabledUntilNextBoot(t *testing.T) {
	const note = "it stays enabled until the next boot only, as somebody has left it (systemctl enable --runtime); --enable enables it permanently"
	f, m := newFake(t, false)
	install(t, m, web())
	disabling("web.service")(f, m)
	f.enableRuntime("web.service")
	for range 2 {
		p := install(t, m, web(func(s *manage.Spec) { s.Description = "newer" }))
		if !slices.Equal(p.Notes, []string{note}) || len(f.links("web.service")) > 0 {
			t.Errorf("the notes are %q, the links %q", p.Notes, f.links("web.service"))
		}
	}
	if p := install(t, m, web(enable)); len(p.Notes) > 0 || len(f.links("web.service")) != 1 {
		t.Errorf("with --enable, the notes are %q, the links %q", p.Notes, f.links("web.service"))
	}
}

func TestRemove_DisablesUntilNextBootToo(t *testing.T) {
	for _, fails := range []bool{false, true} {
		f, m := newFake(t, false)
		install(t, m, web())
		disabling("web.service")(f, m)
		f.enableRuntime("web.service")
		removals := 0
		f.answer = func(call string) (string, error, bool) {
			if strings.Contains(call, "daemon-reload") {
				removals++
			}
			return "", refusal(1, "as asked by the test"), fails && strings.Contains(call, "daemon-reload") && removals == 1
		}
		_, err := m.Remove(t.Context(), web(), false)
		if (err != nil) != fails {
			t.Error(err)
		}
		if _, err := os.Lstat(f.runtimeLink("web.service")); (err == nil) != fails {
			t.Errorf("the removal fails %t: the link until the next boot: %v", fails, err)
		}
	}
}
