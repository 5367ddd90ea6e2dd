//go:build unix

package systemd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestDependents(t *testing.T) {
	f, m := newFake(t, false)
	f.show = map[string]map[string]string{
		"web.service":   {"ActiveState": "active", "RequiredBy": "a.service idle.service", "WantedBy": "multi-user.target", "BoundBy": "b.service", "Before": "c.service"},
		"a.service":     {"ActiveState": "active", "ConsistsOf": "part.service web.service", "RequiredBy": "b.service"},
		"b.service":     {"ActiveState": "activating"},
		"part.service":  {"ActiveState": "active", "RequisiteOf": "deep.target"},
		"deep.target":   {"ActiveState": "active"},
		"idle.service":  {"ActiveState": "failed"},
		"other.service": {"ActiveState": "active"},
	}
	d, err := m.Dependents(t.Context(), manage.Spec{Name: "web"})
	if err != nil || !d.Along || !slices.Equal(d.Running, []string{"deep.target", "part.service", "b.service", "a.service"}) || !slices.Equal(d.Stopped, []string{"idle.service"}) {
		t.Errorf("got %+v, %v", d, err)
	}
	if changes := f.changes(); len(changes) > 0 {
		t.Errorf("it calls %q", changes)
	}
	f.answer = func(call string) (string, error, bool) {
		return "", errors.New("no bus"), strings.Contains(call, "show")
	}
	if d, err := m.Dependents(t.Context(), manage.Spec{Name: "web"}); err != nil || len(d.Running) > 0 {
		t.Errorf("where it cannot be asked: %+v, %v", d, err)
	}
}
