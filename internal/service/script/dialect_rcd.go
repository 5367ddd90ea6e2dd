package script

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// rcd speaks rc.d of FreeBSD and DragonFly: a service is a script of rc.d(8), and a line in
// rc.conf(5).
type rcd struct{ host }

// NewRCD returns the manager of a machine with rc.d.
func NewRCD(m manage.Machine) *Manager { return New(m, rcd{host{m}}) }

func (rcd) Traits() Traits { return Traits{Name: "rc.d", Sudo: "sudo, doas", Syslog: true} }

// Layout implements Dialect. The log is in a folder of root, as are the files with process
// IDs: daemon(8) writes to it with all rights.
func (rcd) Layout(s manage.Spec) Layout {
	name := s.ServiceName()
	l := Layout{
		Name: name, File: "/usr/local/etc/rc.d/" + name, Mode: 0o755,
		Log: "/var/log/" + name + ".log", Dirs: dirs.System("freebsd", name, os.Getenv), Home: "/nonexistent",
	}
	l.Logs, l.Given = []string{l.Log}, []string{l.Dirs.Runtime}
	return l
}

// Replaced implements Dialect. It knows the scripts of kardianos/service v1.3.0 by what they
// set.
func (rcd) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	if !strings.Contains(old, `_env="IS_DAEMON=1"`) || !strings.Contains(old, `daemon_args="-P ${pidfile} -r -t`) {
		return nil, false
	}
	k := theirs{sum: 0xb37feb4a, command: "command_args", own: []string{"name", s.Name + "_env", "pidfile", "command", "daemon_args"}}
	return k.lost(old, s, account), true
}

//go:embed rcd.sh
var rcdBody string

// rcdVariable returns a name as a shell can have it for a variable, in the way of the
// ports: my-web is my_web.
func rcdVariable(name string) string {
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

func (d rcd) Check(s manage.Spec) error {
	return checkSourced("rc.d", s, func(file string) bool { return rcdSources(file, rcdVariable(d.Layout(s).Name)) })
}

func (d rcd) Render(_ context.Context, s manage.Spec, o Owner) (string, []string, error) {
	return rcdScript(s, o.Name, d.Layout(s), "/var/run/"+s.ServiceName()), d.warnings(s), nil
}

func (rcd) warnings(s manage.Spec) []string {
	const shutdown = 90 * time.Second // rcshutdown_timeout of /etc/defaults/rc.conf
	lines := Lacks("rc.d", s, "Dependencies", "Limits.OpenFiles")
	if b := stopBudget(s); b > shutdown {
		lines = append(lines, fmt.Sprintf("StopTimeout: when the machine stops, rc.shutdown(8) gives all services together %s, and this one may need %s; set rcshutdown_timeout in rc.conf", shutdown, b))
	}
	return lines
}

// rcdScript returns the script of s, whose process IDs are in files that begin with run. It
// starts daemon(8), which supervises a shell, which becomes the program: daemon takes the
// umask and parts of the environment from login.conf(5), so they are set after it.
func rcdScript(s manage.Spec, account string, l Layout, run string) string {
	var b lines
	v := rcdVariable(l.Name)
	b.line("#!/bin/sh\n# %s\n#\n# PROVIDE: %s", manage.Mark, v)
	b.line("# REQUIRE: %s", strings.Join(rcdRequires(s.Dependencies), " "))
	b.line("# KEYWORD: shutdown\n\n. /etc/rc.subr\n")
	b.set("name", v)
	b.set("desc", s.Description)
	b.set("rcvar", v+"_enable")
	b.line("load_rc_config \"$name\"\n: \"${%s_enable:=NO}\"\n", v)
	b.set("pidfile", run+".pid") // where kardianos/service has it
	b.set("childfile", run+".child.pid")
	b.line("budget=%d", seconds(stopBudget(s)))
	b.set("account", account)
	b.set("runtime", l.Dirs.Runtime)
	b.set("launch", rcdLaunch(s, l))
	b.line("\nsupervise()\n{")
	b.line("\t/usr/sbin/daemon %s \\", shell.Join(rcdFlags(s, account, l, run)...))
	b.line("\t\t/bin/sh -c \"$launch\" %s \\", shell.Quote(l.Name))
	b.line("\t\t%s\n}\n", shell.Join(append([]string{s.Executable}, s.Arguments...)...))
	return b.String() + rcdBody
}

// rcdRequires returns the words of REQUIRE for what starts before the service.
func rcdRequires(needs []string) []string {
	words := []string{"FILESYSTEMS", "LOGIN"}
	for _, n := range needs {
		if n == "network" {
			n = "NETWORKING"
		} else {
			n = rcdVariable(n)
		}
		words = append(words, n)
	}
	return words
}

// rcdFlags returns the flags of daemon(8).
func rcdFlags(s manage.Spec, account string, l Layout, run string) []string {
	flags := []string{"-P", run + ".pid", "-p", run + ".child.pid", "-t", l.Name, "-o", l.Log}
	if !s.Recovery.Never {
		flags = append(flags, "-R", strconv.Itoa(seconds(s.Recovery.Delays[0])))
	}
	if account != "root" {
		flags = append(flags, "-u", account)
	}
	return flags
}

// rcdLaunch returns what the shell does before it becomes the program.
func rcdLaunch(s manage.Spec, l Layout) string {
	var b strings.Builder
	b.WriteString("umask 077\n")
	if n := s.Limits.OpenFiles; n > 0 {
		fmt.Fprintf(&b, "ulimit -n %d || exit 1\n", n)
	}
	for _, v := range Environment(s, l.Dirs, toSyslog()) {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, shell.Quote(v.Value))
	}
	dir := s.WorkingDirectory
	if dir == "" {
		dir = "/"
	}
	fmt.Fprintf(&b, "cd %s || exit 1\n", shell.Quote(dir))
	b.WriteString(`exec "$@"`)
	return b.String()
}

