package openrc

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// Version is that of OpenRC: 0.56 is {0, 56}. The zero value is one that is not known.
type Version struct{ Major, Minor int }

// before reports whether v is older than major.minor.
func (v Version) before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

// parseVersion reads what openrc --version prints.
func parseVersion(text string) Version {
	f := strings.Fields(text)
	if len(f) == 0 {
		return Version{}
	}
	major, minor, _ := strings.Cut(f[len(f)-1], ".")
	minor, _, _ = strings.Cut(minor, ".")
	var v Version
	v.Major, _ = strconv.Atoi(major)
	v.Minor, _ = strconv.Atoi(minor)
	return v
}

// sandboxed is the version that can take rights away from a service, and give it some.
func (v Version) sandboxed() bool { return !v.before(0, 45) }

// Render is the script of a service. The words of the command line are in variables of
// their own, because OpenRC expands its variables twice: once as fields, where spaces
// and * get lost, and once by eval. The first finds only names in the way it looks, and
// the second finds them in double quotes, which keep everything.
func Render(s service.Spec, o initd.Owner, v Version) string {
	l := initd.Of(s)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	set := func(name, value string) { line("%s=%s", name, shell.Quote(value)) }

	line("#!/sbin/openrc-run")
	line("# %s", service.Mark)
	line("# /etc/conf.d/%s stays as it is, and can set what has := here.", l.Name)
	b.WriteString(initd.StartLine(s))
	line("")
	set("name", s.DisplayName)
	set("description", s.Description)
	line("")
	line("# OpenRC expands these twice: quotes alone would not keep the words whole.")
	set("the_executable", s.Executable)
	var words []string
	for i, a := range s.Args {
		name := "the_word_" + strconv.Itoa(i+1)
		set(name, a)
		words = append(words, `"$`+name+`"`)
	}
	dir := s.Directory
	if dir == "" {
		dir = l.Dirs.State
	}
	set("the_directory", dir)
	set("the_log", l.Log)
	var options []string
	var exported []service.Var
	for _, e := range onefile.Environment(s, l.Dirs) {
		if initd.Exportable(e.Name) {
			exported = append(exported, e)
			continue
		}
		name := "the_variable_" + strconv.Itoa(len(options)+1)
		set(name, e.Name+"="+e.Value)
		options = append(options, `--env "$`+name+`"`)
	}
	// Where OpenRC uses PAM, a session sets the umask (pam_umask) after OpenRC has. A
	// shell, which becomes the program, sets it last.
	set("the_launch", `umask 0077; exec "$@"`)
	line("")
	line("command=/bin/sh")
	line(`command_args='-c "$the_launch" sh %s'`, strings.Join(append([]string{`"$the_executable"`}, words...), " "))
	line(`directory='"$the_directory"'`)
	line(`output_log='"$the_log"'`)
	line(`error_log='"$the_log"'`)
	set("command_user", o.Name+":"+o.Group)
	if s.Recovery.Never {
		line("command_background=yes")
		set("pidfile", pidFile(l))
		if len(options) > 0 {
			line("start_stop_daemon_args='%s'", strings.Join(options, " "))
		}
	} else {
		line("supervisor=supervise-daemon")
		if len(options) > 0 {
			line("supervise_daemon_args='%s'", strings.Join(options, " "))
		} else {
			line("supervise_daemon_args=")
		}
		line(": \"${respawn_delay:=%d}\"", onefile.Seconds(s.Recovery.Delays[0], 1))
		line(": \"${respawn_max:=0}\"")
	}
	line(": \"${retry:=SIGTERM/%d/SIGKILL/5}\"", onefile.Seconds(onefile.StopBudget(s), 1))
	if v.sandboxed() && s.Hardening.Profile != service.None {
		line("no_new_privs=yes")
	}
	if caps := initd.Capabilities(s); v.sandboxed() && len(caps) > 0 && o.Name != "root" {
		set("capabilities", "^"+strings.Join(caps, ",^"))
	}
	if s.Limits.OpenFiles > 0 {
		line(": \"${rc_ulimit:=-n %d}\"", s.Limits.OpenFiles)
	}
	if settings := cgroup(s.Limits); settings != "" {
		line(": \"${rc_cgroup_settings:=%s}\"", settings)
	}
	line(": \"${rc_cgroup_cleanup:=yes}\"")
	line("extra_started_commands=reload")
	line("")
	for _, e := range exported {
		line("export %s=%s", e.Name, shell.Quote(e.Value))
	}
	log := onefile.Syslog()
	if _, set := s.Environment[log.Name]; !set { // else it is exported above
		line(": \"${%s:=%s}\"", log.Name, log.Value)
		line("export %s", log.Name)
	}
	depend(line, s)
	startPre(line, s, l, o)
	stopRest(line, s)
	if s.Recovery.Never {
		// OpenRC's own takes the command as it stands in the variable.
		line(`
stop() {
	ebegin "Stopping $RC_SVCNAME"
	start-stop-daemon --stop --retry "$retry" --exec "$the_executable" --pidfile "$pidfile"
	eend $? "Failed to stop $RC_SVCNAME"
}`)
	}
	signal := `supervise-daemon "$RC_SVCNAME" --signal HUP`
	if s.Recovery.Never {
		signal = `start-stop-daemon --signal HUP --pidfile "$pidfile"`
	}
	line(`
reload() {
	ebegin "Reloading $RC_SVCNAME"
	%s
	eend $? "Failed to reload $RC_SVCNAME"
}`, signal)
	return b.String()
}

