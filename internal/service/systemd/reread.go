package systemd

import (
	"context"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// outdated returns the units whose files or drop-ins have changed since systemd read them.
// Changes by systemctl edit are not among them, because it makes systemd read them.
func outdated(u properties, sockets []properties) (names []string) {
	for _, u := range append([]properties{u}, sockets...) {
		if u["NeedDaemonReload"] == "yes" {
			names = append(names, u["Id"])
		}
	}
	return names
}

// changedText says that units are outdated.
func changedText(units []string) string {
	if len(units) == 1 {
		return units[0] + " has changed on disk since systemd read it"
	}
	return strings.Join(units, " and ") + " have changed on disk since systemd read them"
}

// rereadChanged makes systemd read changed units again and returns the result of installed,
// if the service is ours and the caller may do that: root, or the user whose systemd it is.
// systemctl itself tells others what to do when they start the service.
func (m *Manager) rereadChanged(ctx context.Context, s manage.Spec, u properties, sockets []properties, err error) (properties, []properties, error) {
	if err != nil {
		return nil, nil, err
	}
	changed := outdated(u, sockets)
	if len(changed) == 0 || !m.user && m.uid() != 0 {
		return u, sockets, nil
	}
	dir, err := m.unitFolder()
	if err != nil {
		return nil, nil, err
	}
	if m.checkOurs(s, dir) != nil {
		return u, sockets, nil
	}
	if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
		return nil, nil, err
	}
	m.machine.Note(changedText(changed) + "; all units were reloaded (" + m.commandLine("daemon-reload") + ")")
	return m.installed(ctx, s)
}

// commandLine returns a systemctl command to show to the operator.
func (m *Manager) commandLine(args ...string) string {
	line := "systemctl "
	if m.user {
		line += "--user "
	}
	return line + strings.Join(args, " ")
}
