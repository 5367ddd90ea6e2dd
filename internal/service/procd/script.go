package procd

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// The places in the order of the machine's start and of its end: after what there is,
// and before it. Delayed comes with the last.
const (
	startOrder   = 95
	delayedOrder = 99
	stopOrder    = 10
)

func order(s service.Spec) int {
	if s.Start == service.Delayed {
		return delayedOrder
	}
	return startOrder
}

// render is the script of the service, for rc.common. procd has no parameter for the
// working directory of a service without a jail, so that a shell goes there and becomes
// the program. As what the program logs goes by the name of the command, there is none
// for the umask alone: who cannot enter the folders of the service reads nothing there.
func render(s service.Spec, account string, l layout) string {
	name := s.ServiceName()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	param := func(words ...string) { line("\tprocd_set_param %s", shell.Join(words...)) }

	line("#!/bin/sh /etc/rc.common")
	line("# %s", service.Mark)
	line("# %s", s.Description)
	line("")
	line("USE_PROCD=1")
	line("START=%d", order(s))
	line("STOP=%d", stopOrder)
	line("")
	// /var may be /tmp, where anybody can make a folder first, and put a link in the place
	// of what root makes in it.
	line("folder()\n{")
	line("\t[ -d \"$1\" ] && [ ! -L \"$1\" ] && return")
	line("\tmkdir -p \"${1%%/*}\"")
	line("\tset -- \"$1\" $(ls -ldn \"${1%%/*}/.\")")
	line("\t[ \"$4\" = 0 ] && mkdir -m 0700 \"$1\" && chown -h %s \"$1\" && return", shell.Quote(account))
	line("\tlogger -s -t %s \"cannot make $1, in a folder that is root's\"", shell.Quote(name))
	line("\treturn 1")
	line("}")
	line("")
	line("start_service()\n{")
	// /var is in memory: it is empty after each start of the machine.
	for _, dir := range []string{l.dirs.State, l.dirs.Cache, l.dirs.Logs, l.dirs.Runtime} {
		line("\tfolder %s || return 1", shell.Quote(dir))
	}
	line("\tprocd_open_instance")
	command := append([]string{"command"}, s.Executable)
	if s.Directory != "" {
		launch := "umask 077; cd " + shell.Quote(s.Directory) + ` && exec "$@"`
		command = []string{"command", "/bin/sh", "-c", launch, name, s.Executable}
	}
	param(append(command, s.Args...)...)
	env := []string{"env"}
	for _, v := range onefile.Environment(s, l.dirs, onefile.Syslog()) {
		env = append(env, v.Name+"="+v.Value)
	}
	param(env...)
	param("user", account)
	if account != "root" {
		param("no_new_privs", "1")
	}
	if n := s.Limits.OpenFiles; n > 0 {
		param("limits", fmt.Sprintf("nofile=%d %d", n, n))
	}
	if !s.Recovery.Never {
		// Ran shorter than the first: it has failed once more. No number of failures,
		// the last, is too many.
		param("respawn", fmt.Sprint(onefile.Seconds(s.Recovery.Reset, 1)), fmt.Sprint(onefile.Seconds(s.Recovery.Delays[0], 1)), "0")
	}
	param("term_timeout", fmt.Sprint(onefile.Seconds(onefile.StopBudget(s), 1)))
	param("stdout", "1")
	param("stderr", "1")
	line("\tprocd_close_instance")
	line("}")
	line("")
	line("reload_service()\n{")
	line("\tprocd_send_signal %s", shell.Quote(name))
	line("}")
	return b.String()
}

// launched is the command line that a script of ours starts, without the shell before it.
func launched(text string) []string {
	words := shell.After(text, "\tprocd_set_param command ")
	if len(words) > 4 && words[0] == "/bin/sh" && strings.HasPrefix(words[2], "umask 077; cd ") {
		return words[4:]
	}
	return words
}
