package sysv

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// body is what all scripts have in common.
//
//go:embed body.sh
var body string

// Render is the script of a service: an LSB header, what is the service's own, and the
// body, which is for any POSIX shell.
func Render(s service.Spec, o initd.Owner) string {
	l := initd.Of(s)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	line("#!/bin/sh")
	line("# %s", service.Mark)
	line("# /etc/default/%s stays as it is: the service gets what it exports.", l.Name)
	if s.KeptFile {
		line("# %s", service.Kept)
	}
	b.WriteString(initd.StartLine(s))
	header(line, s, l)

	set := func(name, value string) { line("%s=%s", name, shell.Quote(value)) }
	set("name", l.Name)
	set("program", s.Executable)
	set("account", o.Name)
	set("group", o.Group)
	dir := s.Directory
	if dir == "" {
		dir = l.Dirs.State
	}
	set("directory", dir)
	set("log", l.Log)
	set("folders", strings.Join(l.Owned(), " ")) // their names have no spaces
	set("privileges", privileges(s))
	line("patience=%d # seconds that a stop may take", onefile.Seconds(onefile.StopBudget(s), 1))
	line("disabled=%s", yes(s.Start == service.Disabled))
	line("")

	line("# launch runs the program in place of this shell.")
	line("launch() {")
	line("\tumask 0077")
	if s.Limits.OpenFiles > 0 {
		line("\tulimit -n %d", s.Limits.OpenFiles)
	}
	if o.Name != "root" {
		line("\texport HOME=%s USER=%s LOGNAME=%s", shell.Quote(l.Dirs.State), shell.Quote(o.Name), shell.Quote(o.Name))
	}
	words := []string{}
	for _, v := range onefile.Environment(s, l.Dirs, onefile.Syslog()) {
		if initd.Exportable(v.Name) {
			line("\texport %s=%s", v.Name, shell.Quote(v.Value))
		} else {
			words = append(words, shell.Quote(v.Name+"="+v.Value))
		}
	}
	line("\t# shellcheck disable=SC1090 # it need not exist")
	line("\t[ ! -r \"/etc/default/$name\" ] || . \"/etc/default/$name\"")
	if len(words) > 0 {
		words = append([]string{"env"}, words...)
		if strings.Contains(s.Executable, "=") { // that would be a variable, to env
			words = append(words, `/bin/sh -c 'exec "$@"' sh`)
		}
	}
	words = append(words, `"$program"`)
	for _, a := range s.Args {
		words = append(words, shell.Quote(a))
	}
	line("\tset -- %s", strings.Join(words, " \\\n\t\t"))
	line("\tbecome /bin/sh -c \"$in_place\" sh \"$directory\" \"$log\" \"$@\"")
	line("}")
	line("")
	b.WriteString(body)
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// header is what insserv, chkconfig and the like read.
func header(line func(string, ...any), s service.Spec, l initd.Layout) {
	needs := []string{"$remote_fs", "$syslog"}
	for _, n := range s.Needs {
		if n == "network" {
			n = "$network"
		}
		needs = append(needs, strings.ReplaceAll(n, "@", "."))
	}
	begins := needs
	if s.Start == service.Delayed {
		begins = append(needs[:len(needs):len(needs)], "$all")
	}
	levels := " 2 3 4 5"
	chkconfig := "2345"
	if !starts(s) {
		levels, chkconfig = "", "-"
	}
	line("#")
	line("# chkconfig: %s 80 20", chkconfig)
	line("# description: %s", strings.TrimRight(s.Description, `\ `)) // chkconfig would go on with the next line
	line("### BEGIN INIT INFO")
	line("# Provides:          %s", l.Name)
	line("# Required-Start:    %s", strings.Join(begins, " "))
	line("# Required-Stop:     %s", strings.Join(needs, " "))
	line("# Default-Start:    %s", levels)
	line("# Default-Stop:      0 1 6")
	line("# Short-Description: %s", s.DisplayName)
	line("# Description:       %s", s.Description)
	line("### END INIT INFO")
	line("")
}

// starts reports whether s starts with the machine.
func starts(s service.Spec) bool {
	return s.Start != service.Manual && s.Start != service.Disabled
}

// privileges are words for setpriv: the service keeps and gains no rights but those
// that it has asked for.
func privileges(s service.Spec) string {
	if s.Hardening.Profile == service.None {
		return ""
	}
	words := "--no-new-privs"
	caps := initd.Capabilities(s)
	if len(caps) == 0 {
		return words + " --inh-caps -all --bounding-set -all"
	}
	set := "-all"
	for _, c := range caps {
		set += ",+" + strings.TrimPrefix(c, "cap_")
	}
	return fmt.Sprintf("%s --inh-caps %s --ambient-caps %s --bounding-set %s", words, set, set, set)
}

// theirs reports whether a script is one of kardianos/service.
func theirs(text string) bool {
	return strings.HasPrefix(text, "#!/bin/sh\n# For RedHat and cousins:\n# chkconfig: - 99 01\n# description: ") &&
		strings.Contains(text, "\npid_file=\"/var/run/$name.pid\"\nstdout_log=\"")
}

// lost are warnings about what such a script has and that of s has not.
func lost(old string, s service.Spec, account string) []string {
	k := onefile.Script{Sum: 0x199d5cf8, Command: "cmd", Own: []string{"name", "pid_file", "stdout_log", "stderr_log"}}
	lines := k.Lost(old, s, account)
	if s.KeptFile {
		lines = append(lines, s.KeptFileWarning())
	}
	return lines
}

// keep gives s the file that the script of kardianos/service reads, which s replaces, or has
// replaced before.
func (m *Manager) keep(s service.Spec) service.Spec {
	l := initd.Of(s)
	old, _, err := m.m.Tree.Read(l.Script)
	had := theirs(old) && strings.Contains(old, "\n[ -e /etc/sysconfig/$name ] && . /etc/sysconfig/$name\n")
	if err == nil && s.EnvironmentFile == "" && (had || service.Marked(old) && strings.Contains(old, "\n# "+service.Kept+"\n")) {
		s.EnvironmentFile, s.KeptFile = "-/etc/sysconfig/"+l.Name, true
	}
	return s
}

// warnings are what s asks for and such an init lacks.
func warnings(manager string, s service.Spec, rcs bool) []string {
	has := []string{
		"Limits.OpenFiles", "Hardening.Profile LowPorts", "Hardening.Capabilities",
		"Recovery", "Recovery.Delays", "Recovery.CrashOnly", "StartType",
	}
	if !rcs {
		has = append(has, "Dependencies")
	}
	lines := onefile.Lacks(manager, s, has...)
	if s.Start == service.OnSocket {
		lines = append(lines, "StartType: "+manager+" starts nothing for a connection; it starts with the machine")
	}
	if s.Start == service.Delayed && rcs {
		lines = append(lines, "StartType: "+manager+" has no delayed start; it starts with the others")
	}
	if !s.Recovery.Never {
		lines = append(lines, "Recovery: "+manager+" supervises nothing; a service that has failed stays down")
	}
	if len(initd.Capabilities(s)) > 0 && !s.Root() {
		lines = append(lines, "Hardening: its capabilities need setpriv of util-linux 2.31; without it, it starts without them")
	}
	return lines
}
