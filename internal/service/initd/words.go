package initd

import (
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
)

// Exportable reports whether a variable means nothing to a script, to OpenRC and to the shell, so
// that it can be set in the script. OpenRC's own are in lower case.
func Exportable(name string) bool {
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

// Capabilities are those that a service which is not root gets.
func Capabilities(s service.Spec) []string {
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
