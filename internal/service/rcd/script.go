package rcd

import (
	"fmt"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// variable is what a name is where a shell has to have it for one: my-web is my_web, as
// the scripts of the ports have it.
func variable(name string) string {
	v := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-.@", r) {
			return '_'
		}
		return r
	}, name)
	if v[0] >= '0' && v[0] <= '9' {
		v = "_" + v
	}
	return v
}

// render is the script of the service. It starts daemon(8), which supervises the
// program, and that a shell, which becomes the program: daemon takes the umask and
// parts of the environment from login.conf(5), so that they are set after it.
//
// It stops the service itself: daemon of FreeBSD before 14 ends without waiting for the
// program, and none kills what does not stop.
func render(s service.Spec, account string, l layout) string {
	name := s.ServiceName()
	v := variable(name)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	line("#!/bin/sh")
	line("# %s", service.Mark)
	line("#")
	line("# PROVIDE: %s", v)
	line("# REQUIRE: %s", strings.Join(requires(s.Needs), " "))
	line("# KEYWORD: shutdown")
	line("")
	line(". /etc/rc.subr")
	line("")
	line("name=%s", v)
	line("desc=%s", shell.Quote(s.Description))
	line("rcvar=%s_enable", v)
	line(`load_rc_config "$name"`)
	line(`: "${%s_enable:=NO}"`, v)
	line("")
	line("pidfile=%s", shell.Quote(l.supervisor))
	line("childfile=%s", shell.Quote(l.child))
	line("procname=/usr/sbin/daemon")
	line("budget=%d", onefile.Seconds(onefile.StopBudget(s), 1))
	line("start_cmd=%s_start", v)
	line("stop_cmd=%s_stop", v)
	line("extra_commands=reload")
	line("reload_cmd=%s_reload", v)
	line("")
	line("launch=%s", shell.Quote(launch(s, l)))
	line("")
	line("%s_start()\n{", v)
	line("\tif [ -n \"$rc_pid\" ]; then")
	line("\t\techo \"${name} already running? (pid=$rc_pid).\"")
	line("\t\treturn 1")
	line("\tfi")
	line("\techo \"Starting ${name}.\"")
	line("\tinstall -d -m 0700 -o %s -g %s %s || return 1", shell.Quote(account), `"$(id -gn `+shell.Quote(account)+`)"`, shell.Quote(l.dirs.Runtime))
	line("\t/usr/sbin/daemon %s \\", shell.Join(daemon(s, name, account, l)...))
	line("\t\t/bin/sh -c \"$launch\" %s \\", shell.Quote(name))
	line("\t\t%s", shell.Join(append([]string{s.Executable}, s.Args...)...))
	line("}")
	line("")
	line("%s_stop()\n{", v)
	line(`	if [ -z "$rc_pid" ]; then
		echo "${name} not running? (check $pidfile)."
		return 0
	fi
	echo "Stopping ${name}."
	child=$(cat "$childfile" 2>/dev/null)
	kill -TERM "$rc_pid"
	left=$((budget * 10))
	while kill -0 "$rc_pid" 2>/dev/null || kill -0 $child 2>/dev/null; do
		if [ "$left" -le 0 ]; then
			echo "${name} did not stop within ${budget} seconds: killed."
			kill -KILL $child "$rc_pid" 2>/dev/null
			rm -f "$pidfile" "$childfile"
			return 0
		fi
		left=$((left - 1))
		sleep 0.1
	done
}`)
	line("")
	line("%s_reload()\n{", v)
	line(`	child=$(cat "$childfile" 2>/dev/null)
	if [ -z "$rc_pid" ] || [ -z "$child" ]; then
	echo "${name} not running? (check $pidfile)."
	return 1
	fi
	kill -HUP "$child"
}`)
	line("")
	line(`run_rc_command "$1"`)
	return b.String()
}

// requires are the words of REQUIRE for what is to start before the service.
func requires(needs []string) []string {
	words := []string{"FILESYSTEMS", "LOGIN"}
	for _, n := range needs {
		if n == "network" {
			n = "NETWORKING"
		} else {
			n = variable(n)
		}
		words = append(words, n)
	}
	return words
}

// daemon are the flags of daemon(8).
func daemon(s service.Spec, name, account string, l layout) []string {
	flags := []string{"-P", l.supervisor, "-p", l.child, "-t", name, "-o", l.log}
	if !s.Recovery.Never {
		flags = append(flags, "-R", fmt.Sprint(onefile.Seconds(s.Recovery.Delays[0], 1)))
	}
	if account != "root" {
		flags = append(flags, "-u", account)
	}
	return flags
}

// launch is what the shell does before it becomes the program.
func launch(s service.Spec, l layout) string {
	var b strings.Builder
	b.WriteString("umask 077\n")
	if n := s.Limits.OpenFiles; n > 0 {
		fmt.Fprintf(&b, "ulimit -n %d || exit 1\n", n)
	}
	for _, v := range onefile.Environment(s, l.dirs, onefile.Syslog()) {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, shell.Quote(v.Value))
	}
	dir := s.Directory
	if dir == "" {
		dir = "/"
	}
	fmt.Fprintf(&b, "cd %s || exit 1\n", shell.Quote(dir))
	b.WriteString(`exec "$@"`)
	return b.String()
}

// launched is the executable that a script of ours starts.
func launched(text string) string {
	_, text, _ = strings.Cut(text, "\n\t\t/bin/sh -c \"$launch\" ")
	if words := shell.After(text, "\n\t\t"); len(words) > 0 {
		return words[0]
	}
	return ""
}
