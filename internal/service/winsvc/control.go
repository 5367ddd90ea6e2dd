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

// with opens the service with the rights in access and calls do with it.
func (m *Manager) with(ctx context.Context, s manage.Spec, access uint32, do func(*session, string, handle) error) error {
	if err := refuse(s); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	scm, err := m.connect(managerConnect)
	if err != nil {
		return err
	}
	defer scm.close()
	h, err := scm.open(s.ServiceName(), access)
	if err != nil {
		return err
	}
	defer scm.Close(h)
	return do(scm, s.ServiceName(), h)
}

// Start starts the service and waits until it runs or has finished.
func (m *Manager) Start(ctx context.Context, s manage.Spec) error {
	return m.with(ctx, s, accessStart|accessQueryStatus, func(scm *session, name string, h handle) error {
		return m.start(ctx, scm, name, h)
	})
}

// start implements Start for an open service.
func (m *Manager) start(ctx context.Context, scm *session, name string, h handle) error {
	now, err := m.settle(ctx, scm, name, h)
	switch {
	case err != nil:
		return err
	case now.State == win32.Running:
		return nil
	case now.State == win32.Paused:
		return fmt.Errorf("start service %s: it is paused: continue it instead", name)
	}
	for {
		err = scm.StartService(h)
		if win32.Number(err) != win32.ErrorServiceDatabaseLocked { // another service is being started, for at most 30 s
			break
		}
		if err := sleep(ctx, longestPoll); err != nil {
			return fmt.Errorf("start service %s while another service is being started: %w", name, err)
		}
	}
	switch win32.Number(err) {
	case win32.ErrorServiceAlreadyRunning, win32.NoError: // it was started by somebody else
	case win32.ErrorServiceDisabled:
		return fmt.Errorf("start service %s: it is disabled: install it with another start type, or with --enable if it was disabled by hand", name)
	case win32.ErrorAccessDenied: // the handle has the right to start it, so the account lacks one
		return fmt.Errorf("start service %s: its account is not allowed to run the executable: %w", name, err)
	case win32.ErrorServiceMarkedForDelete:
		return fmt.Errorf("start service %s: %w", name, errHeld)
	}
	if err != nil && win32.Number(err) != win32.ErrorServiceAlreadyRunning {
		return fmt.Errorf("start service %s: %w", name, err)
	}
	now, err = m.settle(ctx, scm, name, h)
	switch {
	case err != nil:
		return err
	case now.State == win32.Running:
		return nil
	case now.State == win32.Paused:
		return fmt.Errorf("service %s paused itself when it started", name)
	case now.ExitCode == win32.NoError:
		return nil // it is a job that has finished
	}
	text, _ := ended(now)
	return fmt.Errorf("service %s did not start: %s", name, text)
}

// Stop stops the service and waits until it has stopped, with whatever exit code.
func (m *Manager) Stop(ctx context.Context, s manage.Spec) error {
	return m.with(ctx, s, accessStop|accessQueryStatus|accessDependents, func(scm *session, name string, h handle) error {
		return m.stop(ctx, scm, name, h)
	})
}

// stop implements Stop for an open service.
func (m *Manager) stop(ctx context.Context, scm *session, name string, h handle) error {
	for begun := time.Now(); ; {
		now, err := m.settle(ctx, scm, name, h) // a service that is starting does not accept a stop
		if err != nil {
			return err
		}
		if now.State == win32.Stopped {
			return nil
		}
		err = scm.ControlService(h, win32.ControlStop)
		switch win32.Number(err) {
		case win32.NoError, win32.ErrorServiceNotActive: // it is stopping or has stopped
		case win32.ErrorServiceCannotAcceptCtrl, win32.ErrorInvalidServiceControl:
			if now, err2 := scm.QueryStatus(h); err2 == nil && !pending(now.State) && now.Accepted&win32.AcceptStop == 0 {
				return fmt.Errorf("stop service %s: it does not accept stop requests: end process %d in Task Manager", name, now.PID)
			}
			if time.Since(begun) > patience {
				return fmt.Errorf("stop service %s: it has refused stop requests for %s: end process %d in Task Manager: %w", name, patience, now.PID, err)
			}
		case win32.ErrorDependentServicesRunning:
			return fmt.Errorf("stop service %s: %w", name, m.dependents(scm, name, h))
		default:
			return denied("stop service "+name, err)
		}
		if err := sleep(ctx, shortestPoll); err != nil {
			return fmt.Errorf("stop service %s: %w", name, err)
		}
	}
}

