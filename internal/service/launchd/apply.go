package launchd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// Apply implements service.Manager.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	s := p.Spec
	name := s.ServiceName()
	l := m.layout(name)
	doing := "install " + name
	if !m.user && m.uid != 0 {
		return fmt.Errorf("%s: %w: run it as root (sudo), or install it for yourself alone (--user)", doing, service.ErrPermission)
	}
	owner := onefile.Owner{UID: m.uid, GID: os.Getgid()}
	if account := m.account(s); account != "" {
		var err error
		if owner, err = m.ids(account); err != nil {
			return fmt.Errorf("%s: there is no account %s; make it first: %w", doing, account, err)
		}
	}
	enable, ok := p.Private.(bool)
	if !ok {
		return errors.New("launchd: the plan is of another manager")
	}
	return onefile.Install(m.m.Tree, name, func(c *files.Change) error {
		if err := m.apply(ctx, c, p, l, owner, enable); err != nil {
			return err
		}
		return m.belongings(s).SetStart(c, s.Start)
	})
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, l layout, owner onefile.Owner, enable bool) error {
	s := p.Spec
	if err := m.belongings(s).Write(c, p); err != nil {
		return err
	}
	if err := onefile.Make(c, m.m.Tree, m.folders(l), owner, m.chown); err != nil {
		return err
	}
	if !m.m.Tree.Exists(l.log) {
		if err := c.Write(l.log, "", 0o600); err != nil {
			return err
		}
		if err := onefile.Give(m.m.Tree, l.log, owner, m.chown); err != nil {
			return err
		}
	}
	f := m.file(s, l)
	if err := c.Write(f.Path, f.Text, f.Mode); err != nil {
		return err
	}
	domain := m.domain(ctx)
	was, err := m.disabled(ctx, domain, s.ServiceName())
	if err != nil {
		return err
	}
	c.Call(func() error { return m.enable(context.WithoutCancel(ctx), domain, s.ServiceName(), !was) })
	return m.enable(ctx, domain, s.ServiceName(), enable)
}

func (m *Manager) enable(ctx context.Context, domain, name string, enabled bool) error {
	_, err := m.launchctl(ctx, enabling(enabled), domain+"/"+name)
	return err
}

// disabled reports whether launchd is told not to load the service.
func (m *Manager) disabled(ctx context.Context, domain, name string) (bool, error) {
	out, err := m.launchctl(ctx, "print-disabled", domain)
	if err != nil {
		return false, err
	}
	return disabledIn(out, name), nil
}

// Remove implements service.Manager.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) ([]string, error) {
	name := s.ServiceName()
	l := m.layout(name)
	doing := "remove " + name
	domain := m.domain(ctx)
	j, err := m.print(ctx, domain, name)
	if err != nil {
		return nil, onefile.Refused(err, doing)
	}
	text, exists, err := m.m.Tree.Read(l.plist)
	if err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if !exists && !j.loaded {
		if gone := fmt.Errorf("%s: %w", doing, service.ErrNotInstalled); !m.belongings(s).Left(gone, purge, l.plist) {
			return nil, gone
		}
		removed, err := m.belongings(s).Gone().Purge() // it was uninstalled, and has left this
		return removed, onefile.Refused(err, doing)
	}
	if exists && !service.Marked(text) && !kardianos(text) {
		return nil, fmt.Errorf("%s: %s %w; remove it by hand", doing, l.plist, service.ErrForeign)
	}
	if err := m.belongings(s).Removable(purge, l.plist); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	if err := onefile.Asked(ctx, m.bootout(ctx, domain, name, text)); err != nil {
		return nil, onefile.Refused(err, doing)
	}
	c := m.m.Tree.Begin(name)
	if err := errors.Join(m.belongings(s).DropStart(c), c.Remove(l.plist)); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	removed := slices.Clone(c.Done)
	// What is remembered of a name that is gone would count for the next of that name.
	if err := m.enable(ctx, domain, name, true); err != nil {
		return nil, onefile.Refused(errors.Join(err, c.Undo()), doing)
	}
	if err := c.Keep(); err != nil {
		return removed, err
	}
	if !purge {
		return removed, m.belongings(s).Forget()
	}
	gone, err := m.belongings(s).Purge()
	return append(removed, gone...), onefile.Refused(err, doing)
}

func (m *Manager) belongings(s service.Spec) onefile.Belongings {
	l := m.layout(s.ServiceName())
	b := s
	b.User = m.user
	return onefile.Belong(m.m.Tree, b, l.dirs, m.folders(l), l.log)
}
