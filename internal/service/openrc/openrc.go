// Package openrc installs services with OpenRC, under its own supervisor.
//
// Readiness is not asked for: OpenRC 0.62 has it (notify=socket:ready), but its socket
// is root's alone, and it waits for ever for a program that never gets ready.
package openrc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// Manager is a service.Manager.
type Manager struct{ m initd.Machine }

// New returns the manager that works on m.
func New(m service.Machine) *Manager { return &Manager{initd.Machine{Machine: m}} }

const manager = "OpenRC"

// Name implements service.Manager.
func (*Manager) Name() string { return manager }

// runlevel is where services are that start with the machine.
const (
	runlevels = "/etc/runlevels"
	runlevel  = "default"
)

func runlevelLink(name string) string { return path.Join(runlevels, runlevel, name) }

// starts reports whether s starts with the machine.
func starts(s service.Spec) bool {
	return s.Start != service.Manual && s.Start != service.Disabled
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := initd.Supported(s, manager); err != nil {
		return nil, err
	}
	owner, err := m.m.Owner(ctx, s)
	if err != nil {
		return nil, err
	}
	said, err := m.m.Runner()(ctx, "openrc", "--version")
	if err != nil {
		return nil, fmt.Errorf("ask OpenRC for its version: %w", err)
	}
	v := parseVersion(said)
	l := initd.Of(s)
	script := onefile.File{Path: l.Script, Mode: 0o755, Text: Render(s, owner, v), Theirs: theirs}
	script.Lost = func(old string) []string { return lost(old, s, owner.Name) }
	p, err := m.m.Begin(ctx, s, owner, script, force)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, warnings(s, v)...)
	link := service.Artefact{Name: runlevelLink(l.Name), Present: m.m.Tree.Exists(runlevelLink(l.Name)), Wanted: m.wanted(p, l.Name)}
	text := "link to " + l.Script + "\n"
	if link.Present {
		link.Old = text
	}
	if link.Wanted {
		link.New = text
	}
	p.Artefacts = append(p.Artefacts, link)
	if verb := update(link); verb != "" {
		p.Calls = append(p.Calls, "rc-update "+verb+" "+l.Name+" "+runlevel)
	}
	if p.Changed() {
		p.Calls = append(p.Calls, "rc-update --update")
	}
	m.m.Belongings(s).PlanStart(p)
	p.Private = private{script, link}
	return p, nil
}

// private is what Apply needs of a plan.
type private struct {
	script onefile.File
	link   service.Artefact // in the runlevel
}

// update is what rc-update is to do, "" for nothing.
func update(link service.Artefact) string {
	switch {
	case link.Wanted && !link.Present:
		return "add"
	case link.Present && !link.Wanted:
		return "del"
	}
	return ""
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	todo, ok := p.Private.(private)
	if !ok {
		return errors.New("openrc: the plan is of another manager")
	}
	name := initd.Of(p.Spec).Name
	return m.m.Apply(ctx, p, todo.script, func(c *files.Change) error {
		present, undo := m.m.Tree.Exists(runlevelLink(name)), map[string]string{"add": "del", "del": "add"}
		verb := update(service.Artefact{Present: present, Wanted: todo.link.Wanted})
		if verb == "" {
			return m.learn(ctx)
		}
		c.Call(func() error {
			if m.m.Tree.Exists(runlevelLink(name)) == present {
				return nil
			}
			return m.call(context.WithoutCancel(ctx), "rc-update", undo[verb], name, runlevel)
		})
		if err := m.call(ctx, "rc-update", verb, name, runlevel); err != nil {
			return err
		}
		return m.learn(ctx)
	})
}

// learn has OpenRC read the dependencies of all services anew. By itself it does so for
// files that are newer than what it has read, by whole seconds: a service that is
// installed within the second of another change would not start with the machine.
func (m *Manager) learn(ctx context.Context) error {
	return m.call(ctx, "rc-update", "--update")
}

func (m *Manager) call(ctx context.Context, tool string, args ...string) error {
	_, err := m.m.Runner()(ctx, tool, args...)
	return err
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) (removed []string, err error) {
	text, err := m.m.Installed(s)
	if m.m.Belongings(s).Left(err, purge, initd.Of(s).Script) {
		removed, err := m.m.Purge(ctx, s, m.m.Belongings(s).Gone()) // it was uninstalled, and has left this
		return removed, onefile.Refused(err, "purge "+s.ServiceName())
	}
	if err != nil {
		return nil, err
	}
	l := initd.Of(s)
	if !service.Marked(text) && !theirs(text) {
		return nil, fmt.Errorf("%s %w: remove it by hand", l.Script, service.ErrForeign)
	}
	defer func() { err = onefile.Refused(err, "remove "+s.ServiceName()) }()
	levels := m.runlevels(l.Name)
	for _, level := range levels {
		removed = append(removed, path.Join(runlevels, level, l.Name))
	}
	if err := m.m.Belongings(s).Removable(purge, append(removed, l.Script)...); err != nil {
		return nil, err
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(s.ServiceName())
	relink := m.m.Tree.Relink(removed...)
	c.Call(func() error { return errors.Join(relink(), m.learn(context.WithoutCancel(ctx))) })
	if err := m.forget(ctx, c, m.m.Belongings(s).Record, l, levels); err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	removed = append(removed, l.Script)
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
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	return m.start(ctx, s, "start")
}

// Restart implements service.Manager.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	return m.start(ctx, s, "restart")
}

