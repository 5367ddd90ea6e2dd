package winsvc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
)

// errHeld is a service that is marked for deletion and does not go.
var errHeld = errors.New("it is marked for deletion (error 1072), and goes when the last program closes it: " +
	"close services.msc, the Task Manager and the event viewer on every desktop, or restart the machine")

// Remove asks for the rights that it needs before it does anything. When something
// cannot be removed it goes on with the rest.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) (removed []string, err error) {
	var paths, given []string
	err = m.with(ctx, s, accessStop|accessQueryStatus|accessDependents|accessQueryConfig|accessDelete, func(scm *session, name string, h handle) error {
		c, err := scm.read(name, h)
		if err != nil {
			return err
		}
		if c.Mark == "" && !strings.EqualFold(base(executable(c.ImagePath)), base(s.Executable)) {
			return fmt.Errorf("service %s, whose command line is %s, %w: \"sc delete %s\" removes it", name, c.ImagePath, service.ErrForeign, name)
		}
		paths, given = c.Paths, c.Given
		if err := m.stop(ctx, scm, name, h); err != nil {
			return err
		}
		if err := scm.DeleteService(h); err != nil && number(err) != errMarkedForDelete {
			return denied("delete service "+name, err)
		}
		return nil
	})
	name := s.ServiceName()
	var errs []error
	did := func(what string, err error) {
		switch {
		case missing(err):
		case err != nil:
			errs = append(errs, denied("remove "+what, err))
		default:
			removed = append(removed, what)
		}
	}
	if errors.Is(err, service.ErrNotInstalled) && purge { // it may have left something
		if failed := m.purge(name, did); len(removed) > 0 || failed != nil || len(errs) > 0 {
			return removed, errors.Join(append(errs, failed)...)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := m.gone(ctx, name); err != nil {
		errs = append(errs, err)
	} else {
		removed = append(removed, "service "+name)
	}
	for _, path := range paths {
		old, link, err := m.api.Security(path)
		if err == nil && !link && parse(old).grants(serviceSID(name)) {
			err = m.api.SetSecurity(path, parse(old).revoke(serviceSID(name)).String())
			did("the right to write to "+path, err)
		}
	}
	own, err := m.ownSource(name)
	if own {
		err = m.api.DeleteKey(eventKey(name))
	}
	if own || err != nil {
		did(fmt.Sprintf("event source %q", name), err)
	}
	if purge {
		errs = append(errs, m.purge(name, did))
	}
	for _, before := range given { // SetSecurity follows no link
		dir, sddl, _ := strings.Cut(before, "\t")
		did("the right to "+dir, m.api.SetSecurity(dir, sddl))
	}
	return removed, errors.Join(errs...)
}

// gone waits until the name is free again: until then the service cannot be installed.
func (m *Manager) gone(ctx context.Context, name string) error {
	scm, err := m.connect(managerConnect)
	if err != nil {
		return err
	}
	defer scm.close()
	for begun := time.Now(); ; {
		h, err := scm.open(name, accessQueryStatus)
		switch {
		case errors.Is(err, service.ErrNotInstalled):
			return nil
		case err == nil:
			scm.Close(h)
		case number(err) != errMarkedForDelete:
			return err
		}
		if time.Since(begun) > deletion {
			return fmt.Errorf("service %s: %w", name, errHeld)
		}
		m.machine.Waiting(name + " is being deleted")
		if err := rest(ctx, 5*shortestPoll); err != nil {
			return fmt.Errorf("wait for service %s to be deleted: %w", name, err)
		}
	}
}
