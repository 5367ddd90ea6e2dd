package kardianos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	s := p.Spec
	doing := "install " + s.ServiceName()
	if m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	if err := m.legal(s); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if !p.Artefacts[0].Changed() { // kardianos/service would refuse to write what is there
		return nil
	}
	return onefile.Install(m.m.Tree, s.ServiceName(), func(c *files.Change) error { return m.apply(ctx, c, p) })
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan) error {
	s := p.Spec
	name := s.ServiceName()
	late := context.WithoutCancel(ctx)
	k, err := m.open(m.system, m.config(s))
	if err != nil {
		return err
	}
	owner, err := onefile.Account(ctx, m.m, c, s, s.Account, " (useradd)")
	if err != nil {
		return err
	}
	if err := m.belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, onefile.Folders(folders(name)), owner, m.chown); err != nil {
		return err
	}
	if m.system == src && m.m.Tree.Exists(m.file(name)) {
		st, err := m.Status(ctx, s)
		if err != nil {
			return err
		}
		if st.State != service.Stopped {
			return fmt.Errorf("it is %s, and AIX changes nothing that runs: stop it first", st.State)
		}
		if err := m.unregister(ctx, c, name); err != nil {
			return err
		}
	}
	// It refuses to write a file that is there, and links as well.
	for _, path := range slices.Backward(m.paths(name)) {
		if err := c.Remove(path); err != nil {
			return err
		}
	}
	c.Call(func() error { // whatever it has made before it failed
		var errs []error
		if m.system == src {
			_, err := m.m.Runner()(late, "rmssys", "-s", name)
			_ = err // it may not have come so far
		}
		for _, path := range m.paths(name) {
			if m.m.Tree.Exists(path) {
				errs = append(errs, os.Remove(m.m.Tree.Path(path)))
			}
		}
		return errors.Join(errs...)
	})
	if err := k.Install(); err != nil {
		return fmt.Errorf("kardianos/service: %w", err)
	}
	text, exists, err := m.m.Tree.Read(m.file(name))
	if err != nil || !exists || text == "" {
		return errors.Join(fmt.Errorf("kardianos/service says that it has written %s, but it is not there, or empty", m.file(name)), err)
	}
	return nil
}

// unregister removes the subsystem, and has it made again if what follows fails.
func (m *Manager) unregister(ctx context.Context, c *files.Change, name string) error {
	out, err := m.m.Runner()(ctx, "odmget", "-q", "subsysname="+name, "SRCsubsys")
	if err != nil {
		return err
	}
	path, args := odm(out, "path"), odm(out, "cmdargs")
	c.Call(func() error {
		_, err := m.m.Runner()(context.WithoutCancel(ctx), "mkssys", "-s", name, "-p", path, "-a", args, "-u", "0", "-R", "-Q", "-S", "-n", "15", "-f", "9", "-d", "-w", "30")
		return err
	})
	_, err = m.m.Runner()(ctx, "rmssys", "-s", name)
	return err
}

// odm reads an attribute of what odmget prints: name = "value".
func odm(out, name string) string {
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if ok && key == name {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// Remove implements service.Manager. Uninstall of kardianos/service is not used: on AIX
// it fails for what does not run, and leaves the links of the runlevels.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	doing := "remove " + name
	f := onefile.File{Path: m.file(name), Theirs: m.theirs(name)}
	switch err := f.Removable(m.m.Tree, doing); {
	case m.belongings(s).Left(err, purge, m.paths(name)...): // it was uninstalled, and has left this
		removed, err := m.purge(ctx, s, m.belongings(s).Gone())
		return removed, onefile.Refused(err, doing)
	case err != nil:
		return nil, err
	}
	if m.uid != 0 {
		return nil, fmt.Errorf("%s: %w: run it as root (sudo)", doing, service.ErrPermission)
	}
	if err := m.belongings(s).Removable(purge, m.paths(name)...); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if err := onefile.Halt(ctx, m, s); err != nil {
		return nil, err
	}
	c := m.m.Tree.Begin(name)
	if m.system == src {
		if err := m.unregister(ctx, c, name); err != nil {
			return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
		}
	}
	for _, path := range slices.Backward(m.paths(name)) {
		if err := c.Remove(path); err != nil {
			return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
		}
	}
	removed := slices.Clone(c.Done)
	if err := c.Keep(); err != nil || !purge {
		return removed, errors.Join(err, m.belongings(s).Forget())
	}
	gone, err := m.purge(ctx, s, m.belongings(s))
	return append(removed, gone...), onefile.Refused(err, doing)
}

func (m *Manager) belongings(s service.Spec) onefile.Belongings {
	d := folders(s.ServiceName())
	return onefile.Belong(m.m.Tree, s, d, onefile.Folders(d))
}

func (m *Manager) purge(ctx context.Context, s service.Spec, b onefile.Belongings) ([]string, error) {
	if m.system == src {
		return b.Purge() // it has no account
	}
	return onefile.PurgeAll(ctx, m.m, s, b)
}
