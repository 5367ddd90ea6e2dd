package script

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

func (m *Manager) Status(ctx context.Context, s manage.Spec) (service.Status, error) {
	st := service.Status{State: service.Unknown, ExitCode: -1}
	text, err := m.installed(ctx, s)
	if errors.Is(err, service.ErrNotInstalled) {
		st.State = service.NotInstalled
		return st, nil
	}
	if err == nil {
		st, err = m.dialect.Status(ctx, s, text)
	}
	if err != nil {
		st.State = service.Unknown
		err = refused(err, "status of "+s.ServiceName(), m.Sudo)
	}
	return st, err
}

// now returns the status of s. It fails if s is not installed.
func (m *Manager) now(ctx context.Context, s manage.Spec, doing string) (service.Status, error) {
	st, err := m.Status(ctx, s)
	if err == nil && st.State == service.NotInstalled {
		err = fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	}
	return st, err
}

func (m *Manager) Start(ctx context.Context, s manage.Spec) error {
	doing := "start " + s.ServiceName()
	now, err := m.startable(ctx, s, doing)
	if err != nil || now.State == service.Running {
		return err
	}
	return m.launch(ctx, s, doing, func() error { return m.dialect.Start(ctx, s, now) })
}

// startable returns the status of s, whose file is there.
func (m *Manager) startable(ctx context.Context, s manage.Spec, doing string) (service.Status, error) {
	now, err := m.now(ctx, s, doing)
	if err == nil && !m.machine.Tree.Exists(m.dialect.Layout(s).File) {
		err = fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	}
	return now, err
}

// launch has start start s, and waits until it runs.
func (m *Manager) launch(ctx context.Context, s manage.Spec, doing string, start func() error) error {
	if err := m.root(doing); err != nil {
		return err
	}
	m.machine.Waiting(s.ServiceName() + " starts")
	if err := start(); err != nil || m.Watches {
		return refused(err, doing, m.Sudo)
	}
	return supervise(ctx, s.ServiceName(), func() (service.Status, error) { return m.Status(ctx, s) })
}

func (m *Manager) Stop(ctx context.Context, s manage.Spec) error {
	doing := "stop " + s.ServiceName()
	now, err := m.now(ctx, s, doing)
	idle := now.State == service.Stopped && now.PID == 0
	if d, ok := m.dialect.(idler); ok {
		idle = d.Idle(now)
	}
	if err != nil || idle {
		return err
	}
	if err := m.root(doing); err != nil {
		return err
	}
	m.machine.Waiting(s.ServiceName() + " stops")
	return refused(m.dialect.Stop(ctx, s, now), doing, m.Sudo)
}

// halt stops s as a step of another command. When ctx ends meanwhile, the error is
// service.ErrAsked as well: the service stops all the same.
func (m *Manager) halt(ctx context.Context, s manage.Spec) error { return asked(ctx, m.Stop(ctx, s)) }

func (m *Manager) Restart(ctx context.Context, s manage.Spec) error {
	doing := "restart " + s.ServiceName()
	now, err := m.startable(ctx, s, doing)
	if err != nil {
		return err
	}
	if d, ok := m.dialect.(restarter); ok {
		return m.launch(ctx, s, doing, func() error { return asked(ctx, d.Restart(ctx, s, now)) })
	}
	if err := m.halt(ctx, s); err != nil {
		return err
	}
	return m.Start(ctx, s)
}

func (m *Manager) Reload(ctx context.Context, s manage.Spec) error {
	doing := "reload " + s.ServiceName()
	now, err := m.now(ctx, s, doing)
	if err == nil && now.State != service.Running {
		err = fmt.Errorf("%s: %w", doing, service.ErrNotRunning)
	}
	if err == nil {
		err = m.root(doing)
	}
	if err != nil {
		return err
	}
	text, err := m.installed(ctx, s)
	if err == nil {
		err = m.dialect.Reload(ctx, s, text)
	}
	return refused(err, doing, m.Sudo)
}

// errNoReload is returned for a script that does not support reload.
var errNoReload = fmt.Errorf("%w: its script does not support reload; install it again", service.ErrNotSupported)

func (m *Manager) Pause(context.Context, manage.Spec) error    { return m.noPause() }
func (m *Manager) Continue(context.Context, manage.Spec) error { return m.noPause() }

func (m *Manager) noPause() error {
	return fmt.Errorf("%w: %s cannot pause a service; stop it", service.ErrNotSupported, m.Name())
}

func (m *Manager) Logs(ctx context.Context, s manage.Spec, q manage.LogQuery, w io.Writer) error {
	if _, err := m.installed(ctx, s); err != nil {
		return refused(err, "read the log of "+s.ServiceName(), m.Sudo)
	}
	file := m.dialect.Layout(s).Log
	if d, ok := m.dialect.(logger); ok {
		return d.Logs(ctx, s, q, w)
	}
	if m.Syslog {
		return syslogfile.Log{Machine: m.machine, Name: s.ServiceName(), File: file}.Write(ctx, q, w)
	}
	return syslogfile.WriteFile(ctx, m.machine.Tree, file, q, w)
}

func (m *Manager) Launches(_ context.Context, s manage.Spec) (string, error) {
	text, _, err := m.machine.Tree.Read(m.dialect.Layout(s).File)
	if words := m.dialect.Command(text); len(words) > 0 {
		return words[0], err
	}
	return "", err
}

func (m *Manager) Passes(_ context.Context, s manage.Spec) (args []string, ok bool) {
	text, _, _ := m.machine.Tree.Read(m.dialect.Layout(s).File)
	if words := m.dialect.Command(text); len(words) > 0 && manage.Marked(text) {
		return words[1:], true
	}
	return nil, false
}

func (m *Manager) Dependents(ctx context.Context, s manage.Spec) (manage.Dependents, error) {
	if d, ok := m.dialect.(needed); ok {
		return d.Dependents(ctx, s)
	}
	return manage.Dependents{}, nil
}
