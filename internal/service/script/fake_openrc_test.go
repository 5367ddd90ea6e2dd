//go:build unix

package script

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/initfake"
)

// newOpenRCDouble returns the manager of a machine with the tools of OpenRC.
func newOpenRCDouble(m *initfake.Machine) *Manager {
	for _, level := range []string{"boot", "default"} {
		m.Write("/etc/runlevels/"+level+"/.keep", "")
	}
	m.Write("/run/openrc/started/.keep", "")
	m.Tools["openrc"] = func([]string) (string, error) { return "openrc (OpenRC) 0.56\n", nil }
	m.Tools["rc-update"] = func(args []string) (string, error) {
		switch args[0] {
		case "add":
			return "", os.Symlink("/etc/init.d/"+args[1], m.Path("/etc/runlevels/"+args[2]+"/"+args[1]))
		case "del":
			return "", os.Remove(m.Path("/etc/runlevels/" + args[2] + "/" + args[1]))
		}
		return "", nil
	}
	m.Tools["rc-service"] = func(args []string) (string, error) {
		m.Tell(args[1])
		switch args[1] {
		case "stop":
			m.Delete("/run/openrc/started/web")
			m.Delete("/proc")
		case "start", "restart":
			m.PID += 2
			m.Delete("/proc")
			m.Write("/run/openrc/started/web", "")
			m.Write("/proc/stat", fmt.Sprintf("cpu 1 2\nbtime %d\n", time.Now().Unix()-3600))
			addProcess(m, m.PID-1, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			if !m.Ends {
				addProcess(m, m.PID, m.PID-1, "web", "web", 'S')
			}
		}
		return "", nil
	}
	return forTest(NewOpenRC(m.Service()))
}

// addProcess puts one into /proc.
func addProcess(m *initfake.Machine, pid, parent int, name, cmdline string, state byte) {
	if _, err := os.Stat(m.Path("/proc/stat")); err != nil {
		m.Write("/proc/stat", "cpu 1 2\nbtime 1700000000\n")
	}
	m.Write(fmt.Sprintf("/proc/%d/stat", pid), fmt.Sprintf("%d (%s) %c %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 12345 0\n", pid, name, state, parent))
	m.Write(fmt.Sprintf("/proc/%d/cmdline", pid), strings.ReplaceAll(cmdline, " ", "\x00"))
}
