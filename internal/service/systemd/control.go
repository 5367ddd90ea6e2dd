package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// lastLines is the number of log lines that are shown with a failure.
const lastLines = 3

// Start starts the service and returns when it is ready. For a service that is started by its
// sockets, it starts the sockets instead.
func (m *Manager) Start(ctx context.Context, s manage.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if err == nil && u["ActiveState"] == "active" {
		if changed := outdated(u, sockets); len(changed) > 0 {
			m.machine.Note(changedText(changed) + "; the running service has not changed; restart it to apply the change")
		}
		return nil
	}
	if u, sockets, err = m.rereadChanged(ctx, s, u, sockets, err); err != nil {
		return err
	}
	if err := startable(u, s); err != nil {
		return err
	}
	if u.startType(sockets) == service.OnSocket {
		return m.startSockets(ctx, s, u, sockets)
	}
	m.machine.Waiting("waiting for " + s.ServiceName() + " to be ready")
	return m.startAndCheck(ctx, s, "start")
}

// installed returns what systemd knows of the service and its sockets, or ErrNotInstalled.
func (m *Manager) installed(ctx context.Context, s manage.Spec) (properties, []properties, error) {
	if err := requireInstance(s); err != nil {
		return nil, nil, err
	}
	u, sockets, err := m.show(ctx, s)
	if err == nil && u.state() == service.NotInstalled {
		err = service.ErrNotInstalled
	}
	return u, sockets, err
}

// startable returns why systemd would refuse to start the unit, or nil.
func startable(u properties, s manage.Spec) error {
	switch {
	case u["LoadState"] == "masked":
		return fmt.Errorf("the unit is masked and cannot be started: run systemctl unmask %s", unitName(s))
	case u["LoadState"] != "loaded":
		return fmt.Errorf("the unit cannot be loaded: %s; systemd-analyze verify %s shows why", u.loadError(), unitName(s))
	case u["RefuseManualStart"] == "yes":
		return fmt.Errorf("it is disabled: install it with another start type")
	}
	return nil
}

// startSockets starts the sockets of the service. It resets the service if that has failed,
// so that it counts as stopped and waiting for connections.
func (m *Manager) startSockets(ctx context.Context, s manage.Spec, u properties, sockets []properties) error {
	m.machine.Waiting("waiting for the sockets of " + s.ServiceName())
	if u["ActiveState"] == "failed" {
		if _, err := m.systemctl(ctx, "reset-failed", "--", unitName(s)); err != nil {
			return m.interrupted(ctx, err)
		}
	}
	if _, err := m.systemctl(ctx, append([]string{"start", "--"}, unitIDs(sockets)...)...); err != nil {
		for _, k := range s.Sockets {
			if said := addressTaken(k); said != "" && ctx.Err() == nil && command.Code(err) > 0 {
				return errors.New(said)
			}
		}
		return m.interrupted(ctx, err)
	}
	return nil
}

func unitIDs(units []properties) []string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = u["Id"]
	}
	return names
}

// endMargin is how much longer than its stop timeout a service may be stopping: systemd kills
// it then.
const endMargin = 5 * time.Second

// startAndCheck starts or restarts the service, and returns an error unless it then runs or
// has finished as a job.
func (m *Manager) startAndCheck(ctx context.Context, s manage.Spec, verb string) error {
	_, failed := m.systemctl(ctx, verb, "--", unitName(s))
	if failed != nil && ctx.Err() != nil {
		return m.interrupted(ctx, failed)
	}
	if failed != nil && command.Code(failed) < 1 {
		return failed // nothing that systemd has said about the service
	}
	u, err := m.showEnded(ctx, s)
	if err != nil {
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		return err
	}
	state := u.state()
	switch {
	case u.unmet() != "" && (failed == nil || strings.Contains(failed.Error(), "Assertion failed")):
		return errors.New(m.unmetReason(ctx, s, u))
	case failed == nil && (state == service.Running || state == service.Reloading):
		return nil
	case state == service.Failed:
		return errors.New(m.failureReason(ctx, s, u))
	case failed != nil:
		return failed
	case state == service.Stopped && u["Result"] == "success" && u.exitCode() == 0:
		return nil // a job has finished
	}
	return fmt.Errorf("it was started but is now %s%s", state, m.lastOutput(ctx, s, u))
}

