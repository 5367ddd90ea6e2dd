package script

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// procd speaks the init of OpenWrt: a service is a script for rc.common, and links to it.
type procd struct {
	host
	stream streamer
}

// NewProcd returns the manager of a machine with procd.
func NewProcd(m manage.Machine) *Manager { return New(m, procd{host{m}, command.Stream}) }

func (procd) Traits() Traits { return Traits{Name: "procd", Sudo: "sudo"} }

func (procd) Layout(s manage.Spec) Layout {
	name := s.ServiceName()
	return Layout{Name: name, File: "/etc/init.d/" + name, Mode: 0o755, Dirs: dirs.System("linux", name, os.Getenv), Home: "/nonexistent"}
}

// Account implements Dialect. Most of these machines have no tools to make an account.
func (d procd) Account(s manage.Spec) (string, bool) {
	own := account.Name(s.ServiceName())
	text, _, _ := d.Tree.Read("/etc/passwd")
	if strings.HasPrefix(text, own+":") || strings.Contains(text, "\n"+own+":") {
		return own, true
	}
	for _, tool := range []string{"/usr/sbin/useradd", "/usr/sbin/adduser", "/usr/bin/adduser", "/bin/adduser"} {
		if d.Tree.Exists(tool) {
			return own, true
		}
	}
	return "nobody", false
}

// Replaced implements Dialect. It knows the scripts of kardianos/service v1.3.0 by their
// comments.
func (procd) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	if !strings.Contains(old, "# After network starts\nSTART=21\n") || !strings.Contains(old, "\npid_file=\"/var/run/${name}.pid\"\n") {
		return nil, false
	}
	k := theirs{sum: 0x05b97fbb, command: "cmd", own: []string{"USE_PROCD", "START", "STOP", "name", "pid_file"}}
	return k.lost(old, s, account), true
}

//go:embed procd.sh
var procdBody string

// The places in the order of the machine's start and of its end: after everything else, and
// before it. What is delayed comes last.
const (
	procdStart   = 95
	procdDelayed = 99
	procdStop    = 10
)

func procdOrder(s manage.Spec) int {
	if s.StartType == service.Delayed {
		return procdDelayed
	}
	return procdStart
}

func (d procd) Render(_ context.Context, s manage.Spec, o Owner) (string, []string, error) {
	return procdScript(s, o.Name, d.Layout(s)), d.warnings(s), nil
}

func (d procd) warnings(s manage.Spec) []string {
	has := []string{"Limits.OpenFiles", "Dependencies"}
	if s.StartType == service.Delayed {
		has = append(has, "StartType")
	}
	lines := Lacks("procd", s, has...)
	if needs := slices.DeleteFunc(slices.Clone(s.Dependencies), func(n string) bool { return n == "network" }); len(needs) > 0 {
		lines = append(lines, fmt.Sprintf("Dependencies: procd starts by numbers, and this is %d; the program has to wait for %s itself", procdOrder(s), strings.Join(needs, ", ")))
	}
	if strings.Trim(d.Tree.Link("/var"), "/") == "tmp" {
		lines = append(lines, "the state directory is below /var, which is in memory here: what is in it is lost when the machine stops")
	}
	return lines
}

// procdScript returns the script of s. procd has no parameter for the working directory of a
// service without a jail, so a shell goes there and becomes the program. There is none for
// the umask alone, because procd logs what the program prints by the name of the command:
// nobody else can enter the folders of the service and read what is there.
func procdScript(s manage.Spec, account string, l Layout) string {
	var b lines
	param := func(words ...string) { b.line("\tprocd_set_param %s", shell.Join(words...)) }
	b.line("#!/bin/sh /etc/rc.common\n# %s\n# %s\n", manage.Mark, s.Description)
	b.line("USE_PROCD=1\nSTART=%d\nSTOP=%d\n", procdOrder(s), procdStop)
	b.set("the_name", l.Name)
	b.set("the_account", account)
	b.set("the_folders", strings.Join([]string{l.Dirs.State, l.Dirs.Cache, l.Dirs.Logs, l.Dirs.Runtime}, " ")) // no name has spaces
	b.line("\nparameters()\n{")
	command := []string{"command", s.Executable}
	if s.WorkingDirectory != "" {
		launch := "umask 077; cd " + shell.Quote(s.WorkingDirectory) + ` && exec "$@"`
		command = []string{"command", "/bin/sh", "-c", launch, l.Name, s.Executable}
	}
	param(append(command, s.Arguments...)...)
	env := []string{"env"}
	for _, v := range Environment(s, l.Dirs, toSyslog()) {
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
		// A run shorter than the first has failed once more. No number of failures, which is
		// the last, is too many.
		param("respawn", strconv.Itoa(seconds(s.Recovery.ResetPeriod)), strconv.Itoa(seconds(s.Recovery.Delays[0])), "0")
	}
	param("term_timeout", strconv.Itoa(seconds(stopBudget(s))))
	param("stdout", "1")
	param("stderr", "1")
	b.line("}\n")
	return b.String() + procdBody
}

func (procd) Command(text string) []string {
	words := shell.After(text, "\tprocd_set_param command ")
	if len(words) > 4 && words[0] == "/bin/sh" && strings.HasPrefix(words[2], "umask 077; cd ") {
		return words[4:]
	}
	return words
}

// procdLinks returns the links by which the init starts s, and where they lead.
func procdLinks(s manage.Spec) map[string]string {
	if !manage.ByItself(s.StartType) {
		return nil
	}
	name := s.ServiceName()
	return map[string]string{
		fmt.Sprintf("/etc/rc.d/S%d%s", procdOrder(s), name): "../init.d/" + name,
		fmt.Sprintf("/etc/rc.d/K%d%s", procdStop, name):     "../init.d/" + name,
	}
}

func (d procd) Registered(s manage.Spec) []string { return d.links(s.ServiceName(), "/etc/rc.d") }

// procdTodo says which links Register makes, and which it removes: those of another start
// type, or of kardianos/service.
type procdTodo struct {
	links map[string]string
	stale []string
}

func (d procd) Plan(_ context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	now := d.Registered(p.Spec)
	if stays(linksStart(now)) {
		return procdTodo{}, nil
	}
	todo := procdTodo{links: procdLinks(p.Spec)}
	for _, l := range slices.Backward(slices.Sorted(maps.Keys(todo.links))) {
		p.Artefacts = append(p.Artefacts, manage.Artefact{
			Name: l, Old: d.Tree.Link(l), New: todo.links[l], Present: d.Tree.Exists(l), Wanted: true,
		})
	}
	for _, l := range now {
		if _, wanted := todo.links[l]; !wanted {
			todo.stale = append(todo.stale, l)
			p.Artefacts = append(p.Artefacts, manage.Artefact{Name: l, Old: d.Tree.Link(l), Present: true})
		}
	}
	return todo, nil
}

func (d procd) Register(_ context.Context, c *files.Change, _ *manage.Plan, todo any) error {
	t := todo.(procdTodo)
	for _, l := range slices.Sorted(maps.Keys(t.links)) {
		if err := c.Symlink(l, t.links[l]); err != nil {
			return err
		}
	}
	return removeAll(c, t.stale)
}

func (d procd) Unregister(_ context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	err := removeAll(c, append(d.Registered(s), d.Layout(s).File))
	return slices.Clone(c.Done), err
}
