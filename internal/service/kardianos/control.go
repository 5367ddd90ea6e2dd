package kardianos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// service opens the service for a verb that ends in a state. It is nil if that is so
// already.
func (m *Manager) service(ctx context.Context, s service.Spec, doing string, ends service.State) (control, error) {
	st, err := m.Status(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case st.State == service.NotInstalled:
		return nil, fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	case st.State == ends:
		return nil, nil
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	k, err := m.open(m.system, m.config(s))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return k, nil
}

// lost adds to an error of kardianos/service where to find what it has lost.
func (m *Manager) lost(err error, doing, name string) error {
	if err == nil {
		return nil
	}
	tool := "initctl status " + name
	if m.system == src {
		tool = "lssrc -s " + name
	}
	return onefile.Refused(fmt.Errorf("%w (kardianos/service; %s may tell more)", err, tool), doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	doing := "start " + name
	k, err := m.service(ctx, s, doing, service.Running)
	if err != nil || k == nil {
		return err
	}
	if err := k.Start(); err != nil {
		return m.lost(err, doing, name)
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.Status(ctx, s) })
}

// Stop implements service.Manager.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	doing := "stop " + name
	k, err := m.service(ctx, s, doing, service.Stopped)
	if err != nil || k == nil {
		return err
	}
	m.m.Waiting(name + " stops")
	if err := k.Stop(); err != nil {
		return m.lost(err, doing, name)
	}
	const bound = time.Minute
	err = onefile.Await(ctx, 100*time.Millisecond, bound, func() (bool, error) {
		st, err := m.Status(ctx, s)
		return st.State == service.Stopped, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("%s has not stopped after %s", name, bound)
	}
	return err
}

// Restart implements service.Manager. That of kardianos/service keeps what Upstart has
// read before.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager. kardianos/service has none.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	doing := "reload " + s.ServiceName()
	st, err := onefile.Reloadable(ctx, m, s)
	switch {
	case err != nil:
		return err
	case st.PID == 0:
		return fmt.Errorf("%s: %w", doing, service.ErrNotRunning)
	case m.uid != 0:
		return fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	_, err = m.m.Runner()(ctx, "kill", "-HUP", strconv.Itoa(st.PID))
	return onefile.Refused(err, doing)
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause(m.Name()) }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause(m.Name()) }

// Logs implements service.Manager. Upstart has the standard error in a file; of AIX
// there is none.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	name := s.ServiceName()
	if m.system == src {
		return fmt.Errorf("%w: AIX keeps nothing of what a service writes; see the file that it logs to itself", service.ErrNotSupported)
	}
	return onefile.Log(ctx, m.m.Tree, folders(name).Logs+"/"+name+".err", q, w)
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := onefile.Examine(m.m.Tree, m.file(s.ServiceName()), s, m.safe)
	if len(found) == 1 {
		return found
	}
	if a := m.account(s); a != "root" {
		switch _, exists, err := account.Of(ctx, m.m, s); {
		case err != nil:
			found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: err.Error()})
		case !exists:
			found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: "there is no " + a, Remedy: "install the service anew"})
		}
	}
	return found
}
