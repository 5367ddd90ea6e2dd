package managertest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Plan is what m would do to install s, without force.
func Plan(t *testing.T, m manage.Manager, s manage.Spec) *manage.Plan {
	t.Helper()
	p, err := m.Plan(context.Background(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Install installs s, and returns what was planned.
func Install(t *testing.T, m manage.Manager, s manage.Spec) *manage.Plan {
	t.Helper()
	p := Plan(t, m, s)
	if err := m.Apply(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Is is the status of s. The test ends if its state is not the one that is wanted.
func Is(t *testing.T, m manage.Manager, s manage.Spec, want service.State) service.Status {
	t.Helper()
	st, err := m.Status(context.Background(), s)
	if err != nil || st.State != want {
		t.Fatalf("it is %+v, %v; want %s", st, err, want)
	}
	return st
}

// NotInstalled fails the test if a verb finds a service where there is none.
func NotInstalled(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	Is(t, m, s, service.NotInstalled)
	for _, do := range []func(context.Context, manage.Spec) error{m.Start, m.Stop, m.Restart, m.Reload} {
		if err := do(context.Background(), s); !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := m.Remove(context.Background(), s, true); !errors.Is(err, service.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
}

// Foreign fails the test if m would replace or remove the file of somebody else that
// has the place of that of s.
func Foreign(t *testing.T, m manage.Manager, s manage.Spec) {
	t.Helper()
	if _, err := m.Plan(context.Background(), s, false); !errors.Is(err, service.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if _, err := m.Remove(context.Background(), s, true); !errors.Is(err, service.ErrForeign) {
		t.Errorf("got %v", err)
	}
}

// LeavesAll fails the test if p can be applied, or the tree is another one after that
// has failed.
func LeavesAll(t *testing.T, m manage.Manager, tree files.Tree, p *manage.Plan) {
	t.Helper()
	before := Snapshot(t, tree)
	if err := m.Apply(context.Background(), p); err == nil {
		t.Fatal("nothing has failed")
	}
	if after := Snapshot(t, tree); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// Finds fails the test if Diagnose has no finding with that detail which is at least
// that bad.
func Finds(t *testing.T, m manage.Manager, s manage.Spec, level manage.Level, detail string) {
	t.Helper()
	found := m.Diagnose(context.Background(), s)
	for _, x := range found {
		if x.Level >= level && strings.Contains(x.Detail, detail) {
			return
		}
	}
	t.Errorf("no word of %q: %+v", detail, found)
}

// FindsNothing fails the test if Diagnose finds anything worse than level.
func FindsNothing(t *testing.T, m manage.Manager, s manage.Spec, level manage.Level) {
	t.Helper()
	for _, x := range m.Diagnose(context.Background(), s) {
		if x.Level > level {
			t.Errorf("%+v", x)
		}
	}
}
