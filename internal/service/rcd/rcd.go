// Package rcd installs services of FreeBSD and DragonFly: a script of rc.d(8), and a
// line in rc.conf(5).
package rcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
	"github.com/go-glidepath/glidepath/internal/service/syslogfile"
)

// Manager is the service.Manager of FreeBSD.
type Manager struct {
	m     service.Machine
	uid   int
	safe  func(file string, user bool) error
	chown onefile.Chown
}

// New returns the manager of services of the machine m; rc.d has none of users.
func New(m service.Machine) *Manager {
	return &Manager{m: m, uid: os.Geteuid(), safe: safe.Executable}
}

// Name implements service.Manager.
func (m *Manager) Name() string { return "rc.d" }

// layout is where the parts of a service are. The log and the files with process IDs
// are in folders of root: daemon(8) writes to them with all rights, and rc.d kills what
// they name.
type layout struct {
	script, log, supervisor, child string
	dirs                           dirs.Dirs
}

func place(name string) layout {
	return layout{
		script:     "/usr/local/etc/rc.d/" + name,
		log:        "/var/log/" + name + ".log",
		supervisor: "/var/run/" + name + ".pid", // as kardianos/service has it
		child:      "/var/run/" + name + ".child.pid",
		dirs:       dirs.System("freebsd", name, os.Getenv),
	}
}

// user is the account of the service, which install makes if none is given.
func user(s service.Spec) string {
	return onefile.User(s, account.Name(s.ServiceName()))
}

func file(s service.Spec) onefile.File {
	l := place(s.ServiceName())
	k := onefile.Script{Sum: 0xb37feb4a, Command: "command_args", Own: []string{"name", s.Name + "_env", "pidfile", "command", "daemon_args"}}
	return onefile.File{
		Path: l.script, Mode: 0o755, Text: render(s, user(s), l), Theirs: kardianos,
		Lost: func(old string) []string { return k.Lost(old, s, user(s)) },
	}
}

// kardianos knows the scripts of kardianos/service v1.3.0 by what it sets in them.
func kardianos(text string) bool {
	return strings.Contains(text, `_env="IS_DAEMON=1"`) && strings.Contains(text, `daemon_args="-P ${pidfile} -r -t`)
}

// shutdownTimeout is rcshutdown_timeout of /etc/defaults/rc.conf.
const shutdownTimeout = 90 * time.Second

// enabled is what stands in rc.conf.
func enabled(s service.Spec) string {
	if onefile.ByHand(s) {
		return "NO"
	}
	return "YES"
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	if err := file(s).Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	name := s.ServiceName()
	if err := m.belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, onefile.Folders(place(name).dirs))
	old, err := m.rcvar(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look at rc.conf: %w", err)
	}
	a := service.Artefact{Name: "rc.conf: " + variable(name) + "_enable", Old: old, New: enabled(s), Present: old != "", Wanted: true}
	if m.belongings(s).Stays(p, on(old)) {
		a.New, a.Wanted = a.Old, a.Present
	} else {
		p.Calls = []string{fmt.Sprintf("sysrc %s_enable=%s", variable(name), enabled(s))}
	}
	p.Artefacts, p.Private = append(p.Artefacts, a), a
	m.belongings(s).PlanStart(p)
	switch a, exists, err := account.Of(ctx, m.m, s); {
	case errors.Is(err, service.ErrSpec):
		return nil, err
	case err != nil:
	case exists:
		kept := slices.DeleteFunc(onefile.Folders(place(name).dirs), func(f onefile.Folder) bool { return f.Path == place(name).dirs.Runtime }) // each start gives that
		p.Warnings = append(p.Warnings, onefile.Strangers(m.m.Tree, kept, user(s), a.UID)...)
	case s.Account == "":
		p.Calls = slices.Insert(p.Calls, 0, "pw useradd -n "+user(s))
	}
	p.Warnings = append(p.Warnings, onefile.Lacks("rc.d", s, "Dependencies", "Limits.OpenFiles")...)
	if b := onefile.StopBudget(s); b > shutdownTimeout {
		p.Warnings = append(p.Warnings, fmt.Sprintf("StopTimeout: when the machine stops, rc.shutdown(8) gives all services together %s, and this one may need %s; set rcshutdown_timeout in rc.conf", shutdownTimeout, b))
	}
	return p, nil
}

