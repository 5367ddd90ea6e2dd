//go:build unix

package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
)

// newSysVDouble returns the manager of a machine with runlevels, which the tool register
// makes.
func newSysVDouble(m *initfake.Machine, register string) *Manager {
	for _, level := range "0123456" {
		m.Write(fmt.Sprintf("/etc/rc%c.d/README", level), "")
	}
	link := func(name string) {
		for _, level := range "2345" {
			if !strings.Contains(m.Read("/etc/init.d/"+name), "\n# Default-Start:     2 3 4 5\n") {
				break
			}
			m.Link(fmt.Sprintf("/etc/rc%c.d/S01%s", level, name), "../init.d/"+name)
		}
		for _, level := range "016" {
			m.Link(fmt.Sprintf("/etc/rc%c.d/K01%s", level, name), "../init.d/"+name)
		}
	}
	unlink := func(name string) {
		links, _ := filepath.Glob(m.Path("/etc/rc?.d/[SK]??" + name))
		for _, l := range links {
			_ = os.Remove(l)
		}
	}
	switch register {
	case "update-rc.d":
		m.Tools[register] = func(args []string) (string, error) {
			if args[0] == "-f" {
				unlink(args[1])
			} else {
				link(args[0])
			}
			return "", nil
		}
	case "chkconfig":
		m.Tools[register] = func(args []string) (string, error) {
			if args[0] == "--del" {
				unlink(args[1])
			} else {
				link(args[1])
			}
			return "", nil
		}
	case "insserv":
		m.Tools[register] = func(args []string) (string, error) {
			if args[0] == "-r" {
				unlink(args[1])
			} else {
				link(args[0])
			}
			return "", nil
		}
	}
	addSysVScript(m)
	return forTest(NewSysV(m.Service()))
}

// addSysVScript makes the machine run the script of web.
func addSysVScript(m *initfake.Machine) {
	m.Tools["/etc/init.d/web"] = func(args []string) (string, error) {
		m.Tell(args[0])
		switch args[0] {
		case "stop":
			m.Delete("/run/web.pid")
			m.Delete("/proc")
		case "start", "restart":
			if m.Ends {
				return "", &command.Error{Line: "web start", Code: 1, Stderr: "web has ended at once, with exit code 3: see syslog\n"}
			}
			m.PID++
			addProcess(m, m.PID, 1, "web", "web", 'S')
			m.Write("/run/web.pid", fmt.Sprintf("%d\n12345\n", m.PID))
		}
		return "", nil
	}
}

func newRCSDouble(m *initfake.Machine) *Manager {
	m.Write("/etc/init.d/rcS", "for i in /etc/init.d/S??*; do $i start; done\n")
	addSysVScript(m)
	return forTest(NewRCS(m.Service()))
}

// addOldSysV makes what kardianos/service leaves: a script, and links that it never removes.
func addOldSysV(m *initfake.Machine) {
	m.Write("/etc/init.d/web", "#!/bin/sh\n# For RedHat and cousins:\n# chkconfig: - 99 01\n# description: serves\n\nname=web\npid_file=\"/var/run/$name.pid\"\nstdout_log=\"/var/log/$name.log\"\n")
	for _, level := range "2345" {
		m.Link(fmt.Sprintf("/etc/rc%c.d/S50web", level), "/etc/init.d/web")
	}
	for _, level := range "016" {
		m.Link(fmt.Sprintf("/etc/rc%c.d/K02web", level), "/etc/init.d/web")
	}
}