func depend(line func(string, ...any), s service.Spec) {
	var lines []string
	for _, n := range s.Needs {
		if n == "network" {
			// Where nothing provides it, as in most containers, it is no obstacle.
			lines = append(lines, "want net", "after net")
			continue
		}
		lines = append(lines, "need "+strings.ReplaceAll(n, "@", "."))
	}
	if s.Start == service.Delayed {
		lines = append(lines, "after *")
	}
	lines = append(lines, "use logger")
	lines = append(lines, s.OpenRC.Depend...)
	if max(s.StartTimeout, onefile.StopBudget(s)) > 50*time.Second { // who has to wait for it gives up after a minute
		lines = append(lines, "keyword -timeout")
	}
	if len(lines) == 0 {
		return
	}
	line("\ndepend() {")
	for _, l := range lines {
		line("\t%s", l)
	}
	line("}")
}

// stopRest kills what the service has left in its process group: control groups, which
// OpenRC would empty, are not everywhere. The group is asked for before the stop, when
// its leader can still be told from another process of that number.
func stopRest(line func(string, ...any), s service.Spec) {
	pid, known := `$(service_get_value child_pid)`, `
	the_parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$the_group/status" 2>/dev/null)
	if [ "$the_parent" ] && [ "$the_parent" = "$(cat "/run/supervise-$RC_SVCNAME.pid" 2>/dev/null)" ]; then
		return 0
	fi`
	if s.Recovery.Never {
		pid, known = `$(cat "$pidfile" 2>/dev/null)`, ""
	}
	line(`
stop_pre() {
	the_group=%s%s
	case $(readlink "/proc/$the_group/exe") in
	"$(readlink -f "$the_executable")"*) ;;
	*) the_group='' ;;
	esac
	return 0
}

# What the service has left running is killed.
stop_post() {
	[ -z "$the_group" ] || kill -s KILL -- "-$the_group" 2>/dev/null
	return 0
}`, pid, known)
}

func startPre(line func(string, ...any), s service.Spec, l initd.Layout, o initd.Owner) {
	line("\nstart_pre() {")
	if s.Start == service.Disabled {
		line("\teerror \"$RC_SVCNAME is disabled: install it with another start type\"")
		line("\treturn 1")
		line("}")
		return
	}
	line("\tlocal dir owner wanted run")
	line("\twanted=$(id -u %s) || return 1", shell.Quote(o.Name))
	line("\tfor dir in %s; do", shell.Join(l.Owned()...))
	line("\t\t[ -d \"$dir\" ] || checkpath --directory --mode 0700 --owner %s \"$dir\" || return 1", shell.Quote(o.Name+":"+o.Group))
	line("\t\t# What another account has written becomes this one's.")
	line("\t\towner=$(stat -c %%u \"$dir\") || return 1")
	line("\t\t[ \"$owner\" != \"$wanted\" ] || continue")
	line("\t\trun=-exec # with the other, links that one of the two puts in the way lead nowhere")
	line("\t\t! find \"$dir\" -prune -execdir true {} + 2>/dev/null || run=-execdir")
	line("\t\tfind \"$dir\" -xdev -depth -user \"$owner\" \"$run\" chown -h %s {} + || return 1", shell.Quote(o.Name+":"+o.Group))
	line("\tdone")
	line("}")
}

// cgroup are limits as the unified control groups have them.
func cgroup(l service.Limits) string {
	var lines []string
	if l.Memory > 0 {
		lines = append(lines, fmt.Sprintf("memory.max %d", l.Memory))
	}
	if l.Tasks > 0 {
		lines = append(lines, fmt.Sprintf("pids.max %d", l.Tasks))
	}
	if l.CPU > 0 {
		const period = 100_000
		lines = append(lines, fmt.Sprintf("cpu.max %d %d", max(1000, int(l.CPU*period)), period))
	}
	return strings.Join(lines, "\n")
}

func pidFile(l initd.Layout) string { return "/run/" + l.Name + ".pid" }

// theirs reports whether a script is one of kardianos/service.
func theirs(text string) bool {
	return strings.HasPrefix(text, "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"") &&
		strings.Contains(text, "\nname=$(basename $(readlink -f $command))\nsupervise_daemon_args=\"--stdout ")
}

// lost are warnings about what such a script has and that of s has not.
func lost(old string, s service.Spec, account string) []string {
	k := onefile.Script{
		Sum: 0x811c9dc5, Command: "command", Arguments: "command_args", // it has nothing but settings
		Own: []string{"supervisor", "name", "description", "supervise_daemon_args"},
	}
	return k.Lost(old, s, account)
}

// warnings are what s asks for and OpenRC lacks.
func warnings(s service.Spec, v Version) []string {
	has := []string{"Dependencies", "Limits.OpenFiles", "Limits.Tasks", "Limits.Memory", "Limits.CPU", "StartType"}
	if v.sandboxed() {
		has = append(has, "Hardening.Profile LowPorts", "Hardening.Capabilities")
	}
	lines := onefile.Lacks("OpenRC", s, has...)
	if s.Start == service.OnSocket {
		lines = append(lines, "StartType: OpenRC starts nothing for a connection; it starts with the machine")
	}
	if cgroup(s.Limits) != "" {
		lines = append(lines, "Limits: those of memory, processes and CPU hold where OpenRC has the unified control groups (rc_cgroup_mode)")
	}
	return lines
}
