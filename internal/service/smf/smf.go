// Package smf installs services of Solaris and illumos.
//
// svcadm enable starts a service and has it started with the machine, both. Here they
// are two things: what happens now is asked for with -t, which lasts until the machine
// stops, and what happens then stands in general/enabled.
package smf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// noaccess is who runs a service without an account. Other services that run as
// noaccess can read its files, so that a warning says so.
const noaccess = "noaccess"

// Manager is the service.Manager of Solaris.
type Manager struct {
	m     service.Machine
	uid   int
	safe  func(file string, user bool) error
	ids   func(account string) (onefile.Owner, error)
	chown onefile.Chown
}

// New returns the manager of services of the machine m; users have no SMF of their own.
func New(m service.Machine) *Manager {
	return &Manager{m: m, uid: os.Geteuid(), safe: safe.Executable, ids: ids}
}

func ids(account string) (onefile.Owner, error) {
	u, err := user.Lookup(account)
	if err != nil {
		return onefile.Owner{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return onefile.Owner{UID: uid, GID: gid}, errors.Join(err1, err2)
}

// Name implements service.Manager.
func (m *Manager) Name() string { return "SMF" }

// folders are those of the service. /var/run is empty after each start of the machine,
// and nobody makes a folder there before the service starts.
func folders(name string) dirs.Dirs {
	d := dirs.System("solaris", name, os.Getenv)
	d.Runtime = d.State + "/runtime"
	return d
}

func account(s service.Spec) string {
	return onefile.User(s, noaccess)
}

func manifest(name string) string { return "/lib/svc/manifest/site/" + name + ".xml" }

func file(s service.Spec) onefile.File {
	return onefile.File{Path: manifest(s.ServiceName()), Mode: 0o644, Text: render(s, account(s), folders(s.ServiceName()))}
}

// theirs is where kardianos/service v1.3.0 has its manifest, and what it is called.
func theirs(name string) (file, fmri string) {
	return "/lib/svc/manifest/application/" + name + ".xml", "svc:/application/" + name
}

// kardianos returns the manifest of kardianos/service v1.3.0 for that name, "" if there
// is none.
func (m *Manager) kardianos(name string) (string, error) {
	path, _ := theirs(name)
	text, _, err := m.m.Tree.Read(path)
	if err != nil || !strings.Contains(text, "<service_bundle type='manifest' name='golang-"+name+"'>") {
		return "", err
	}
	return text, nil
}

// Plan implements service.Manager.
func (m *Manager) Plan(ctx context.Context, s service.Spec, force bool) (*service.Plan, error) {
	if err := onefile.CheckXML(s); err != nil {
		return nil, err
	}
	if err := fits(s); err != nil {
		return nil, err
	}
	name := s.ServiceName()
	p := &service.Plan{Spec: s}
	if err := onefile.CheckExecutable(p, m.m.Tree, m.safe, force); err != nil {
		return nil, err
	}
	if err := file(s).Compare(p, m.m.Tree, force); err != nil {
		return nil, err
	}
	onefile.PlanFolders(p, m.m.Tree, onefile.Folders(folders(name)))
	old, present, err := m.enabled(ctx, s)
	if err != nil {
		return nil, err
	}
	enable := strconv.FormatBool(!onefile.ByHand(s))
	if m.belongings(s).Stays(p, old == "true") {
		enable = strconv.FormatBool(old == "true")
	}
	m.belongings(s).PlanStart(p)
	p.Private = enable
	p.Artefacts = append(p.Artefacts, service.Artefact{
		Name: fmri(s) + " general/enabled", Old: old, New: enable, Present: present, Wanted: true,
	})
	p.Calls = []string{
		"svccfg validate " + manifest(name), "svccfg import " + manifest(name),
		"svccfg -s " + fmri(s) + " setprop general/enabled = boolean: " + enable,
	}
	text, err := m.kardianos(name)
	if err != nil {
		return nil, err
	}
	if text != "" {
		path, their := theirs(name)
		p.Replaces, p.Installed = "kardianos/service", true
		p.Warnings = append(p.Warnings, lost(text, s, account(s))...)
		p.Artefacts = append(p.Artefacts, service.Artefact{Name: path, Mode: "0644", Old: text, Present: true})
		p.Calls = append([]string{"svcadm disable -s " + their + ":default", "svccfg delete -f " + their}, p.Calls...)
	}
	if err := m.belongings(s).Check(p, force); err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, onefile.Lacks("SMF", s, "Dependencies", "Limits.OpenFiles", "Hardening.Profile", "Hardening.Profile LowPorts", "Recovery.Delays")...)
	if !s.Recovery.Never {
		p.Warnings = append(p.Warnings, "Recovery.Delays: SMF has none; it restarts it at once, and gives it up (maintenance) when that happens too often")
	} else {
		p.Warnings = append(p.Warnings, "Recovery.Never: SMF restarts it all the same")
	}
	if h := s.Hardening.Profile; h != service.None && h != service.Lenient && !s.Root() {
		p.Warnings = append(p.Warnings, "Hardening.Profile: SMF has no sandbox; what it has is an account, fewer privileges, a umask and the folders")
	}
	if owner, err := m.ids(account(s)); err == nil {
		p.Warnings = append(p.Warnings, onefile.Strangers(m.m.Tree, onefile.Folders(folders(name)), account(s), owner.UID)...)
	}
	if s.Account == "" {
		p.Warnings = append(p.Warnings, "Account: none is made here; it runs as noaccess, and other services that do can read its files")
	}
	return p, nil
}

// enabled is whether the service starts with the machine, as SMF has it now.
func (m *Manager) enabled(ctx context.Context, s service.Spec) (value string, present bool, err error) {
	out, err := m.m.Runner()(ctx, "svcprop", "-p", "general/enabled", fmri(s))
	if command.Code(err) > 0 {
		return "", false, nil // there is no such service
	}
	return strings.TrimSpace(out), err == nil, err
}

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	doing := "install " + p.Spec.ServiceName()
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (pfexec, sudo)", doing, service.ErrPermission)
	}
	enable, ok := p.Private.(string)
	if !ok {
		return errors.New("smf: the plan is of another manager")
	}
	return onefile.Install(m.m.Tree, p.Spec.ServiceName(), func(c *files.Change) error { return m.apply(ctx, c, p, enable) })
}

