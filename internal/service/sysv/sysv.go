// Package sysv installs services with an init that has scripts and no supervisor: that
// of System V with its runlevels, and rcS of busybox.
package sysv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// Variant is how services are registered: what their scripts are is the same.
type Variant string

// The variants.
const (
	Runlevels Variant = "SysV init" // links in /etc/rc2.d and its like
	RCS       Variant = "rcS"       // a link that rcS of busybox runs
)

// Manager is a service.Manager.
type Manager struct {
	m       initd.Machine
	variant Variant
}

// New returns the manager that works on m.
func New(m service.Machine, v Variant) *Manager { return &Manager{initd.Machine{Machine: m}, v} }

// Name implements service.Manager.
func (m *Manager) Name() string { return string(m.variant) }

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := initd.Supported(s, m.Name()); err != nil {
		return nil, err
	}
	owner, err := m.m.Owner(ctx, s)
	if err != nil {
		return nil, err
	}
	s = m.keep(s)
	script := onefile.File{Path: initd.Of(s).Script, Mode: 0o755, Text: Render(s, owner), Theirs: theirs}
	script.Lost = func(old string) []string { return lost(old, s, owner.Name) }
	p, err := m.m.Begin(ctx, s, owner, script, force)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, warnings(m.Name(), s, m.variant == RCS)...)
	now := m.links(initd.Of(s).Name)
	a := service.Artefact{Name: m.linksName(), Old: m.text(now), New: m.wanted(s, now, p.Installed), Present: len(now) > 0, Wanted: true}
	if m.variant == RCS {
		a.Wanted = starts(s)
	}
	if m.m.Belongings(s).Stays(p, m.starts(now)) {
		a.New, a.Wanted = a.Old, a.Present
	}
	p.Artefacts = append(p.Artefacts, a)
	if a.Changed() && m.variant == Runlevels {
		p.Calls = append(p.Calls, "update-rc.d, chkconfig or insserv, whichever is there")
	}
	m.m.Belongings(s).PlanStart(p)
	p.Private = private{script, a}
	return p, nil
}

// private is what Apply needs of a plan.
type private struct {
	script onefile.File
	links  service.Artefact
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	todo, ok := p.Private.(private)
	if !ok {
		return errors.New("sysv: the plan is of another manager")
	}
	name := initd.Of(p.Spec).Name
	return m.m.Apply(ctx, p, todo.script, func(c *files.Change) error {
		if !todo.links.Changed() {
			return nil
		}
		return m.register(ctx, c, p, name)
	})
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) (removed []string, err error) {
	script, err := m.m.Installed(s)
	if errors.Is(err, service.ErrNotInstalled) {
		m.removeRemains(initd.Of(s).Name)
	}
	if m.m.Belongings(s).Left(err, purge, m.places(initd.Of(s))...) {
		removed, err := m.m.Purge(ctx, s, m.m.Belongings(s).Gone()) // it was uninstalled, and has left this
		return removed, onefile.Refused(err, "purge "+s.ServiceName())
	}
	if err != nil {
		return nil, err
	}
	l := initd.Of(s)
	if !service.Marked(script) && !theirs(script) {
		return nil, fmt.Errorf("%s %w: remove it by hand", l.Script, service.ErrForeign)
	}
	defer func() { err = onefile.Refused(err, "remove "+s.ServiceName()) }()
	links := m.links(l.Name)
	if err := m.m.Belongings(s).Removable(purge, append(links, l.Script)...); err != nil {
		return nil, err
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(s.ServiceName())
	for _, p := range m.places(l) {
		c.Sweep(path.Dir(p))
	}
	c.Call(m.m.Tree.Relink(links...))
	if err := m.m.Belongings(s).DropStart(c); err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	if err := m.unregister(ctx, l.Name); err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	for _, p := range append([]string{l.Script}, append(links, pidFile(l), "/run/"+l.Name+".lock")...) { // links without a script are remains
		there := m.m.Tree.Exists(p) || slices.Contains(links, p)
		if err := c.Remove(p); err != nil {
			return nil, errors.Join(err, c.Undo())
		}
		if there && !strings.HasPrefix(p, "/run/") {
			removed = append(removed, p)
		}
	}
	if err := c.Keep(); err != nil {
		return removed, err
	}
	if purge {
		more, err := m.m.Purge(ctx, s, m.m.Belongings(s))
		return append(removed, more...), err
	}
	return removed, m.m.Belongings(s).Forget()
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error { return m.act(ctx, s, "start") }

// Stop implements service.Manager.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	if _, err := m.m.Installed(s); err != nil {
		return err
	}
	now, err := m.Status(ctx, s)
	if err != nil || now.State == service.Stopped {
		return err
	}
	return m.act(ctx, s, "stop")
}

// Restart implements service.Manager.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error { return m.act(ctx, s, "restart") }

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error { return m.act(ctx, s, "reload") }

