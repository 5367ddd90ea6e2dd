//go:build linux

package manage

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// sysv is a bed with the init of System V.
type sysv struct{ unix }

func TestSysV(t *testing.T) {
	machine := boot(t, testbed.BootSysV)
	scenario.Run(t, &sysv{unix{machine: machine, manager: "SysV init", places: []string{"/etc", "/var", "/usr/local"}}})
}

// Can is without what nobody does there: the init knows no service, its script does.
func (b *sysv) Can() scenario.Can {
	can := b.unix.Can()
	can.Ready, can.Failures, can.Codes, can.Restarts = false, false, false, false
	can.Sysconfig = true
	return can
}

func (b *sysv) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	name = script(name)
	said := scenario.Said{
		Installed: b.exists("/etc/init.d/" + name),
		Automatic: b.linked(t, "/etc/rc2.d", name),
	}
	if !said.Installed {
		return said
	}
	out := b.tool(t, "/etc/init.d/"+name, "status")
	said.Running = out.Code == 0
	said.Failed = out.Code == 1                                   // dead, and its PID file is there
	first, _, _ := strings.Cut(b.read("/run/"+name+".pid"), "\n") // the second line is when it began
	said.PID, _ = strconv.Atoi(first)
	return said
}

func (b *sysv) Tight() []string { return []string{"/etc/init.d", "/etc/rc2.d", "/var/lib"} }

func (b *sysv) Foreign(t testing.TB, name, _ string) {
	t.Helper()
	b.script(t, name, "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: "+name+"\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2\n# Default-Stop: 0\n# Short-Description: somebody else's\n### END INIT INFO\nexit 3\n")
}

func (b *sysv) Forget(t testing.TB, name string) {
	t.Helper()
	b.logs(t, name)
	name = script(name)
	b.tool(t, "sh", "-c", `test -x "$1" && "$1" stop`, "sh", "/etc/init.d/"+name)
	b.bury(t, name)
	b.tool(t, "update-rc.d", "-f", name, "remove")
}

// Traces are without the numbers of links, and with their targets as insserv has them:
// it renumbers all services when another one comes or goes.
func (b *sysv) Traces(t testing.TB, name string) scenario.Traces {
	t.Helper()
	traces := scenario.Traces{}
	for file, trace := range b.unix.Traces(t, name) {
		if short := numbers.ReplaceAllString(file, "${1}NN"); short != file {
			file, trace.Text = short, strings.Replace(trace.Text, "/etc/init.d/", "../init.d/", 1)
		}
		traces[file] = trace
	}
	return traces
}

var numbers = regexp.MustCompile(`^(/etc/rc.\.d/[SK])\d\d`)

// linked reports whether the folder of a runlevel has a link that starts the service.
func (b *sysv) linked(t testing.TB, runlevel, name string) bool {
	t.Helper()
	for file := range b.Traces(t, name) {
		if len(file) > len(runlevel)+4 && file[:len(runlevel)+2] == runlevel+"/S" {
			return true
		}
	}
	return false
}