func (m *Manager) run(ctx context.Context, name string, args ...string) error {
	_, err := m.m.Runner()(ctx, name, args...)
	return err
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, enable string) error {
	s := p.Spec
	name := s.ServiceName()
	late := context.WithoutCancel(ctx)
	owner, err := m.ids(account(s))
	if err != nil {
		return fmt.Errorf("there is no account %s; make it first (useradd): %w", account(s), err)
	}
	if err := m.belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, onefile.Folders(folders(name)), owner, m.chown); err != nil {
		return err
	}
	if err := m.takeOver(ctx, c, name); err != nil {
		return err
	}
	old, present, err := m.enabled(ctx, s)
	if err != nil {
		return err
	}
	f := file(s)
	where := m.m.Tree.Path(f.Path)
	imported := false
	c.Call(func() error { // comes after the file is as it was
		switch {
		case !imported:
			return nil
		case !present:
			return m.run(late, "svccfg", "delete", "-f", "svc:/"+path(s))
		}
		return errors.Join(m.run(late, "svccfg", "import", where), m.setEnabled(late, s, old))
	})
	if err := c.Write(f.Path, f.Text, f.Mode); err != nil {
		return err
	}
	if err := m.run(ctx, "svccfg", "validate", where); err != nil {
		return err
	}
	if present {
		if err := m.hold(ctx, s); err != nil {
			return err
		}
	}
	imported = true
	if err := m.run(ctx, "svccfg", "import", where); err != nil {
		return err
	}
	if !present {
		if err := m.run(ctx, "svcadm", "disable", "-t", fmri(s)); err != nil {
			return err
		}
	}
	if err := m.setEnabled(ctx, s, enable); err != nil {
		return err
	}
	return m.belongings(s).SetStart(c, s.Start)
}