func (m *Manager) start(ctx context.Context, s service.Spec, verb string) error {
	if _, err := m.m.Installed(s); err != nil {
		return err
	}
	now, err := m.Status(ctx, s)
	switch {
	case err != nil:
		return err
	case verb == "start" && now.State == service.Running:
		return nil
	case now.State == service.Failed && m.is("started", initd.Of(s).Name):
		verb = "restart" // OpenRC thinks that it is started
	}
	m.m.Waiting(s.ServiceName() + " starts")
	failed := m.service(ctx, s, verb)
	if verb == "restart" {
		failed = onefile.Asked(ctx, failed)
	}
	if failed != nil && !overtaken(failed) {
		return failed
	}
	if then, err := m.Status(ctx, s); failed != nil && (err != nil || then.PID == now.PID) {
		return errors.Join(failed, err)
	}
	return onefile.Supervised(ctx, m.m.Machine, s.ServiceName(), func() (service.Status, error) { return m.Status(ctx, s) })
}

// overtaken reports whether somebody else has started the service in the meantime. When
// OpenRC restarts one service, it starts all that ran before and do not now: also another
// that is just being restarted by itself.
func overtaken(err error) bool {
	said := err.Error()
	return strings.Contains(said, " is already running") || strings.Contains(said, " is already starting")
}

func (m *Manager) service(ctx context.Context, s service.Spec, verb string) error {
	err := m.call(ctx, "rc-service", initd.Of(s).Name, verb)
	if err != nil && strings.Contains(err.Error(), "superuser access required") {
		return fmt.Errorf("%s %s: %w: run it as root (sudo)", verb, s.ServiceName(), service.ErrPermission)
	}
	return onefile.Refused(err, verb+" "+s.ServiceName())
}

// Stop implements service.Manager.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	if _, err := m.m.Installed(s); err != nil {
		return err
	}
	now, err := m.Status(ctx, s)
	if err != nil {
		return err
	}
	name := initd.Of(s).Name
	if now.PID == 0 && !m.is("started", name) && !m.is("starting", name) && !m.is("stopping", name) {
		return nil
	}
	m.m.Waiting(s.ServiceName() + " stops")
	if err := m.service(ctx, s, "stop"); err != nil {
		return err
	}
	err = onefile.Await(ctx, 50*time.Millisecond, 10*time.Second, func() (bool, error) {
		if now.PID == 0 {
			return true, nil
		}
		p, alive := initd.Look(m.m.Tree, now.PID)
		return !alive || !p.Since(m.m.Tree).Equal(now.Since), nil
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("OpenRC has stopped %s, but its process %d still runs", s.ServiceName(), now.PID)
	}
	return err
}

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	text, err := m.m.Installed(s)
	if err != nil {
		return err
	}
	if !strings.Contains(text, "\nextra_started_commands=reload\n") {
		return fmt.Errorf("reload %s: the program reads nothing anew while it runs: %w; restart it", s.ServiceName(), service.ErrNotSupported)
	}
	now, err := m.Status(ctx, s)
	if err != nil {
		return err
	}
	if now.State != service.Running {
		return fmt.Errorf("reload %s: %w", s.ServiceName(), service.ErrNotRunning)
	}
	return m.service(ctx, s, "reload")
}

// Pause implements service.Manager.
func (*Manager) Pause(_ context.Context, s service.Spec) error { return noPause(s) }

// Continue implements service.Manager.
func (*Manager) Continue(_ context.Context, s service.Spec) error { return noPause(s) }

func noPause(s service.Spec) error {
	return fmt.Errorf("%s: a pause is %w: %s has none", s.ServiceName(), service.ErrNotSupported, manager)
}

// Logs implements service.Manager.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	return m.m.Logs(ctx, s, q, w)
}