func (rcd) Command(text string) []string {
	_, text, _ = strings.Cut(text, "\n\t\t/bin/sh -c \"$launch\" ")
	return shell.After(text, "\n\t\t")
}

func (rcd) Registered(manage.Spec) []string { return []string{"/etc/rc.conf"} }

func rcvar(s manage.Spec) string { return rcdVariable(s.ServiceName()) + "_enable" }

// enabled returns what rc.conf says of s, "" if nothing.
func (d rcd) enabled(ctx context.Context, s manage.Spec) (string, error) {
	out, err := d.Runner()(ctx, "sysrc", "-n", "-i", rcvar(s))
	return strings.TrimSpace(out), err
}

func (d rcd) Plan(ctx context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	old, err := d.enabled(ctx, p.Spec)
	if err != nil {
		return nil, fmt.Errorf("look at rc.conf: %w", err)
	}
	key, value := rcvar(p.Spec), "NO"
	if manage.ByItself(p.Spec.StartType) {
		value = "YES"
	}
	a := manage.Artefact{Name: "rc.conf: " + key, Old: old, New: value, Present: old != "", Wanted: true}
	if stays(rcdYes(old)) {
		a.New, a.Wanted = a.Old, a.Present
	} else {
		p.Calls = append(p.Calls, "sysrc "+key+"="+value)
	}
	p.Artefacts = append(p.Artefacts, a)
	return a, nil
}

func (d rcd) Register(ctx context.Context, c *files.Change, p *manage.Plan, todo any) error {
	a := todo.(manage.Artefact)
	if !a.Changed() {
		return nil
	}
	old, err := d.enabled(ctx, p.Spec)
	if err != nil {
		return err
	}
	key := rcvar(p.Spec)
	back := []string{key + "=" + old}
	if old == "" {
		back = []string{"-i", "-x", key}
	}
	c.Call(func() error { return d.run(context.WithoutCancel(ctx), "sysrc", back...) })
	return d.run(ctx, "sysrc", key+"="+a.New)
}

func (d rcd) Unregister(ctx context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	if err := c.Remove(d.Layout(s).File); err != nil {
		return nil, err
	}
	err := d.run(ctx, "sysrc", "-i", "-x", rcvar(s))
	return append(slices.Clone(c.Done), "rc.conf: "+rcvar(s)), err
}

// service runs a command of the script, whatever rc.conf says.
func (d rcd) service(ctx context.Context, s manage.Spec, verb string) error {
	return d.run(ctx, "service", s.ServiceName(), "one"+verb)
}

func (d rcd) Start(ctx context.Context, s manage.Spec, _ service.Status) error {
	return d.service(ctx, s, "start")
}

// Stop implements Dialect. The script waits as long as the service may take.
func (d rcd) Stop(ctx context.Context, s manage.Spec, _ service.Status) error {
	if err := d.service(ctx, s, "stop"); err != nil {
		return err
	}
	return AwaitStopped(ctx, s.ServiceName(), 100*time.Millisecond, margin, func() (bool, error) {
		st, err := d.Status(ctx, s, "")
		return st.State == service.Stopped, err
	})
}

func (d rcd) Reload(ctx context.Context, s manage.Spec, _ string) error {
	return d.service(ctx, s, "reload")
}

// Status implements Dialect. Only root may read the files with process IDs, so it looks at
// the processes: daemon(8) names in its title what it supervises, and which process that is.
func (d rcd) Status(ctx context.Context, s manage.Spec, _ string) (service.Status, error) {
	st := service.Status{State: service.Unknown, ExitCode: -1}
	out, err := d.Runner()(ctx, "ps", "-axww", "-o", "pid=", "-o", "etime=", "-o", "command=")
	if err != nil {
		return st, err
	}
	st.State, st.PID, st.Since = rcdFind(out, s.ServiceName())
	st.Silent = st.State == service.Failed
	value, err := d.enabled(ctx, s)
	if err != nil && command.Code(err) == -1 {
		return st, err
	}
	st.StartType = service.Manual
	if rcdYes(value) {
		st.StartType = service.Automatic
	}
	return st, nil
}

// rcdYes is checkyesno of rc.subr(8).
func rcdYes(value string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(value))
}

// rcdFind looks for the supervisor and its child in what ps prints. A supervisor without a
// child waits before it starts the next one.
func rcdFind(out, name string) (service.State, int, time.Time) {
	child := 0
	supervised := false
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		for _, title := range []string{name + "[", name + ":daemon["} { // kardianos/service adds that, after a space
			_, after, ok := strings.Cut(strings.Join(f[min(2, len(f)):], ""), "daemon:"+title)
			if !ok || f[2] != "daemon:" {
				continue
			}
			number, _, _ := strings.Cut(after, "]")
			supervised = true
			child, _ = strconv.Atoi(number)
		}
	}
	if !supervised {
		return service.Stopped, 0, time.Time{}
	}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != strconv.Itoa(child) {
			continue
		}
		return service.Running, child, sinceElapsed(f[1])
	}
	return service.Failed, 0, time.Time{}
}

func (rcd) Diagnose(_ context.Context, s manage.Spec, now service.Status) []manage.Finding {
	if now.StartType == service.Automatic {
		return nil
	}
	return []manage.Finding{{
		Level: manage.Note, What: "rc.conf", Detail: rcvar(s) + " is not YES: it does not start with the machine", Remedy: "sysrc " + rcvar(s) + "=YES",
	}}
}
