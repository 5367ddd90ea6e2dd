package ownedtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Stays installs s, which starts by itself, and asserts that m keeps what an operator
// chooses afterwards: enable has the service start by itself, or not. both is that a
// manual one can be enabled, too.
func Stays(t *testing.T, m manage.Manager, s manage.Spec, both bool, enable func(bool)) {
	t.Helper()
	manual, forced := s, s
	manual.StartType, forced.Enable = service.Manual, true
	remove := func() {
		if _, err := m.Remove(t.Context(), s, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name  string
		do    func()
		spec  manage.Spec
		want  service.StartType
		notes string
	}{
		{"first", nil, s, service.Automatic, ""},
		{"again", nil, s, service.Automatic, ""},
		{"disabled", func() { enable(false) }, s, service.Manual, "it stays disabled, as somebody has left it since it was installed; --enable enables it"},
		{"disabled, again", nil, s, service.Manual, "it stays disabled, as somebody has left it since it was installed; --enable enables it"},
		{"disabled, --enable", nil, forced, service.Automatic, ""},
		{"after --enable", nil, s, service.Automatic, ""},
		{"manual now", nil, manual, service.Manual, ""},
		{"manual, enabled", func() { enable(true) }, manual, service.Automatic, "it stays enabled, as somebody has left it since it was installed"},
		{"automatic now", nil, s, service.Automatic, ""},
		{"disabled, removed", func() { enable(false); remove() }, s, service.Automatic, ""},
	} {
		if step.name == "manual, enabled" && !both {
			continue
		}
		if step.do != nil {
			step.do()
		}
		p, err := m.Plan(t.Context(), step.spec, false)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		notes := slices.Clone(p.Notes)
		if err := m.Apply(t.Context(), p); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		st, err := m.Status(t.Context(), s)
		if err != nil || st.StartType != step.want {
			t.Errorf("%s: it starts %s, %v; want %s", step.name, st.StartType, err, step.want)
		}
		if got := strings.Join(notes, "; "); got != step.notes {
			t.Errorf("%s: the notes are %q, want %q", step.name, got, step.notes)
		}
		if p, err := m.Plan(t.Context(), step.spec, false); err != nil || p.Changed() {
			t.Errorf("%s: a second time it would change %+v, %v", step.name, p, err)
		}
	}
	remove()
}
