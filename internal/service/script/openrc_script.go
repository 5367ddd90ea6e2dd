package script

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

//go:embed openrc.sh
var openrcBody string

// openrcVersion is that of OpenRC: 0.56 is {0, 56}. The zero value is one that is not known.
type openrcVersion struct{ major, minor int }

// before reports whether v is older than major.minor.
func (v openrcVersion) before(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

// sandboxed reports whether this version can take rights away from a service, and give some.
func (v openrcVersion) sandboxed() bool { return !v.before(0, 45) }

// parseOpenRCVersion reads what openrc --version prints.
func parseOpenRCVersion(text string) openrcVersion {
	f := strings.Fields(text)
	if len(f) == 0 {
		return openrcVersion{}
	}
	major, minor, _ := strings.Cut(f[len(f)-1], ".")
	minor, _, _ = strings.Cut(minor, ".")
	var v openrcVersion
	v.major, _ = strconv.Atoi(major)
	v.minor, _ = strconv.Atoi(minor)
	return v
}

// openrcScript returns the script of s. The words of the command line are in variables of
// their own, because OpenRC expands its variables twice: once as fields, where spaces and *
// get lost, and once by eval. The first finds only names in the way it looks, and the second
// finds them in double quotes, which keep everything.
func openrcScript(s manage.Spec, o Owner, v openrcVersion) string {
	l := InitD(s)
	w := &openrcWriter{}
	w.line("#!/sbin/openrc-run\n# %s", manage.Mark)
	w.line("# /etc/conf.d/%s stays as it is, and can set what has := here.", l.Name)
	w.line("%s%s\n", startMark, s.StartType)
	w.set("name", s.DisplayName)
	w.set("description", s.Description)
	w.command(s, l)
	w.set("command_user", o.Name+":"+o.Group)
	w.supervision(s, l)
	if v.sandboxed() && s.Hardening.Profile != service.Unconfined {
		w.line("no_new_privs=yes")
	}
	if caps := capabilities(s); v.sandboxed() && len(caps) > 0 && o.Name != "root" {
		w.set("capabilities", "^"+strings.Join(caps, ",^"))
	}
	if s.Limits.OpenFiles > 0 {
		w.line(": \"${rc_ulimit:=-n %d}\"", s.Limits.OpenFiles)
	}
	if settings := cgroup(s.Limits); settings != "" {
		w.line(": \"${rc_cgroup_settings:=%s}\"", settings)
	}
	w.line(": \"${rc_cgroup_cleanup:=yes}\"")
	w.line("extra_started_commands=reload\n")
	w.set("the_account", o.Name)
	w.set("the_folders", strings.Join(l.Given, " ")) // their names have no spaces
	w.line("the_disabled=%s", yesIf(s.StartType == service.Disabled))
	w.line("the_supervisor=%s\n", yesIf(!s.Recovery.Never))
	w.exports(s)
	w.depend(s)
	return w.String() + openrcBody
}

// yesIf returns "yes", or "" which a shell takes for false.
func yesIf(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// openrcWriter writes the part of a script that is the service's own.
type openrcWriter struct {
	lines
	options  []string // that set variables which cannot be exported
	exported []manage.Var
}

// command writes what is run, and where. Where OpenRC uses PAM, a session sets the umask
// (pam_umask) after OpenRC has, so a shell, which becomes the program, sets it last.
func (w *openrcWriter) command(s manage.Spec, l Layout) {
	w.line("\n# OpenRC expands these twice: quotes alone would not keep the words whole.")
	w.set("the_executable", s.Executable)
	words := []string{`"$the_executable"`}
	for i, a := range s.Arguments {
		name := "the_word_" + strconv.Itoa(i+1)
		w.set(name, a)
		words = append(words, `"$`+name+`"`)
	}
	dir := s.WorkingDirectory
	if dir == "" {
		dir = l.Dirs.State
	}
	w.set("the_directory", dir)
	w.set("the_log", l.Log)
	for _, e := range Environment(s, l.Dirs) {
		if exportable(e.Name) {
			w.exported = append(w.exported, e)
			continue
		}
		name := "the_variable_" + strconv.Itoa(len(w.options)+1)
		w.set(name, e.Name+"="+e.Value)
		w.options = append(w.options, `--env "$`+name+`"`)
	}
	w.set("the_launch", `umask 0077; exec "$@"`)
	w.line("\ncommand=/bin/sh")
	w.line(`command_args='-c "$the_launch" sh %s'`, strings.Join(words, " "))
	w.line(`directory='"$the_directory"'`)
	w.line(`output_log='"$the_log"'`)
	w.line(`error_log='"$the_log"'`)
}

// supervision writes what watches the service and stops it.
func (w *openrcWriter) supervision(s manage.Spec, l Layout) {
	options := ""
	if len(w.options) > 0 {
		options = "'" + strings.Join(w.options, " ") + "'"
	}
	if s.Recovery.Never {
		w.line("command_background=yes")
		w.set("pidfile", pidFile(l.Name))
		if options != "" {
			w.line("start_stop_daemon_args=%s", options)
		}
	} else {
		w.line("supervisor=supervise-daemon")
		w.line("supervise_daemon_args=%s", options)
		w.line(": \"${respawn_delay:=%d}\"", seconds(s.Recovery.Delays[0]))
		w.line(": \"${respawn_max:=0}\"")
	}
	w.line(": \"${retry:=SIGTERM/%d/SIGKILL/5}\"", seconds(stopBudget(s)))
}

func (w *openrcWriter) exports(s manage.Spec) {
	for _, e := range w.exported {
		w.line("export %s=%s", e.Name, shell.Quote(e.Value))
	}
	log := toSyslog()
	if _, set := s.Environment[log.Name]; !set { // else it is exported above
		w.line(": \"${%s:=%s}\"", log.Name, log.Value)
		w.line("export %s", log.Name)
	}
}

// depend writes what starts before the service.
func (w *openrcWriter) depend(s manage.Spec) {
	var lines []string
	for _, n := range s.Dependencies {
		if n == "network" {
			// Where nothing provides it, as in most containers, it is no obstacle.
			lines = append(lines, "want net", "after net")
			continue
		}
		lines = append(lines, "need "+strings.ReplaceAll(n, "@", "."))
	}
	if s.StartType == service.Delayed {
		lines = append(lines, "after *")
	}
	lines = append(lines, "use logger")
	lines = append(lines, s.OpenRC.Depend...)
	if max(s.StartTimeout, stopBudget(s)) > 50*time.Second { // what waits for it gives up after a minute
		lines = append(lines, "keyword -timeout")
	}
	w.line("\ndepend() {\n\t%s\n}", strings.Join(lines, "\n\t"))
}

// cgroup returns limits as the unified control groups have them.
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
