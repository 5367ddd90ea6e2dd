//go:build unix

package initfake

import (
	"os"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Undone has each step of an installation fail in its turn, and asserts that it leaves
// nothing. install makes a manager for the machine; prepare puts into it what is there
// before.
func Undone(t *testing.T, install func(*Machine) manage.Manager, prepare func(*Machine)) {
	t.Helper()
	one := func(name string, spoil func(m *Machine, planned int)) (failed bool) {
		t.Helper()
		m := New(t)
		manager := install(m)
		prepare(m)
		p, err := manager.Plan(t.Context(), Web(), true)
		if err != nil {
			t.Fatal(err)
		}
		spoil(m, len(m.Lines))
		before := m.Snapshot()
		err = manager.Apply(t.Context(), p)
		if after := m.Snapshot(); err != nil && after != before {
			t.Errorf("%s: it failed with %v and has left, of\n%s\nthis:\n%s", name, err, before, after)
		}
		return err != nil
	}
	steps := 0
	for one("call", func(m *Machine, planned int) { m.Fail = planned + steps + 1 }) {
		steps++
	}
	if steps < 2 {
		t.Errorf("there were only %d calls to fail", steps)
	}
	for _, p := range []string{"/etc/init.d", "/var/lib", "/var/cache", "/var/log"} {
		if !one(p, func(m *Machine, _ int) { m.block(p) }) {
			t.Errorf("without %s it did not fail", p)
		}
	}
}

// block makes a file of a folder.
func (m *Machine) block(p string) {
	m.t.Helper()
	if err := os.Rename(m.Path(p), m.Path(p+".away")); err != nil {
		m.t.Fatal(err)
	}
	m.Write(p, "no folder")
}

// Whole installs a service twice and removes it, and asserts that nothing is left.
func Whole(t *testing.T, m *Machine, manager manage.Manager) *manage.Plan {
	t.Helper()
	before := m.Snapshot()
	first, err := manager.Plan(t.Context(), Web(), false)
	if err != nil {
		t.Fatal(err)
	}
	if planned := m.Snapshot(); planned != before {
		t.Errorf("the plan has changed something:\n%s", planned)
	}
	if first.Installed || !first.Changed() || first.Replaces != "" {
		t.Errorf("the plan is %+v", first)
	}
	if err := manager.Apply(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	again, err := manager.Plan(t.Context(), Web(), false)
	if err != nil || again.Changed() || !again.Installed || len(again.Calls) > 0 {
		t.Errorf("the second plan is %+v, %v", again, err)
	}
	installed := m.Snapshot()
	if err := manager.Apply(t.Context(), again); err != nil {
		t.Error(err)
	}
	if after := m.Snapshot(); after != installed {
		t.Errorf("the second time has changed something, from\n%s\nto\n%s", installed, after)
	}
	if st, err := manager.Status(t.Context(), Web()); err != nil || st.StartType != service.Automatic {
		t.Errorf("its status is %+v, %v", st, err)
	}
	removed, err := manager.Remove(t.Context(), Web(), true)
	if err != nil || len(removed) < 6 {
		t.Errorf("removed %q, %v", removed, err)
	}
	if after := m.Snapshot(); after != before {
		t.Errorf("there is left, of\n%s\nthis:\n%s", before, after)
	}
	if st, err := manager.Status(t.Context(), Web()); err != nil || st.State != service.NotInstalled {
		t.Errorf("its status is %+v, %v", st, err)
	}
	return first
}
