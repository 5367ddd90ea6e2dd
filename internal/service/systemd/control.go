package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
)

// lastLines is how much of the log goes with a failure.
const lastLines = 3

// Start starts the service and returns when it is ready. A service that is started by
// its sockets has them listen instead.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if err == nil && u["ActiveState"] == "active" {
		if changed := outdated(u, sockets); len(changed) > 0 {
			m.machine.Note(changedText(changed) + "; the service runs on as before, and restart uses the change")
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

// installed returns what systemd knows of a service that is installed.
func (m *Manager) installed(ctx context.Context, s service.Spec) (properties, []properties, error) {
	if err := requireInstance(s); err != nil {
		return nil, nil, err
	}
	u, sockets, err := m.show(ctx, s)
	if err == nil && u.state() == service.NotInstalled {
		err = service.ErrNotInstalled
	}
	return u, sockets, err
}

// startable says why systemd would refuse to start a unit.
func startable(u properties, s service.Spec) error {
	switch {
	case u["LoadState"] == "masked":
		return fmt.Errorf("it is masked, which forbids to start it: systemctl unmask %s", unitName(s))
	case u["LoadState"] != "loaded":
		return fmt.Errorf("its unit cannot be loaded: %s; systemd-analyze verify %s says more", u.loadError(), unitName(s))
	case u["RefuseManualStart"] == "yes":
		return fmt.Errorf("it is disabled: install it with another start type")
	}
	return nil
}

// startSockets starts the sockets of u. Whoever starts what has failed begins anew: with it
// listened for, it is not failed any more.
func (m *Manager) startSockets(ctx context.Context, s service.Spec, u properties, sockets []properties) error {
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

// startAndCheck starts or restarts the service, and makes sure that it runs.
func (m *Manager) startAndCheck(ctx context.Context, s service.Spec, verb string) error {
	_, failed := m.systemctl(ctx, verb, "--", unitName(s))
	if failed != nil && ctx.Err() != nil {
		return m.interrupted(ctx, failed)
	}
	if failed != nil && command.Code(failed) < 1 {
		return failed // nothing that systemd has said about the service
	}
	u, _, err := m.show(ctx, s)
	if err != nil {
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		return err
	}
	state := u.state()
	switch {
	case failed == nil && (state == service.Running || state == service.Reloading):
		return nil
	case state == service.Failed:
		return errors.New(m.failureReason(ctx, s, u))
	case failed != nil:
		return failed
	case state == service.Stopped && u["Result"] == "success" && u.exitCode() == 0:
		return nil // a job has finished
	}
	return fmt.Errorf("it was started, and is %s now%s", state, m.lastOutput(ctx, s, u))
}

// failureReason says in one line why a service has failed: how it ended, and what it has
// said last.
func (m *Manager) failureReason(ctx context.Context, s service.Spec, u properties) string {
	return u.reason() + m.lastOutput(ctx, s, u)
}

// lastOutput are the last lines of the service's last process, to be put behind something.
func (m *Manager) lastOutput(ctx context.Context, s service.Spec, u properties) string {
	records := m.lastRunArgs(s, u)
	if records == nil {
		return "; " + m.logHint(s)
	}
	if id, process := u["InvocationID"], u["ExecMainPID"]; !m.user && process != "" && process != "0" {
		// What systemd says in the process before it executes the program: journald may look
		// at that when it is gone, and not know the unit.
		records = append(records, "+", "INVOCATION_ID="+id, "_PID="+process)
	}
	args := append([]string{"--quiet", "--no-pager", "--output=cat", fmt.Sprintf("--lines=%d", lastLines)}, records...)
	out, err := m.machine.Runner()(ctx, "journalctl", args...)
	if said := oneLine(out); err == nil && said != "" {
		return "; its last words: " + said
	}
	return "; " + m.logHint(s)
}

// logHint says where the log is.
func (m *Manager) logHint(s service.Spec) string {
	if m.user {
		return "its log: journalctl --user-unit " + unitName(s)
	}
	return "its log: journalctl -u " + unitName(s)
}

// interrupted is the error where systemctl was not waited for any more.
func (m *Manager) interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("not waited for any longer; systemd goes on with it: %w", context.Cause(ctx))
}

// Stop stops the service, and first its sockets, which would start it again. A service
// that does not stop in its time is killed, which is no error here: it has stopped.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if err != nil {
		return err
	}
	if !u.runs() && !anyListening(sockets) {
		return nil
	}
	return m.stopUnits(ctx, s, sockets)
}

func (m *Manager) stopUnits(ctx context.Context, s service.Spec, sockets []properties) error {
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
		return fmt.Errorf("it was stopped, and is %s now: something has started it again", u.state())
	}
	return nil
}

// Restart stops the service if it runs, and starts it. One that is started by its
// sockets is only restarted if it runs; the sockets listen on meanwhile, but for one
// whose address has changed.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	u, sockets, err := m.installed(ctx, s)
	if u, sockets, err = m.rereadChanged(ctx, s, u, sockets, err); err != nil {
		return err
	}
	if err := startable(u, s); err != nil {
		return err
	}
	if u.runs() && anyDeaf(sockets) { // since its file has changed: it opens again only when nobody has it
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

// Reload returns when the program has said that it has read its configuration anew;
// before systemd 253, when it has been asked to. A reload that fails in the program,
// which goes on as before, is an error.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
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
		return fmt.Errorf("it did not say that it has reloaded (ReloadResult=%s), and runs on; %s", u["ReloadResult"], m.logHint(s))
	case failed != nil && err == nil && u.state() == service.Failed:
		return errors.New(m.failureReason(ctx, s, u))
	case failed != nil:
		return failed
	case err != nil:
		return err
	case !u.runs():
		return fmt.Errorf("it has stopped instead%s", m.lastOutput(ctx, s, u))
	}
	if _, reason, ok := strings.Cut(u["StatusText"], reloadFailed); ok {
		return fmt.Errorf("it goes on as before, as the program could not: %s", reason)
	}
	return nil
}

// reloadFailed is how a program of this library begins to tell why a reload has
// failed: systemd has no message for that but the text of its state.
const reloadFailed = "the last reload failed: "

// Pause is not supported: systemd knows no pause.
func (*Manager) Pause(context.Context, service.Spec) error { return errPause }

// Continue is not supported either.
func (*Manager) Continue(context.Context, service.Spec) error { return errPause }

var errPause = fmt.Errorf("%w: systemd has no pause", service.ErrNotSupported)