// dependents returns an error that names the running services that depend on one.
func (m *Manager) dependents(scm *session, name string, h handle) error {
	names, err := scm.dependents(name, h, true)
	if err != nil || len(names) == 0 {
		return errors.Join(win32.ErrorDependentServicesRunning, err)
	}
	return fmt.Errorf("%w: stop %s first", win32.ErrorDependentServicesRunning, strings.Join(names, ", "))
}

// Restart stops the service if it is running, and starts it.
func (m *Manager) Restart(ctx context.Context, s manage.Spec) error {
	return m.with(ctx, s, accessStart|accessStop|accessQueryStatus|accessDependents, func(scm *session, name string, h handle) error {
		if err := m.stop(ctx, scm, name, h); err != nil {
			return err
		}
		return m.start(ctx, scm, name, h)
	})
}

// Reload tells the service that its parameters have changed. It returns when the service has
// answered, because Windows has no state for a service that reloads.
func (m *Manager) Reload(ctx context.Context, s manage.Spec) error {
	return m.control(ctx, s, "reload", win32.ControlParamChange, win32.AcceptParamChange, win32.Running, win32.Running)
}

// Pause pauses the service and waits until it has paused.
func (m *Manager) Pause(ctx context.Context, s manage.Spec) error {
	return m.control(ctx, s, "pause", win32.ControlPause, win32.AcceptPauseContinue, win32.Running, win32.Paused)
}

// Continue resumes a paused service and waits until it runs.
func (m *Manager) Continue(ctx context.Context, s manage.Spec) error {
	return m.control(ctx, s, "continue", win32.ControlContinue, win32.AcceptPauseContinue, win32.Paused, win32.Running)
}

// control sends a control to a service in state from, and waits until it is in state to.
func (m *Manager) control(ctx context.Context, s manage.Spec, verb string, code win32.Control, accept win32.Accepted, from, to win32.State) error {
	return m.with(ctx, s, accessPauseContinue|accessQueryStatus, func(scm *session, name string, h handle) error {
		what := verb + " service " + name
		now, err := m.settle(ctx, scm, name, h)
		switch {
		case err != nil:
			return err
		case now.State == to && from != to:
			return nil
		case now.State == win32.Stopped:
			return fmt.Errorf("%s: %w", what, service.ErrNotRunning)
		case now.State != from:
			return fmt.Errorf("%s: it is %s: continue it first", what, states[now.State])
		case now.Accepted&accept == 0:
			return fmt.Errorf("%s: %w: the program does not support it", what, service.ErrNotSupported)
		}
		err = scm.ControlService(h, code)
		switch win32.Number(err) {
		case win32.NoError:
		case win32.ErrorServiceNotActive:
			return fmt.Errorf("%s: %w", what, service.ErrNotRunning)
		case win32.ErrorCallNotImplemented:
			return fmt.Errorf("%s: %w: %w", what, service.ErrNotSupported, err)
		}
		if err != nil {
			return denied(what, err)
		}
		now, err = m.settle(ctx, scm, name, h)
		switch {
		case err != nil:
			return err
		case now.State == win32.Stopped:
			text, _ := ended(now)
			return fmt.Errorf("%s: it stopped: %s", what, text)
		case now.State != to:
			return fmt.Errorf("%s: it is %s again: see its log", what, states[now.State])
		}
		return nil
	})
}
