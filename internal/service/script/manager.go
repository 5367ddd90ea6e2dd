package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
	"github.com/go-glidepath/glidepath/internal/service/system/safe"
)

// Manager is a service.Manager that speaks a Dialect. Tests change its exported fields.
type Manager struct {
	Traits
	dialect Dialect
	machine manage.Machine

	UID     int                                  // of this process
	Safe    func(file string, user bool) error   // is safe.Executable
	Chown   Chown                                // nil is the system's
	OwnerOf func(path string) (uid int, ok bool) // is files.Owner
	Lookup  func(ctx context.Context, name string) (account.Account, bool, error)
}

var _ manage.Manager = (*Manager)(nil)

// New returns the manager of the machine m that speaks d.
func New(m manage.Machine, d Dialect) *Manager {
	return &Manager{
		Traits: d.Traits(), dialect: d, machine: m,
		UID: os.Geteuid(), Safe: safe.Executable, OwnerOf: files.Owner,
		Lookup: func(ctx context.Context, name string) (account.Account, bool, error) {
			return account.Find(ctx, m, name)
		},
	}
}

func (m *Manager) Name() string                    { return m.Traits.Name }
func (m *Manager) Folders(s manage.Spec) dirs.Dirs { return m.dialect.Layout(s).Dirs }

// folders returns those that belong to s.
func (m *Manager) folders(s manage.Spec) []folder {
	all := foldersOf(m.dialect.Layout(s).Dirs)
	if m.User {
		for i := range all {
			all[i].root = false
		}
	}
	return all
}

// made returns the folders of s that install makes.
func (m *Manager) made(s manage.Spec) []folder {
	l := m.dialect.Layout(s)
	return slices.DeleteFunc(m.folders(s), func(f folder) bool { return slices.Contains(l.AtStart, f.path) })
}

// belongings returns those of s. The record is where the operator's files are, on the same
// file system as what makes the init start the service.
func (m *Manager) belongings(s manage.Spec) belongings {
	l := m.dialect.Layout(s)
	record := owned.In(m.machine.Tree, path.Dir(l.Dirs.Configuration), s.ServiceName())
	return belongings{record, m.machine.Tree, s.ServiceName(), m.folders(s), l.Logs, m.User, false}
}

// check refuses what the init cannot install.
func (m *Manager) check(s manage.Spec) error {
	switch {
	case s.User && !m.User:
		return fmt.Errorf("%w: %s has no services of users; install it as a service of the machine, without --user", service.ErrNotSupported, m.Name())
	case s.Template && s.Instance == "":
		return fmt.Errorf("%w: %s is a template, and %s can only install an instance of it: name one (--instance)", manage.ErrConfig, s.Name, m.Name())
	}
	if c, ok := m.dialect.(checker); ok {
		return c.Check(s)
	}
	return nil
}

// planned is what Apply needs of a plan.
type planned struct {
	manager string
	file    file
	todo    any
}

func (m *Manager) Plan(ctx context.Context, s manage.Spec, force bool) (*manage.Plan, error) {
	if err := m.check(s); err != nil {
		return nil, err
	}
	o, err := m.account(ctx, s)
	if err != nil {
		return nil, err
	}
	if k, ok := m.dialect.(keeper); ok {
		s = k.Keep(s)
	}
	text, lacking, err := m.dialect.Render(ctx, s, o)
	if err != nil {
		return nil, err
	}
	p := &manage.Plan{Spec: s}
	if err := checkExecutable(p, m.machine.Tree, m.Safe, force); err != nil {
		return nil, err
	}
	m.planAccount(p, o)
	planFolders(p, m.machine.Tree, m.made(s))
	l := m.dialect.Layout(s)
	f := file{path: l.File, mode: l.Mode, text: text, takesOver: func(old string) ([]string, bool) { return m.dialect.Replaced(old, s, o.Name) }}
	if err := f.compare(p, m.machine.Tree, force); err != nil {
		return nil, err
	}
	if d, ok := m.dialect.(writer); ok {
		if a := &p.Artefacts[len(p.Artefacts)-1]; d.Same(a.Old, s) {
			a.Old = a.New
		}
	}
	if d, ok := m.dialect.(former); ok {
		if err := d.Former(p, o.Name); err != nil {
			return nil, err
		}
	}
	b := m.belongings(s)
	if err := b.Record.Check(p, b.paths(), force); err != nil {
		return nil, err
	}
	todo, err := m.dialect.Plan(ctx, p, func(now bool) bool { return b.Stays(p, now) })
	if err != nil {
		return nil, refused(err, "plan "+s.ServiceName(), m.Sudo)
	}
	b.PlanStart(p)
	p.Warnings = append(p.Warnings, lacking...)
	m.warnOfAccount(p, o)
	p.Private = planned{m.Name(), f, todo}
	return p, nil
}

// root fails if this process may not change services.
func (m *Manager) root(doing string) error {
	if m.User || m.UID == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: run it as root (%s)", doing, service.ErrPermission, m.Sudo)
}