// hold has the service go on as now, whatever it is to do later.
func (m *Manager) hold(ctx context.Context, s service.Spec) error {
	verb := "disable"
	if st, err := m.Status(ctx, s); err != nil {
		return err
	} else if st.State == service.Running || st.State == service.Starting {
		verb = "enable"
	}
	return m.run(ctx, "svcadm", verb, "-t", fmri(s))
}

func (m *Manager) setEnabled(ctx context.Context, s service.Spec, value string) error {
	return m.run(ctx, "svccfg", "-s", fmri(s), "setprop", "general/enabled", "=", "boolean:", value)
}

// takeOver removes the service of kardianos/service of that name, which has another
// name to SMF and would run beside ours.
func (m *Manager) takeOver(ctx context.Context, c *files.Change, name string) error {
	text, err := m.kardianos(name)
	if err != nil || text == "" {
		return err
	}
	path, their := theirs(name)
	late := context.WithoutCancel(ctx)
	state, err := m.m.Runner()(ctx, "svcs", "-H", "-o", "state", their+":default")
	if err != nil && command.Code(err) <= 0 {
		return err
	}
	if err == nil {
		c.Call(func() error {
			errs := []error{m.run(late, "svccfg", "import", m.m.Tree.Path(path))}
			if strings.HasPrefix(state, "online") {
				errs = append(errs, m.run(late, "svcadm", "enable", their+":default"))
			}
			return errors.Join(errs...)
		})
		if err := m.run(ctx, "svcadm", "disable", "-s", their+":default"); err != nil {
			return err
		}
		if err := m.run(ctx, "svccfg", "delete", "-f", their); err != nil {
			return err
		}
	}
	return c.Remove(path)
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	doing := "remove " + name
	switch err := file(s).Removable(m.m.Tree, doing); {
	case m.belongings(s).Left(err, purge, manifest(name)): // it was uninstalled, and has left this
		removed, err := m.belongings(s).Gone().Purge()
		return removed, onefile.Refused(err, doing)
	case err != nil:
		return nil, err
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (pfexec, sudo)", doing, service.ErrPermission)
	}
	if err := m.belongings(s).Removable(purge, manifest(name)); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(name)
	if err := errors.Join(m.belongings(s).DropStart(c), c.Remove(manifest(name))); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	if err := m.run(ctx, "svccfg", "delete", "-f", "svc:/"+path(s)); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	removed := append(slices.Clone(c.Done), "svc:/"+path(s))
	if err := c.Keep(); err != nil || !purge {
		return removed, errors.Join(err, m.belongings(s).Forget())
	}
	gone, err := m.belongings(s).Purge()
	return append(removed, gone...), onefile.Refused(err, doing)
}

// admin runs svcadm for an installed service.
func (m *Manager) admin(ctx context.Context, s service.Spec, doing string, args ...string) error {
	doing += " " + s.ServiceName()
	if !m.m.Tree.Exists(manifest(s.ServiceName())) {
		return fmt.Errorf("%s: %w", doing, service.ErrNotInstalled)
	}
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (pfexec, sudo)", doing, service.ErrPermission)
	}
	return onefile.Refused(m.run(ctx, "svcadm", append(args, fmri(s))...), doing)
}

// Start implements service.Manager.
func (m *Manager) Start(ctx context.Context, s service.Spec) error {
	st, err := m.Status(ctx, s)
	if err != nil || st.State == service.Running {
		return err
	}
	if st.Detail == "maintenance" { // until somebody says that it was looked after
		if err := m.admin(ctx, s, "start", "clear"); err != nil {
			return err
		}
	}
	if err := m.admin(ctx, s, "start", "enable", "-t"); err != nil {
		return err
	}
	return onefile.Supervised(ctx, m.m, s.ServiceName(), func() (service.Status, error) { return m.Status(ctx, s) })
}

// Stop implements service.Manager. svcadm waits, and SMF kills after the budget.
func (m *Manager) Stop(ctx context.Context, s service.Spec) error {
	m.m.Waiting(s.ServiceName() + " stops")
	return m.admin(ctx, s, "stop", "disable", "-s", "-t")
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
	return m.admin(ctx, s, "reload", "refresh")
}

