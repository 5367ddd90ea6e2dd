package script

import (
	"os"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// initd is what the dialects have in common whose services are scripts in /etc/init.d, and
// have their own account, and their records in syslog: OpenRC, and the init of System V.
type initd struct{ host }

// InitD returns where the parts of a service are whose script is in /etc/init.d. An instance
// is called NAME.INSTANCE, as OpenRC wants it.
func InitD(s manage.Spec) Layout {
	name := s.Name
	if s.Template {
		name += "." + s.Instance
	}
	d := dirs.System("linux", s.ServiceName(), os.Getenv)
	return Layout{
		Name: name, File: "/etc/init.d/" + name, Mode: 0o755,
		Log:  d.Logs + "/" + s.ServiceName() + ".out", // NAME.log is that of daemon/logfile
		Dirs: d, Home: d.State,
		AtStart: []string{d.Runtime},
		Given:   []string{d.State, d.Cache, d.Logs, d.Runtime},
	}
}

func (initd) Layout(s manage.Spec) Layout { return InitD(s) }

// pidFile is the file with the process ID of a service that has no supervisor.
func pidFile(name string) string { return "/run/" + name + ".pid" }

// startMark begins the line of a script that says when it is started. It is for Status.
const startMark = "# Start: "

// startOf returns when a script is started: what it says, if that agrees with what the init
// has registered.
func startOf(script string, registered bool) service.StartType {
	_, after, _ := strings.Cut(script, "\n"+startMark)
	said, _, _ := strings.Cut(after, "\n")
	start := service.StartType(said)
	manual := start == service.Manual || start == service.Disabled
	switch {
	case registered && manage.ByItself(start), !registered && manual:
		return start
	case registered:
		return service.Automatic
	}
	return service.Manual
}

// exportable reports whether a variable means nothing to a script, to OpenRC and to the
// shell, so that the script can set it. The variables of OpenRC are in lower case.
func exportable(name string) bool {
	for _, prefix := range []string{"RC_", "SSD_", "EINFO_", "LD_", "LC_", "PS", "BASH", "COMP_", "EPOCH", "HIST", "READLINE_"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	switch name {
	case "PATH", "IFS", "ENV", "CDPATH", "HOME", "USER", "SVCNAME", "OPTIND", "OPTARG", "PWD", "SHELL", "LANG", "LANGUAGE", "IN_BACKGROUND", "HILITE", "NORMAL", "BRACKET", "GOOD", "WARN", "BAD", "ENDCOL":
		return false
	case "_", "CHILD_MAX", "COLUMNS", "COPROC", "DIRSTACK", "EUID", "EXECIGNORE", "FIGNORE", "FUNCNAME", "FUNCNEST", "GLOBIGNORE", "GLOBSORT", "GROUPS", "HOSTNAME", "HOSTTYPE",
		"LINENO", "LINES", "MACHTYPE", "MAILCHECK", "MAPFILE", "OLDPWD", "OPTERR", "OSTYPE", "PIPESTATUS", "POSIXLY_CORRECT", "PPID", "RANDOM", "REPLY", "SECONDS", "SHELLOPTS", "SHLVL", "SRANDOM",
		"TIMEFORMAT", "TMOUT", "UID": // what bash makes of them is its own, and some it does not let go
		return false
	}
	return name == strings.ToUpper(name)
}

// capabilities returns those that a service which is not root gets.
func capabilities(s manage.Spec) []string {
	var caps []string
	if s.Hardening.Profile == service.LowPorts {
		caps = append(caps, "cap_net_bind_service")
	}
	for _, c := range s.Hardening.Capabilities {
		if c := strings.ToLower(c); strings.HasPrefix(c, "cap_") && c != "cap_net_bind_service" {
			caps = append(caps, c)
		} else if c == "cap_net_bind_service" && len(caps) == 0 {
			caps = append(caps, c)
		}
	}
	return caps
}