func (m *Manager) Apply(ctx context.Context, p *manage.Plan) error {
	name := p.Spec.ServiceName()
	if err := m.root("install " + name); err != nil {
		if m.Otherwise != "" {
			err = fmt.Errorf("%w, or %s", err, m.Otherwise)
		}
		return err
	}
	todo, ok := p.Private.(planned)
	if !ok || todo.manager != m.Name() {
		return fmt.Errorf("install %s: the plan was not made for %s", name, m.Name())
	}
	c := m.machine.Tree.Begin(name)
	if err := m.apply(ctx, c, p, todo); err != nil {
		return refused(errors.Join(err, c.Undo()), "install "+name, m.Sudo)
	}
	return c.Keep()
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *manage.Plan, todo planned) error {
	s := p.Spec
	m.sweep(c, s)
	o, err := m.ensureAccount(ctx, c, s)
	if err != nil {
		return err
	}
	b := m.belongings(s)
	if err := b.Write(c, p); err != nil {
		return err
	}
	if err := makeFolders(c, m.machine.Tree, m.made(s), o, m.Chown); err != nil {
		return err
	}
	if d, ok := m.dialect.(preparer); ok {
		giveFile := func(file string) error { return give(m.machine.Tree.Path(file), file, o.UID, o.GID, m.Chown) }
		if err := d.Prepare(ctx, c, p, giveFile, todo.todo); err != nil {
			return err
		}
	}
	if err := m.write(ctx, c, p, todo.file); err != nil {
		return err
	}
	if err := m.dialect.Register(ctx, c, p, todo.todo); err != nil {
		return err
	}
	return b.SetStart(c, s.StartType)
}

// write writes the file of a service. One that is as it is to be keeps its time: OpenRC looks
// at that.
func (m *Manager) write(ctx context.Context, c *files.Change, p *manage.Plan, f file) error {
	if d, ok := m.dialect.(writer); ok {
		return d.Write(ctx, c, p)
	}
	if old, exists, err := m.machine.Tree.Read(f.path); err == nil && exists && old == f.text {
		return nil
	}
	return c.Write(f.path, f.text, f.mode)
}

// places returns a path in each folder where an installation of s makes files.
func (m *Manager) places(s manage.Spec) []string {
	if d, ok := m.dialect.(sweeper); ok {
		return d.Places(s)
	}
	return append(m.dialect.Registered(s), m.dialect.Layout(s).File)
}

// sweep removes what a command that was killed has left in these folders.
func (m *Manager) sweep(c *files.Change, s manage.Spec) {
	for _, p := range m.places(s) {
		c.Sweep(path.Dir(p))
	}
}

func (m *Manager) Remove(ctx context.Context, s manage.Spec, purge bool) ([]string, error) {
	doing := "remove " + s.ServiceName()
	b := m.belongings(s)
	err := m.removable(ctx, s, doing)
	if errors.Is(err, service.ErrNotInstalled) {
		if d, ok := m.dialect.(sweeper); ok {
			d.RemoveRemains(s)
		}
		m.sweep(m.machine.Tree.Begin(s.ServiceName()), s)
		if b.Left(purge) { // it was uninstalled, and has left this
			b.gone = true
			removed, err := b.Purge(ctx, m.machine)
			return removed, refused(err, doing, m.Sudo)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := m.root(doing); err != nil {
		return nil, err
	}
	if err := b.Removable(purge, append(m.dialect.Registered(s), m.dialect.Layout(s).File)...); err != nil {
		return nil, refused(err, doing, m.Sudo)
	}
	if err := m.halt(ctx, s); err != nil {
		return nil, err
	}
	removed, err := m.unregister(ctx, s)
	if err != nil {
		return removed, refused(err, doing, m.Sudo)
	}
	if !purge {
		return removed, b.Forget()
	}
	gone, err := b.Purge(ctx, m.machine)
	return append(removed, gone...), refused(err, doing, m.Sudo)
}

// unregister removes the file of s, and what the init was told of it.
func (m *Manager) unregister(ctx context.Context, s manage.Spec) ([]string, error) {
	c := m.machine.Tree.Begin(s.ServiceName())
	m.sweep(c, s)
	if err := m.belongings(s).DropStart(c); err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	removed, err := m.dialect.Unregister(ctx, c, s)
	if err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	return removed, c.Keep()
}

// removable fails if s is not installed, or its file belongs to another program.
func (m *Manager) removable(ctx context.Context, s manage.Spec, doing string) error {
	l := m.dialect.Layout(s)
	f := file{path: l.File, takesOver: func(old string) ([]string, bool) { return m.dialect.Replaced(old, s, "root") }}
	err := f.removable(m.machine.Tree, doing)
	if errors.Is(err, service.ErrNotInstalled) {
		if loaded, failed := m.loaded(ctx, s); loaded || failed != nil {
			return refused(failed, doing, m.Sudo)
		}
	}
	return err
}

// loaded reports whether the init knows s without its file.
func (m *Manager) loaded(ctx context.Context, s manage.Spec) (bool, error) {
	if d, ok := m.dialect.(loader); ok {
		return d.Loaded(ctx, s)
	}
	return false, nil
}

// installed returns the file of s, "" if the init knows s without it.
func (m *Manager) installed(ctx context.Context, s manage.Spec) (text string, err error) {
	l := m.dialect.Layout(s)
	text, exists, err := m.machine.Tree.Read(l.File)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%w to read %s: run it as root (%s)", service.ErrPermission, l.File, m.Sudo)
	case err != nil || exists:
		return text, err
	}
	if loaded, err := m.loaded(ctx, s); loaded || err != nil {
		return "", err
	}
	return "", service.ErrNotInstalled
}
