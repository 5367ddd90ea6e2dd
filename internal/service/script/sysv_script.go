package script

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// sysvBody is what all scripts have in common.
//
//go:embed sysv.sh
var sysvBody string

// sysvScript returns the script of s: an LSB header, what is the service's own, and the body,
// which is for any POSIX shell.
func sysvScript(s manage.Spec, o Owner) string {
	l := InitD(s)
	var b lines
	b.line("#!/bin/sh\n# %s", manage.Mark)
	if sysvSources(s) {
		b.line("# %s stays as it is: the service gets what it exports.", sysvDefaults(s))
	} else {
		b.line("# %s stays as it is: it is EnvironmentFile, which the program reads and nothing executes.", sysvDefaults(s))
	}
	if s.KeptFile {
		b.line("# %s", manage.Kept)
	}
	b.line("%s%s", startMark, s.StartType)
	sysvHeader(b.line, s, l)
	b.set("name", l.Name)
	b.set("program", s.Executable)
	b.set("account", o.Name)
	b.set("group", o.Group)
	dir := s.WorkingDirectory
	if dir == "" {
		dir = l.Dirs.State
	}
	b.set("directory", dir)
	b.set("log", l.Log)
	b.set("folders", strings.Join(l.Given, " ")) // their names have no spaces
	b.set("privileges", sysvPrivileges(s))
	b.line("patience=%d # seconds that a stop may take", seconds(stopBudget(s)))
	b.line("disabled=%s\n", yesIf(s.StartType == service.Disabled))
	sysvLaunch(b.line, s, o, l)
	return b.String() + sysvBody
}

// sysvDefaults returns the file that the script of s sources, if sysvSources says so.
func sysvDefaults(s manage.Spec) string { return "/etc/default/" + InitD(s).Name }

// sysvSources reports whether the script of s sources sysvDefaults, as root. Nothing in
// EnvironmentFile may be executed.
func sysvSources(s manage.Spec) bool { return environmentFile(s) != sysvDefaults(s) }

// sysvLaunch writes the function that runs the program.
func sysvLaunch(line func(string, ...any), s manage.Spec, o Owner, l Layout) {
	line("# launch runs the program in place of this shell.\nlaunch() {\n\tumask 0077")
	if s.Limits.OpenFiles > 0 {
		line("\tulimit -n %d", s.Limits.OpenFiles)
	}
	if o.Name != "root" {
		line("\texport HOME=%s USER=%s LOGNAME=%s", shell.Quote(l.Dirs.State), shell.Quote(o.Name), shell.Quote(o.Name))
	}
	words := []string{}
	for _, v := range Environment(s, l.Dirs, toSyslog()) {
		if exportable(v.Name) {
			line("\texport %s=%s", v.Name, shell.Quote(v.Value))
		} else {
			words = append(words, shell.Quote(v.Name+"="+v.Value))
		}
	}
	if sysvSources(s) {
		line("\t# shellcheck disable=SC1090 # it need not exist")
		line("\t[ ! -r \"/etc/default/$name\" ] || . \"/etc/default/$name\"")
	}
	if len(words) > 0 {
		words = append([]string{"env"}, words...)
		if strings.Contains(s.Executable, "=") { // env would take that for a variable
			words = append(words, `/bin/sh -c 'exec "$@"' sh`)
		}
	}
	words = append(words, `"$program"`)
	for _, a := range s.Arguments {
		words = append(words, shell.Quote(a))
	}
	line("\tset -- %s", strings.Join(words, " \\\n\t\t"))
	line("\tbecome /bin/sh -c \"$in_place\" sh \"$directory\" \"$log\" \"$@\"\n}\n")
}

// sysvHeader writes what insserv, chkconfig and the like read.
func sysvHeader(line func(string, ...any), s manage.Spec, l Layout) {
	needs := []string{"$remote_fs", "$syslog"}
	for _, n := range s.Dependencies {
		if n == "network" {
			n = "$network"
		}
		needs = append(needs, strings.ReplaceAll(n, "@", "."))
	}
	begins := needs
	if s.StartType == service.Delayed {
		begins = append(needs[:len(needs):len(needs)], "$all")
	}
	levels := " 2 3 4 5"
	chkconfig := "2345"
	if !manage.ByItself(s.StartType) {
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

// sysvPrivileges returns words for setpriv: the service keeps and gains only the rights that
// it has asked for.
func sysvPrivileges(s manage.Spec) string {
	if s.Hardening.Profile == service.Unconfined {
		return ""
	}
	words := "--no-new-privs"
	caps := capabilities(s)
	if len(caps) == 0 {
		return words + " --inh-caps -all --bounding-set -all"
	}
	set := "-all"
	for _, c := range caps {
		set += ",+" + strings.TrimPrefix(c, "cap_")
	}
	return fmt.Sprintf("%s --inh-caps %s --ambient-caps %s --bounding-set %s", words, set, set, set)
}