// rcvar is what rc.conf says of the service, "" if nothing.
func (m *Manager) rcvar(ctx context.Context, name string) (string, error) {
	out, err := m.m.Runner()(ctx, "sysrc", "-n", "-i", variable(name)+"_enable")
	return strings.TrimSpace(out), err
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	doing := "install " + p.Spec.ServiceName()
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo, doas)", doing, service.ErrPermission)
	}
	enable, ok := p.Private.(service.Artefact)
	if !ok {
		return errors.New("rc.d: the plan is of another manager")
	}
	return onefile.Install(m.m.Tree, p.Spec.ServiceName(), func(c *files.Change) error { return m.apply(ctx, c, p, enable) })
}

// apply sets in rc.conf what enable wants, unless that is to stay as it is.
func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, enable service.Artefact) error {
	s := p.Spec
	name := s.ServiceName()
	late := context.WithoutCancel(ctx)
	owner, err := onefile.Account(ctx, m.m, c, s, s.Account, " (pw useradd)")
	if err != nil {
		return err
	}
	if err := m.belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, onefile.Folders(place(name).dirs), owner, m.chown); err != nil {
		return err
	}
	f := file(s)
	if err := c.Write(f.Path, f.Text, f.Mode); err != nil {
		return err
	}
	if !enable.Changed() {
		return m.belongings(s).SetStart(c, s.Start)
	}
	old, err := m.rcvar(ctx, name)
	if err != nil {
		return err
	}
	key := variable(name) + "_enable"
	c.Call(func() error {
		if old == "" {
			_, err := m.m.Runner()(late, "sysrc", "-i", "-x", key)
			return err
		}
		_, err := m.m.Runner()(late, "sysrc", key+"="+old)
		return err
	})
	if _, err := m.m.Runner()(ctx, "sysrc", key+"="+enabled(s)); err != nil {
		return err
	}
	return m.belongings(s).SetStart(c, s.Start)
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	doing := "remove " + name
	l := place(name)
	switch err := m.installed(name); {
	case m.belongings(s).Left(err, purge, l.script): // it was uninstalled, and has left this
		removed, err := onefile.PurgeAll(ctx, m.m, s, m.belongings(s).Gone())
		return removed, onefile.Refused(err, doing)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	text, _, err := m.m.Tree.Read(l.script)
	if err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if !service.Marked(text) && !kardianos(text) {
		return nil, fmt.Errorf("%s: %s %w; remove it by hand", doing, l.script, service.ErrForeign)
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (sudo, doas)", doing, service.ErrPermission)
	}
	if err := m.belongings(s).Removable(purge, l.script, "/etc/rc.conf"); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(name)
	if err := errors.Join(m.belongings(s).DropStart(c), c.Remove(l.script)); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	if _, err := m.m.Runner()(ctx, "sysrc", "-i", "-x", variable(name)+"_enable"); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	removed := append(slices.Clone(c.Done), "rc.conf: "+variable(name)+"_enable")
	if err := c.Keep(); err != nil || !purge {
		return removed, errors.Join(err, m.belongings(s).Forget())
	}
	gone, err := onefile.PurgeAll(ctx, m.m, s, m.belongings(s))
	return append(removed, gone...), onefile.Refused(err, doing)
}

func (m *Manager) installed(name string) error {
	if !m.m.Tree.Exists(place(name).script) {
		return service.ErrNotInstalled
	}
	return nil
}

// call runs a command of the script, whatever rc.conf says.
func (m *Manager) call(ctx context.Context, name, verb string) error {
	doing := verb + " " + name
	if err := m.installed(name); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo, doas)", doing, service.ErrPermission)
	}
	_, err := m.m.Runner()(ctx, "service", name, "one"+verb)
	return onefile.Refused(err, doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	st, err := m.Status(ctx, s)
	if err != nil || st.State == service.Running {
		return err
	}
	if err := m.call(ctx, name, "start"); err != nil {
		return err
	}
	return onefile.Supervised(ctx, m.m, name, func() (service.Status, error) { return m.Status(ctx, s) })
}

