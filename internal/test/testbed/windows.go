//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// windowsDir is Wine's prefix, which contains the registry and the drives of its Windows.
const windowsDir = "/var/lib/windows"

// WindowsUnit is the systemd unit in which Windows and its services run. Wine keeps no event
// log. Instead, the [Machine.Journal] of this unit contains the event log calls of services and
// the lines of each reported record.
const WindowsUnit = "windows.service"

// WindowsPath returns the Windows path for the container's absolute path p.
func WindowsPath(p string) string {
	return "Z:" + strings.ReplaceAll(p, "/", `\`)
}

// startWindows boots the machine's Windows unless it runs already, and returns when its service
// control manager is ready. Windows runs until the machine is closed.
func (m *Machine) startWindows(ctx context.Context) error {
	select {
	case m.windows <- struct{}{}:
		defer func() { <-m.windows }()
	case <-ctx.Done():
		return fmt.Errorf("wait for another caller to start Windows: %w", context.Cause(ctx))
	}
	if m.windowsRuns {
		return nil
	}

	// Windows ends with its last program, so this one waits for a command that never comes.
	// Wine runs no program before the system is up.
	const (
		mark     = "/run/windows-runs"
		endless  = `{ echo 'echo yes>Z:` + mark + `'; exec sleep infinity; } | exec wine 'C:\windows\system32\cmd.exe'`
		eventLog = "WINEDEBUG=-all,+eventlog,fixme+advapi"
	)
	args := []string{"--quiet", "--unit=" + WindowsUnit, "--property=KillSignal=KILL"}
	for _, variable := range append(windowsEnv(), eventLog) {
		args = append(args, "--setenv="+variable)
	}
	if !m.windowsStarts {
		out, err := m.Run(ctx, "systemd-run", append(args, "/bin/sh", "-c", endless)...)
		if err == nil && out.Code != 0 {
			err = errors.New(strings.TrimSpace(out.Stderr))
		}
		if err != nil {
			return fmt.Errorf("start Windows: %w", err)
		}
		m.windowsStarts = true
	}
	err := poll(ctx, func() (bool, error) {
		if _, err := os.Stat(m.Path(mark)); err == nil {
			return true, nil
		}
		unit, err := m.Show(ctx, WindowsUnit, "ActiveState")
		if err == nil && unit["ActiveState"] != "active" {
			err = fmt.Errorf("%s is %s", WindowsUnit, unit["ActiveState"])
		}
		return false, err
	})
	if err != nil {
		log, logErr := m.Journal(context.WithoutCancel(ctx), WindowsUnit)
		return errors.Join(fmt.Errorf("start Windows: %w\n%s", err, log), logErr)
	}
	m.windowsRuns = true
	return nil
}

func windowsEnv() []string {
	return []string{"HOME=/root", "WINEPREFIX=" + windowsDir, "WINEDEBUG=-all"}
}