// showEnded returns what systemd knows of the service. If the service is stopping, as a job is
// that has just finished, it waits until that is over, and how it ended is known.
func (m *Manager) showEnded(ctx context.Context, s manage.Spec) (properties, error) {
	for begun := time.Now(); ; {
		u, _, err := m.show(ctx, s)
		if err != nil || u.state() != service.Stopping || time.Since(begun) > s.StopTimeout+endMargin {
			return u, err
		}
		select {
		case <-ctx.Done():
			return u, m.interrupted(ctx, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// failureReason says in one line how the service has failed and what it last logged.
func (m *Manager) failureReason(ctx context.Context, s manage.Spec, u properties) string {
	reason := u.reason()
	if missing := m.missingFiles(u); u["Result"] == "resources" && len(missing) > 0 {
		reason = fmt.Sprintf("there is no %s, and systemd does not start it without that (EnvironmentFile=, Result=resources)", strings.Join(missing, ", "))
	}
	return reason + m.lastOutput(ctx, s, u)
}

// lastOutput returns the last log lines of the service's last process, or where its log is,
// to be appended to a message.
func (m *Manager) lastOutput(ctx context.Context, s manage.Spec, u properties) string {
	records := m.lastRunArgs(s, u)
	if records == nil {
		return "; " + m.logHint(s)
	}
	if id, process := u["InvocationID"], u["ExecMainPID"]; !m.user && process != "" && process != "0" {
		// systemd also logs from that process before it executes the program. journald may
		// see these records too late to know their unit.
		records = append(records, "+", "INVOCATION_ID="+id, "_PID="+process)
	}
	args := append([]string{"--quiet", "--no-pager", "--output=cat", fmt.Sprintf("--lines=%d", lastLines)}, records...)
	out, err := m.machine.Runner()(ctx, "journalctl", args...)
	if said := oneLine(out); err == nil && said != "" {
		return "; last log lines: " + said
	}
	return "; " + m.logHint(s)
}

// logHint says how to read the log.
func (m *Manager) logHint(s manage.Spec) string {
	if m.user {
		return "see the log: journalctl --user-unit " + unitName(s)
	}
	return "see the log: journalctl -u " + unitName(s)
}

// interrupted returns err, or that the wait was given up if ctx has ended.
func (m *Manager) interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("stopped waiting, systemd continues: %w", context.Cause(ctx))
}

// Stop stops the sockets, which would start the service again, and the service. A service
// that does not stop in time is killed; this is not an error, because it has stopped.
func (m *Manager) Stop(ctx context.Context, s manage.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if err != nil {
		return err
	}
	if !u.runs() && !anyListening(sockets) {
		return nil
	}
	return m.stopUnits(ctx, s, sockets)
}

// stopUnits stops the service and its sockets.
func (m *Manager) stopUnits(ctx context.Context, s manage.Spec, sockets []properties) error {
	m.machine.Waiting("waiting for " + s.ServiceName() + " to stop")
	_, failed := m.systemctl(ctx, append([]string{"stop", "--", unitName(s)}, unitIDs(sockets)...)...)
	if failed != nil && ctx.Err() != nil {
		return m.interrupted(ctx, failed)
	}
	if failed != nil {
		return failed
	}
	u, _, err := m.show(ctx, s)
	if err != nil {
		return err
	}
	if u.runs() {
		return fmt.Errorf("it was stopped but is now %s: something started it again", u.state())
	}
	return nil
}

// Restart stops the service if it runs, and starts it. A service that is started by its
// sockets is restarted only if it runs. The sockets listen meanwhile, except for those whose
// address has changed.
func (m *Manager) Restart(ctx context.Context, s manage.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if u, sockets, err = m.rereadChanged(ctx, s, u, sockets, err); err != nil {
		return err
	}
	if err := startable(u, s); err != nil {
		return err
	}
	if u.runs() && anyDeaf(sockets) { // its file has changed, and it opens again only when the service has released it
		if err := m.stopUnits(ctx, s, sockets); err != nil {
			return err
		}
		if err := m.startSockets(ctx, s, u, sockets); err != nil {
			return err
		}
	}
	if u.startType(sockets) == service.OnSocket && !u.runs() {
		return m.startSockets(ctx, s, u, sockets)
	}
	m.machine.Waiting("waiting for " + s.ServiceName() + " to be ready again")
	return m.startAndCheck(ctx, s, "restart")
}

// Reload returns when the program has reloaded its configuration. Before systemd 253 it
// returns when the program has been asked to. If the reload fails, the program runs on as
// before and Reload returns an error.
func (m *Manager) Reload(ctx context.Context, s manage.Spec) error {
	u, _, err := m.installed(ctx, s)
	if err != nil {
		return err
	}
	if state := u.state(); state != service.Running && state != service.Reloading {
		return fmt.Errorf("%w: it is %s", service.ErrNotRunning, state)
	}
	m.machine.Waiting("waiting for " + s.ServiceName() + " to reload")
	_, failed := m.systemctl(ctx, "reload", "--", unitName(s))
	if failed != nil && ctx.Err() != nil {
		return m.interrupted(ctx, failed)
	}
	u, _, err = m.show(ctx, s)
	switch {
	case failed != nil && err == nil && u.state() == service.Running && u["ReloadResult"] != "success":
		return fmt.Errorf("it did not confirm the reload (ReloadResult=%s) and runs on; %s", u["ReloadResult"], m.logHint(s))
	case failed != nil && err == nil && u.state() == service.Failed:
		return errors.New(m.failureReason(ctx, s, u))
	case failed != nil:
		return failed
	case err != nil:
		return err
	case !u.runs():
		return fmt.Errorf("it stopped instead%s", m.lastOutput(ctx, s, u))
	}
	if _, reason, ok := strings.Cut(u["StatusText"], reloadFailed); ok {
		return fmt.Errorf("the program failed to reload and runs on as before: %s", reason)
	}
	return nil
}

// reloadFailed precedes the reason for a failed reload in the status text of a program of
// this library. systemd has no other message for it.
const reloadFailed = "the last reload failed: "

// Pause returns ErrNotSupported, because systemd cannot pause a service.
func (*Manager) Pause(context.Context, manage.Spec) error { return errPause }

// Continue returns ErrNotSupported, because systemd cannot pause a service.
func (*Manager) Continue(context.Context, manage.Spec) error { return errPause }

var errPause = fmt.Errorf("%w: systemd cannot pause a service", service.ErrNotSupported)