// Stop implements service.Manager. The script waits as long as the service may take.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	name := s.ServiceName()
	if err := m.installed(name); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	st, err := m.Status(ctx, s)
	if err != nil || st.State == service.Stopped {
		return err
	}
	m.m.Waiting(name + " stops")
	if err := m.call(ctx, name, "stop"); err != nil {
		return err
	}
	err = onefile.Await(ctx, 100*time.Millisecond, onefile.Margin, func() (bool, error) {
		st, err := m.Status(ctx, s)
		return st.State == service.Stopped, err
	})
	if errors.Is(err, onefile.ErrLate) {
		return fmt.Errorf("%s is still there after it was stopped", name)
	}
	return err
}

// Restart implements service.Manager.
func (m *Manager) Restart(ctx context.Context, s service.Spec) error {
	return onefile.Restart(ctx, m, s)
}

// Reload implements service.Manager.
func (m *Manager) Reload(ctx context.Context, s service.Spec) error {
	if _, err := onefile.Reloadable(ctx, m, s); err != nil {
		return err
	}
	return m.call(ctx, s.ServiceName(), "reload")
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause("rc.d") }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause("rc.d") }

// Status implements service.Manager. The files with process IDs are root's alone, so
// that the processes are looked at: daemon(8) names in its title what it supervises,
// and which process that is.
func (m *Manager) Status(ctx context.Context, s service.Spec) (service.Status, error) {
	name := s.ServiceName()
	st := service.Status{State: service.NotInstalled, ExitCode: -1}
	if m.installed(name) != nil {
		return st, nil
	}
	out, err := m.m.Runner()(ctx, "ps", "-axww", "-o", "pid=", "-o", "etime=", "-o", "command=")
	if err != nil {
		st.State = service.Unknown
		return st, fmt.Errorf("status of %s: %w", name, err)
	}
	st.State, st.PID, st.Since = find(out, name)
	st.Silent = st.State == service.Failed
	value, err := m.rcvar(ctx, name)
	if err != nil && command.Code(err) == -1 {
		return st, fmt.Errorf("status of %s: %w", name, err)
	}
	st.Start = service.Manual
	if on(value) {
		st.Start = service.Automatic
	}
	return st, nil
}

// on is checkyesno of rc.subr(8).
func on(value string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(value))
}

// find looks for the supervisor and its child in what ps prints. Without a child, it
// waits before the next one.
func find(out, name string) (service.State, int, time.Time) {
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
		since := time.Time{}
		if d, ok := onefile.Elapsed(f[1]); ok {
			since = time.Now().Add(-d).Truncate(time.Second)
		}
		return service.Running, child, since
	}
	return service.Failed, 0, time.Time{}
}

// Logs implements service.Manager.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	return syslogfile.Log{Machine: m.m, Name: s.ServiceName(), File: place(s.ServiceName()).log}.Write(ctx, q, w)
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	name := s.ServiceName()
	found := onefile.Examine(m.m.Tree, place(name).script, s, m.safe)
	if len(found) == 1 {
		return found
	}
	if !s.Root() {
		switch _, exists, err := account.Of(ctx, m.m, s); {
		case err != nil:
			found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: err.Error()})
		case !exists:
			found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: "there is no " + user(s), Remedy: "install the service anew"})
		}
	}
	if value, err := m.rcvar(ctx, name); err == nil && !on(value) {
		found = append(found, service.Finding{
			Level: service.Note, What: "rc.conf", Detail: variable(name) + "_enable is not YES: it does not start with the machine", Remedy: "sysrc " + variable(name) + "_enable=YES",
		})
	}
	return found
}

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	text, _, err := m.m.Tree.Read(place(s.ServiceName()).script)
	return launched(text), err
}

func (m *Manager) belongings(s service.Spec) onefile.Belongings {
	l := place(s.ServiceName())
	return onefile.Belong(m.m.Tree, s, l.dirs, onefile.Folders(l.dirs), l.log)
}