// Status implements service.Manager. It reads what OpenRC and the kernel let everybody
// read, for rc-service takes longer and says less.
func (m *Manager) Status(_ context.Context, s service.Spec) (service.Status, error) {
	text, err := m.m.Installed(s)
	if errors.Is(err, service.ErrNotInstalled) {
		return service.Status{State: service.NotInstalled, ExitCode: -1}, nil
	}
	if err != nil {
		return service.Status{}, err
	}
	name := initd.Of(s).Name
	st := service.Status{State: service.Stopped, Start: initd.StartOf(text, len(m.runlevels(name)) > 0), ExitCode: -1}
	if !m.m.Tree.Exists(stateDir) {
		st.State, st.Detail = service.Unknown, "OpenRC does not run here: there is no "+stateDir
		return st, nil
	}
	super, child := m.processes(name, text)
	fresh := super.PID != 0 && time.Since(super.Since(m.m.Tree)) < settled
	if child.PID != 0 {
		st.PID, st.Since = child.PID, child.Since(m.m.Tree)
	}
	if n, err := os.ReadFile(m.m.Tree.Path(stateDir + "/options/" + name + "/start_count")); err == nil {
		st.Restarts, _ = strconv.Atoi(strings.TrimSpace(string(n)))
	}
	switch {
	case m.is("stopping", name):
		st.State = service.Stopping
	case m.is("starting", name):
		st.State = service.Starting
	case m.is("inactive", name):
		st.State, st.Detail = service.Starting, "inactive"
	case m.is("started", name):
		switch {
		case child.PID != 0 && (super.PID != 0 || !supervised(text)):
			st.State = service.Running
		case child.PID != 0:
			st.State, st.Detail = service.Failed, "unsupervised"
		case fresh:
			st.State = service.Starting
		case super.PID != 0:
			st.State, st.Silent, st.Detail = service.Failed, true, "has ended, and waits to be started again"
		default:
			st.State, st.Silent, st.Detail = service.Failed, true, "has ended by itself"
		}
	case m.is("failed", name):
		st.State, st.Detail = service.Failed, "failed"
	}
	return st, nil
}

const (
	stateDir = "/run/openrc"

	// settled is how long a new supervisor may be without a process below it: OpenRC
	// takes the service for started before there is one.
	settled = 3 * time.Second
)

func (m *Manager) is(state, name string) bool {
	return m.m.Tree.Exists(path.Join(stateDir, state, name))
}

func supervised(script string) bool {
	return strings.Contains(script, "\nsupervisor=supervise-daemon\n")
}

// processes finds the supervisor of a service and the process below it.
func (m *Manager) processes(name, script string) (super, child initd.Process) {
	if !supervised(script) {
		child, _ = m.number("/run/" + name + ".pid")
		return super, child
	}
	all := initd.Processes(m.m.Tree)
	supers := map[int]bool{}
	for _, p := range all {
		if p.Name == supervisor && m.serves(p.PID, name) {
			supers[p.PID] = true
		}
	}
	for _, p := range all {
		// Until it executes the program, the process below looks like the one above, and
		// may run helpers of PAM.
		if supers[p.PID] && !supers[p.Parent] {
			super = p
		}
	}
	if super.PID == 0 {
		// A supervisor that was killed leaves its service behind; only root may read this.
		child, _ = m.number(path.Join(stateDir, "options", name, "child_pid"))
		return super, child
	}
	for _, p := range all {
		if p.Parent == super.PID && !supers[p.PID] {
			return super, p
		}
	}
	return super, child
}

// supervisor is supervise-daemon to the kernel, which keeps 15 bytes of a name.
const supervisor = "supervise-daemo"

// number returns the process whose number a file has.
func (m *Manager) number(file string) (initd.Process, bool) {
	text, err := os.ReadFile(m.m.Tree.Path(file))
	if err != nil {
		return initd.Process{}, false
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	p, alive := initd.Look(m.m.Tree, pid)
	if !alive {
		return initd.Process{}, false
	}
	return p, true
}

func (m *Manager) serves(pid int, name string) bool {
	line, err := os.ReadFile(m.m.Tree.Path("/proc/" + strconv.Itoa(pid) + "/cmdline"))
	words := strings.Split(string(line), "\x00")
	return err == nil && len(words) > 1 && words[1] == name
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := m.m.Diagnose(ctx, s)
	l := initd.Of(s)
	text, err := m.m.Installed(s)
	if err != nil {
		return found
	}
	if len(m.runlevels(l.Name)) > 0 || strings.Contains(text, "\n# Start: "+string(service.Manual)+"\n") {
		found = append(found, service.Finding{Level: service.OK, What: "runlevel", Detail: runlevel})
	} else {
		found = append(found, service.Finding{Level: service.Warning, What: "runlevel", Detail: "it is in none, and does not start with the machine", Remedy: "rc-update add " + l.Name + " " + runlevel})
	}
	if st, err := m.Status(ctx, s); err == nil && st.State == service.Failed && !st.Silent {
		found = append(found, service.Finding{Level: service.Problem, What: "OpenRC", Detail: st.Detail, Remedy: "see syslog, and " + l.Log})
	}
	return found
}

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	return m.m.Launches(s, "\nthe_executable=")
}

// Passes implements service.Passer.
func (m *Manager) Passes(_ context.Context, s service.Spec) (args []string, ok bool) {
	text, err := m.m.Installed(s)
	if err != nil || !service.Marked(text) {
		return nil, false
	}
	for {
		words := shell.After(text, "\nthe_word_"+strconv.Itoa(len(args)+1)+"=")
		if len(words) == 0 {
			return args, true
		}
		args = append(args, words[0])
	}
}

// Confined implements service.Confiner.
func (m *Manager) Confined(ctx context.Context, s service.Spec) service.Confinement {
	return m.m.Confined(ctx, s)
}
