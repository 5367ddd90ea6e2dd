//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
)

// windowsDir is Wine's prefix: the registry and the drives of its Windows.
const windowsDir = "/var/lib/windows"

// WindowsUnit is the unit of systemd that Windows and its services run in. In its
// [Machine.Journal] there are the calls of the event log that a service makes, and
// the lines of every record that it reports: Wine keeps none.
const WindowsUnit = "windows.service"

// WindowsPath is how Windows calls the container's absolute path p.
func WindowsPath(p string) string {
	return "Z:" + strings.ReplaceAll(p, "/", `\`)
}

// startWindows boots the machine's Windows, if nobody did before, and returns when
// its service control manager is ready. It runs until the machine is closed.
func (m *Machine) startWindows(ctx context.Context) error {
	select {
	case m.windows <- struct{}{}:
		defer func() { <-m.windows }()
	case <-ctx.Done():
		return fmt.Errorf("wait for another to start Windows: %w", context.Cause(ctx))
	}
	if m.windowsRuns {
		return nil
	}

	// Windows ends with its last program, so one of them waits for a command that
	// never comes. Wine runs no program before the system is up.
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
