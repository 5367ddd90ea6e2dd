//go:build linux

package testbed

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Path is where the container's absolute path p is on the host, to read and
// write files there. The kernel resolves absolute symbolic links in it against
// the host's root: name the target, for example /run and not /var/run.
func (m *Machine) Path(p string) string {
	return filepath.Join("/proc", strconv.Itoa(m.init), "root", p)
}

// Show returns properties of a unit of the system manager, by name; all of them
// if props is empty. A unit that does not exist has the LoadState "not-found".
func (m *Machine) Show(ctx context.Context, unit string, props ...string) (map[string]string, error) {
	args := []string{"show"}
	if len(props) > 0 {
		args = append(args, "--property="+strings.Join(props, ","))
	}
	out, err := m.Run(ctx, "systemctl", append(args, "--", unit)...)
	if err != nil {
		return nil, fmt.Errorf("show %s: %w", unit, err)
	}
	if out.Code != 0 {
		return nil, fmt.Errorf("show %s: %s", unit, strings.TrimSpace(out.Stderr))
	}
	values := make(map[string]string)
	for line := range strings.Lines(out.Stdout) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			values[name] = value
		}
	}
	return values, nil
}

// Await waits until prop of unit is want. It polls, so it does not see values
// that last only for some milliseconds. If ctx ends before, the error holds the
// last values.
func (m *Machine) Await(ctx context.Context, unit, prop, want string) error {
	var last map[string]string
	err := poll(ctx, func() (bool, error) {
		now, err := m.Show(ctx, unit, prop, "ActiveState", "SubState", "Result")
		if err != nil {
			return false, err
		}
		last = now
		return now[prop] == want, nil
	})
	if err != nil {
		return fmt.Errorf("wait for %s of %s to be %q, last seen %v: %w", prop, unit, want, last, err)
	}
	return nil
}

// Journal returns what the unit and systemd logged about it so far, for failure
// messages.
func (m *Machine) Journal(ctx context.Context, unit string) (string, error) {
	// Lines may still wait in journald's socket.
	if _, err := m.Run(ctx, "journalctl", "--sync"); err != nil {
		return "", fmt.Errorf("sync the journal: %w", err)
	}
	out, err := m.Run(ctx, "journalctl", "--no-pager", "--output=short-precise", "--unit="+unit)
	if err != nil {
		return "", fmt.Errorf("read the journal of %s: %w", unit, err)
	}
	if out.Code != 0 {
		return "", fmt.Errorf("read the journal of %s: %s", unit, strings.TrimSpace(out.Stderr))
	}
	return out.Stdout, nil
}
