//go:build unix

package initfake

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Unremoved installs a service, has each call of its removal fail in its turn, before and
// after it has done its work, and asserts that all is as it was. install makes a manager
// for the machine. It returns how many calls there were.
func Unremoved(t *testing.T, install func(*Machine) manage.Manager) (steps int) {
	t.Helper()
	if n := unremoved(t, install, true); n != unremoved(t, install, false) {
		t.Errorf("there are not always %d calls", n)
	} else {
		steps = n
	}
	return steps
}

func unremoved(t *testing.T, install func(*Machine) manage.Manager, late bool) (steps int) {
	t.Helper()
	for ; ; steps++ {
		m := New(t)
		m.Late = late
		manager := install(m)
		p, err := manager.Plan(t.Context(), Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		before := m.Snapshot()
		m.Fail = len(m.Lines) + steps + 1
		removed, err := manager.Remove(t.Context(), Web(), false)
		if len(m.Lines) < m.Fail {
			if err != nil {
				t.Error(err)
			}
			return steps
		}
		failed := m.Lines[m.Fail-1]
		if err == nil || !strings.Contains(err.Error(), "as the test asks for") || len(removed) > 0 {
			t.Errorf("%s fails: removed is %q, %v", failed, removed, err)
		}
		if after := m.Snapshot(); after != before {
			t.Errorf("%s fails, and left is, of\n%s\nthis:\n%s", failed, before, after)
		}
	}
}
