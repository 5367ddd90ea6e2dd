package winsvc

import (
	"context"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

var _ manage.Needed = (*Manager)(nil)

// Dependents implements service.Needed.
func (m *Manager) Dependents(ctx context.Context, s manage.Spec) (d manage.Dependents, err error) {
	err = m.with(ctx, s, accessDependents, func(scm *session, name string, h handle) error {
		if d.Running, err = scm.dependents(name, h, true); err != nil {
			return err
		}
		d.Stopped, err = scm.dependents(name, h, false)
		return err
	})
	return d, err
}

// dependents returns the services that depend on the one called name, directly or indirectly,
// each before those that it depends on. Windows documents the order of the services that it
// returns, but not whether it returns those that depend indirectly.
func (s *session) dependents(name string, h handle, active bool) (names []string, err error) {
	seen := []string{strings.ToLower(name)}
	var visit func(name string, h handle) error
	visit = func(name string, h handle) error {
		list, err := s.Dependents(h, active)
		if err != nil {
			return denied("list the services that depend on "+name, err)
		}
		for _, n := range list {
			if slices.Contains(seen, strings.ToLower(n)) {
				continue
			}
			seen = append(seen, strings.ToLower(n))
			if h, err := s.open(n, accessDependents); err == nil { // it may be gone, or this user may not open it
				err = visit(n, h)
				s.Close(h)
				if err != nil {
					return err
				}
			}
			names = append(names, n)
		}
		return nil
	}
	return names, visit(name, h)
}
