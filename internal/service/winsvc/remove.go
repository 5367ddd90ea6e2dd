package winsvc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// errHeld is returned if a service stays marked for deletion.
var errHeld = errors.New("it is marked for deletion (error 1072) until no program has it open: " +
	"close services.msc, Task Manager and Event Viewer in all sessions, or restart the machine")

// accessRemove is what Remove needs of a service.
const accessRemove = accessStop | accessQueryStatus | accessDependents | accessQueryConfig | accessDelete

var _ manage.RemovalChecker = (*Manager)(nil)

// CheckRemoval implements manage.RemovalChecker. A service that is not installed may have
// left something, which is not looked for here.
func (m *Manager) CheckRemoval(ctx context.Context, s manage.Spec) error {
	err := m.with(ctx, s, accessRemove, func(scm *session, name string, h handle) error {
		_, err := m.removable(scm, name, h, s)
		return err
	})
	if errors.Is(err, service.ErrNotInstalled) {
		return nil
	}
	return err
}

// removable returns the record of an installed service, or an error if the service belongs
// to another program.
func (m *Manager) removable(scm *session, name string, h handle, s manage.Spec) (ledger, error) {
	c, err := scm.read(name, h)
	if err != nil {
		return ledger{}, err
	}
	r, err := readLedger(m.api, name)
	if err == nil && c.Mark == "" && !strings.EqualFold(base(executable(c.ImagePath)), base(s.Executable)) {
		err = fmt.Errorf("service %s, whose command line is %s, %w: remove it with \"sc delete %s\"", name, c.ImagePath, service.ErrForeign, name)
	}
	return r, err
}

// Remove asks for all rights that it needs before it changes anything. If something cannot be
// removed, it removes the rest.
func (m *Manager) Remove(ctx context.Context, s manage.Spec, purge bool) (removed []string, err error) {
	name := s.ServiceName()
	var r ledger
	err = m.with(ctx, s, accessRemove, func(scm *session, name string, h handle) error {
		if r, err = m.removable(scm, name, h, s); err != nil {
			return err
		}
		if err := m.stop(ctx, scm, name, h); err != nil {
			return err
		}
		if err := scm.DeleteService(h); err != nil && win32.Number(err) != win32.ErrorServiceMarkedForDelete {
			return denied("delete service "+name, err)
		}
		return nil
	})
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
	missed := errors.Is(err, service.ErrNotInstalled)
	switch {
	case missed: // a removal that was interrupted may have left something
		if r, err = readLedger(m.api, name); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		if err := m.free(ctx, name); err != nil {
			errs = append(errs, err)
		} else {
			removed = append(removed, "service "+name)
		}
	}
	m.forgetSource(name, r, did)
	errs = append(errs, m.forget(name, r, purge, did))
	if err := errors.Join(errs...); err != nil || len(removed) > 0 || !missed {
		return removed, err
	}
	return nil, fmt.Errorf("service %s: %w", name, service.ErrNotInstalled)
}

// free waits until the name is free. The service cannot be installed again before that.
func (m *Manager) free(ctx context.Context, name string) error {
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
		case win32.Number(err) != win32.ErrorServiceMarkedForDelete:
			return err
		}
		if time.Since(begun) > deletion {
			return fmt.Errorf("service %s: %w", name, errHeld)
		}
		m.machine.Waiting(name + " is being deleted")
		if err := sleep(ctx, 5*shortestPoll); err != nil {
			return fmt.Errorf("wait for service %s to be deleted: %w", name, err)
		}
	}
}
