//go:build linux

package testbed

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Path returns the path on the host for the container's absolute path p, for reading and writing
// files there. The kernel resolves absolute symbolic links in it against the host's root, so use
// the target of a link, for example /run instead of /var/run.
func (m *Machine) Path(p string) string {
	return filepath.Join("/proc", strconv.Itoa(m.init), "root", p)
}

// Show returns properties of a unit of the system manager, by name. If props is empty, it
// returns all of them. A unit that does not exist has the LoadState "not-found".
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

// Await waits until prop of unit is want. It polls, so it misses values that last only a few
// milliseconds. If ctx ends first, the error contains the last values.
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
		return fmt.Errorf("wait until %s of %s is %q (last values %v): %w", prop, unit, want, last, err)
	}
	return nil
}

// Journal returns what the unit logged so far, and what systemd logged about it. Use it in
// failure messages.
func (m *Machine) Journal(ctx context.Context, unit string) (string, error) {
	// Some lines may still be in journald's socket.
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