// Pause implements service.Manager.
func (m *Manager) Pause(context.Context, service.Spec) error { return onefile.NoPause("SMF") }

// Continue implements service.Manager.
func (m *Manager) Continue(context.Context, service.Spec) error { return onefile.NoPause("SMF") }

// Status implements service.Manager.
func (m *Manager) Status(ctx context.Context, s service.Spec) (service.Status, error) {
	st := service.Status{State: service.NotInstalled, ExitCode: -1}
	if !m.m.Tree.Exists(manifest(s.ServiceName())) {
		return st, nil
	}
	out, err := m.m.Runner()(ctx, "svcprop", "-p", "restarter", "-p", "general/enabled", fmri(s))
	if command.Code(err) > 0 {
		st.State, st.Detail = service.Stopped, "SMF does not know "+fmri(s)
		return st, nil
	}
	if err != nil {
		st.State = service.Unknown
		return st, fmt.Errorf("status of %s: %w", s.ServiceName(), err)
	}
	read(&st, out)
	return st, nil
}

// read takes what svcprop prints of the restarter: a property a line, with its type.
func read(st *service.Status, out string) {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) >= 3 {
			values[f[0]] = f[2]
		}
	}
	state, next := values["restarter/state"], values["restarter/next_state"]
	st.Detail = state
	switch {
	case state == "online" && (next == "disabled" || next == "offline"):
		st.State = service.Stopping
	case state == "online" || state == "degraded":
		st.State = service.Running
	case state == "maintenance":
		st.State = service.Failed
	case next == "online" || state == "offline":
		st.State = service.Starting
	case state == "disabled" || state == "uninitialized":
		st.State = service.Stopped
	default:
		st.State = service.Unknown
	}
	if st.State == service.Running {
		st.PID, _ = strconv.Atoi(values["restarter/start_pid"])
	}
	if seconds, _, ok := strings.Cut(values["restarter/state_timestamp"], "."); ok {
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
			st.Since = time.Unix(n, 0)
		}
	}
	st.Start = service.Manual
	if values["general/enabled"] == "true" {
		st.Start = service.Automatic
	}
}

// Logs implements service.Manager. svc.startd has a file for each service.
func (m *Manager) Logs(ctx context.Context, s service.Spec, q service.LogQuery, w io.Writer) error {
	file := "/var/svc/log/" + strings.ReplaceAll(path(s), "/", "-") + ":default.log"
	return onefile.Log(ctx, m.m.Tree, file, q, w)
}

// Diagnose implements service.Manager.
func (m *Manager) Diagnose(ctx context.Context, s service.Spec) []service.Finding {
	found := onefile.Examine(m.m.Tree, manifest(s.ServiceName()), s, m.safe)
	if len(found) == 1 {
		return found
	}
	if _, err := m.ids(account(s)); err != nil {
		found = append(found, service.Finding{Level: service.Problem, What: "account", Detail: "there is no " + account(s), Remedy: "make it, and install the service anew"})
	}
	st, err := m.Status(ctx, s)
	switch {
	case err != nil:
		found = append(found, service.Finding{Level: service.Warning, What: "SMF", Detail: err.Error()})
	case st.State == service.Failed:
		found = append(found, service.Finding{Level: service.Problem, What: "SMF", Detail: "it is in maintenance: it has failed too often, or its method has", Remedy: "see svcs -xv " + fmri(s) + " and the log; start clears it"})
	case st.State == service.Starting:
		found = append(found, service.Finding{Level: service.Note, What: "SMF", Detail: "it waits for what it depends upon, or starts", Remedy: "see svcs -xv " + fmri(s)})
	}
	return found
}

// Launches implements service.Launcher.
func (m *Manager) Launches(_ context.Context, s service.Spec) (string, error) {
	text, _, err := m.m.Tree.Read(manifest(s.ServiceName()))
	return launched(text), err
}

func (m *Manager) belongings(s service.Spec) onefile.Belongings {
	d := folders(s.ServiceName())
	return onefile.Belong(m.m.Tree, s, d, onefile.Folders(d))
}
