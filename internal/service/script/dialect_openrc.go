package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// openrc speaks OpenRC: a service is a script in /etc/init.d, which its supervisor runs, and
// a link in a runlevel.
//
// Readiness is not asked for: OpenRC 0.62 has it (notify=socket:ready), but only root can use
// its socket, and it waits for ever for a program that never gets ready.
type openrc struct{ initd }

// NewOpenRC returns the manager of a machine with OpenRC.
func NewOpenRC(m manage.Machine) *Manager { return New(m, openrc{initd{host{m}}}) }

func (openrc) Traits() Traits { return Traits{Name: "OpenRC", Sudo: "sudo", Syslog: true} }

func (openrc) Replaced(old string, s manage.Spec, account string) ([]string, bool) {
	if !strings.HasPrefix(old, "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"") ||
		!strings.Contains(old, "\nname=$(basename $(readlink -f $command))\nsupervise_daemon_args=\"--stdout ") {
		return nil, false
	}
	k := theirs{
		sum: 0x811c9dc5, command: "command", arguments: "command_args", // it has nothing but settings
		own: []string{"supervisor", "name", "description", "supervise_daemon_args"},
	}
	return k.lost(old, s, account), true
}

func (openrc) Check(s manage.Spec) error {
	return checkSourced("OpenRC", s, func(file string) bool { return openrcSources(file, InitD(s).Name) })
}

func (d openrc) Render(ctx context.Context, s manage.Spec, o Owner) (string, []string, error) {
	said, err := d.Runner()(ctx, "openrc", "--version")
	if err != nil {
		return "", nil, fmt.Errorf("ask OpenRC for its version: %w", err)
	}
	v := parseOpenRCVersion(said)
	return openrcScript(s, o, v), openrcWarnings(s, v), nil
}

// openrcWarnings returns what s asks for and OpenRC lacks.
func openrcWarnings(s manage.Spec, v openrcVersion) []string {
	has := []string{"Dependencies", "Limits.OpenFiles", "Limits.Tasks", "Limits.Memory", "Limits.CPU", "StartType"}
	if v.sandboxed() {
		has = append(has, "Hardening.Profile LowPorts", "Hardening.Capabilities")
	}
	lines := Lacks("OpenRC", s, has...)
	if cgroup(s.Limits) != "" {
		lines = append(lines, "Limits: those of memory, processes and CPU hold where OpenRC has the unified control groups (rc_cgroup_mode)")
	}
	return lines
}

func (openrc) Command(text string) []string {
	words := shell.After(text, "\nthe_executable=")
	if len(words) == 0 {
		return nil
	}
	for n := 1; ; n++ {
		word := shell.After(text, "\nthe_word_"+strconv.Itoa(n)+"=")
		if len(word) == 0 {
			return words
		}
		words = append(words, word[0])
	}
}

const (
	runlevels = "/etc/runlevels"
	runlevel  = "default" // of services that start with the machine
)

func runlevelLink(name string) string { return path.Join(runlevels, runlevel, name) }

// runlevels returns those that a service is in.
func (d openrc) runlevels(s manage.Spec) (levels []string) {
	for _, link := range d.Registered(s) {
		levels = append(levels, path.Base(path.Dir(link)))
	}
	return levels
}

func (d openrc) Registered(s manage.Spec) (links []string) {
	levels, _ := os.ReadDir(d.Tree.Path(runlevels))
	for _, l := range levels {
		if link := path.Join(runlevels, l.Name(), InitD(s).Name); d.Tree.Exists(link) {
			links = append(links, link)
		}
	}
	return links
}

// wanted reports whether the service is to be in the runlevel. One that somebody has put into
// another runlevel, or into none, stays there.
func (d openrc) wanted(p *manage.Plan, stays func(now bool) bool) bool {
	levels := d.runlevels(p.Spec)
	here := slices.Contains(levels, runlevel)
	last := owned.In(d.Tree, path.Dir(InitD(p.Spec).Dirs.Configuration), p.Spec.ServiceName()).Start()
	switch {
	case stays(len(levels) > 0):
		return here
	case manage.ByItself(p.Spec.StartType) && p.Installed && manage.ByItself(last) && len(levels) > 0 && !here:
		p.Notes = append(p.Notes, "it stays in the runlevel "+strings.Join(levels, ", ")+", as somebody has left it since it was installed")
		return false
	}
	return manage.ByItself(p.Spec.StartType)
}

func (d openrc) Plan(_ context.Context, p *manage.Plan, stays func(now bool) bool) (any, error) {
	l := InitD(p.Spec)
	link := manage.Artefact{Name: runlevelLink(l.Name), Present: d.Tree.Exists(runlevelLink(l.Name)), Wanted: d.wanted(p, stays)}
	text := "link to " + l.File + "\n"
	if link.Present {
		link.Old = text
	}
	if link.Wanted {
		link.New = text
	}
	p.Artefacts = append(p.Artefacts, link)
	if verb := rcUpdate(link.Present, link.Wanted); verb != "" {
		p.Calls = append(p.Calls, "rc-update "+verb+" "+l.Name+" "+runlevel)
	}
	if p.Changed() {
		p.Calls = append(p.Calls, "rc-update --update")
	}
	return link.Wanted, nil
}

// rcUpdate returns what rc-update is to do, "" for nothing.
func rcUpdate(present, wanted bool) string {
	switch {
	case wanted && !present:
		return "add"
	case present && !wanted:
		return "del"
	}
	return ""
}

// learn has OpenRC read the dependencies of all services again. By itself it does so for
// files that are newer than what it has read, in whole seconds: a service that is installed
// in the second of another change would not start with the machine.
func (d openrc) learn(ctx context.Context) error { return d.run(ctx, "rc-update", "--update") }

func (d openrc) Register(ctx context.Context, c *files.Change, p *manage.Plan, todo any) error {
	name := InitD(p.Spec).Name
	link := runlevelLink(name)
	present, wanted := d.Tree.Exists(link), todo.(bool)
	verb := rcUpdate(present, wanted)
	if verb == "" {
		return d.learn(ctx)
	}
	c.Call(func() error {
		if d.Tree.Exists(link) == present {
			return nil
		}
		return d.run(context.WithoutCancel(ctx), "rc-update", rcUpdate(wanted, present), name, runlevel)
	})
	if err := d.run(ctx, "rc-update", verb, name, runlevel); err != nil {
		return err
	}
	return d.learn(ctx)
}

func (d openrc) Unregister(ctx context.Context, c *files.Change, s manage.Spec) ([]string, error) {
	l, links := InitD(s), d.Registered(s)
	relink := d.Tree.Relink(links...)
	c.Call(func() error { return errors.Join(relink(), d.learn(context.WithoutCancel(ctx))) })
	for _, link := range links {
		if err := d.run(ctx, "rc-update", "del", l.Name, path.Base(path.Dir(link))); err != nil {
			return nil, err
		}
	}
	if err := c.Remove(l.File); err != nil {
		return nil, err
	}
	return append(links, l.File), d.learn(ctx)
}

func (d openrc) Start(ctx context.Context, s manage.Spec, now service.Status) error {
	if now.State == service.Failed && d.is("started", InitD(s).Name) {
		return asked(ctx, d.Restart(ctx, s, now)) // OpenRC thinks that it is started
	}
	return d.launch(ctx, s, now, "start")
}

// Restart implements restarter: OpenRC restarts the services that need it as well.
func (d openrc) Restart(ctx context.Context, s manage.Spec, now service.Status) error {
	return d.launch(ctx, s, now, "restart")
}

func (d openrc) launch(ctx context.Context, s manage.Spec, now service.Status, verb string) error {
	failed := d.run(ctx, "rc-service", InitD(s).Name, verb)
	if failed == nil || !overtaken(failed) {
		return failed
	}
	text, _, err := d.Tree.Read(InitD(s).File)
	if err != nil {
		return errors.Join(failed, err)
	}
	if then, err := d.Status(ctx, s, text); err != nil || then.PID == now.PID {
		return errors.Join(failed, err)
	}
	return nil
}

// overtaken reports whether the service was started by another command meanwhile. When OpenRC
// restarts one service, it starts all that ran before and do not now: also another one that
// is just being restarted.
func overtaken(err error) bool {
	said := err.Error()
	return strings.Contains(said, " is already running") || strings.Contains(said, " is already starting")
}

func (d openrc) Stop(ctx context.Context, s manage.Spec, now service.Status) error {
	name := InitD(s).Name
	if now.PID == 0 && !d.is("started", name) && !d.is("starting", name) && !d.is("stopping", name) {
		return nil
	}
	err := command.Retry(ctx, locked, func() error { return d.run(ctx, "rc-service", name, "stop") })
	if err != nil || now.PID == 0 {
		return err
	}
	return AwaitStopped(ctx, s.ServiceName(), 50*time.Millisecond, 10*time.Second, func() (bool, error) {
		p, alive := Look(d.Tree, now.PID)
		return !alive || !p.since(d.Tree).Equal(now.Since), nil
	})
}

// locked reports whether OpenRC refused because it was still starting or stopping the
// service for another command, or for its supervisor.
func locked(err error) bool {
	return strings.Contains(err.Error(), "Call to flock failed")
}

func (d openrc) Reload(ctx context.Context, s manage.Spec, text string) error {
	if !strings.Contains(text, "\nextra_started_commands=reload\n") {
		return errNoReload
	}
	return d.run(ctx, "rc-service", InitD(s).Name, "reload")
}