// act has the script do something, and makes errors of its exit codes.
func (m *Manager) act(ctx context.Context, s service.Spec, action string) error {
	script, err := m.m.Installed(s)
	if err != nil {
		return err
	}
	name := s.ServiceName()
	if action != "reload" {
		m.m.Waiting(fmt.Sprintf("%s: %s", name, action))
	}
	_, err = m.m.Runner()(ctx, initd.Of(s).Script, action)
	if action == "restart" {
		err = onefile.Asked(ctx, err)
	}
	if !service.Marked(script) {
		return onefile.Refused(err, action+" "+name)
	}
	switch command.Code(err) {
	case 0:
		return nil
	case 3:
		return fmt.Errorf("%s %s: the program reads nothing anew while it runs: %w; restart it", action, name, service.ErrNotSupported)
	case 4:
		return fmt.Errorf("%s %s: %w: run it as root (sudo)", action, name, service.ErrPermission)
	case 7:
		return fmt.Errorf("%s %s: %w", action, name, service.ErrNotRunning)
	}
	var e *command.Error
	if errors.As(err, &e) && strings.TrimSpace(e.Stderr) != "" {
		if _, how, ended := strings.Cut(e.Stderr, " has ended at once, "); ended { // as its script says
			return fmt.Errorf("%s %s: %w, %s", action, name, service.ErrEnded, strings.TrimSpace(how))
		}
		return fmt.Errorf("%s %s: %s", action, name, strings.Join(strings.Split(strings.TrimSpace(e.Stderr), "\n"), "; "))
	}
	return onefile.Refused(err, action+" "+name)
}

// Pause implements service.Manager.
func (m *Manager) Pause(_ context.Context, s service.Spec) error { return m.noPause(s) }

// Continue implements service.Manager.
func (m *Manager) Continue(_ context.Context, s service.Spec) error { return m.noPause(s) }

func (m *Manager) noPause(s service.Spec) error {
	return fmt.Errorf("%s: a pause is %w: %s has none", s.ServiceName(), service.ErrNotSupported, m.variant)
}

func pidFile(l initd.Layout) string { return "/run/" + l.Name + ".pid" }

// Status implements service.Manager. It looks at what the script looks at.
func (m *Manager) Status(_ context.Context, s service.Spec) (service.Status, error) {
	script, err := m.m.Installed(s)
	if errors.Is(err, service.ErrNotInstalled) {
		return service.Status{State: service.NotInstalled, ExitCode: -1}, nil
	}
	if err != nil {
		return service.Status{}, err
	}
	l := initd.Of(s)
	st := service.Status{State: service.Stopped, Start: initd.StartOf(script, m.starts(m.links(l.Name))), ExitCode: -1}
	text, err := os.ReadFile(m.m.Tree.Path(pidFile(l)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return st, nil
	case err != nil:
		st.State, st.Detail = service.Unknown, err.Error()
		return st, nil
	}
	number, ticks, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	pid, _ := strconv.Atoi(number)
	if p, alive := initd.Look(m.m.Tree, pid); alive && (ticks == "" || ticks == p.Ticks) {
		st.State, st.PID, st.Since = service.Running, pid, p.Since(m.m.Tree)
		return st, nil
	}
	st.State, st.Silent, st.Detail = service.Failed, true, "has ended by itself"
	return st, nil
}

// Logs implements service.Manager.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	return m.m.Logs(ctx, s, q, w)
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := m.m.Diagnose(ctx, s)
	st, err := m.Status(ctx, s)
	if err != nil || st.State == service.NotInstalled {
		return found
	}
	l := initd.Of(s)
	if m.starts(m.links(l.Name)) || st.Start == service.Manual || st.Start == service.Disabled {
		found = append(found, service.Finding{Level: service.OK, What: m.linksName(), Detail: "start type " + string(st.Start)})
	}
	if st.State == service.Failed {
		found = append(found, service.Finding{Level: service.Note, What: "process", Detail: "it has ended by itself, and " + m.Name() + " starts nothing again", Remedy: "see syslog, and " + l.Log})
	}
	return found
}

// notThere reports whether a tool is missing.
func notThere(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || command.Code(err) == 127
}

// base is the last part of a path.
func base(p string) string { return path.Base(p) }

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	return m.m.Launches(s, "\nprogram=")
}

// Passes implements service.Passer.
func (m *Manager) Passes(_ context.Context, s service.Spec) (args []string, ok bool) {
	text, err := m.m.Installed(s)
	_, rest, found := strings.Cut(text, `"$program"`)
	if err != nil || !found || !service.Marked(text) {
		return nil, false
	}
	for {
		next, found := strings.CutPrefix(rest, " \\\n\t\t")
		if !found {
			return args, true
		}
		words := shell.Words(next)
		if len(words) == 0 {
			return nil, false
		}
		args = append(args, words[0])
		_, rest, _ = strings.Cut(" \\\n"+next, "\n")
		rest = rest[len(shell.Quote(words[0])):]
	}
}

// Confined implements service.Confiner.
func (m *Manager) Confined(ctx context.Context, s service.Spec) service.Confinement {
	return m.m.Confined(ctx, s)
}
