package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// undoTimeout is how long taking something back may take. It does not depend on the
// context of what has failed, which may have been what failed it.
const undoTimeout = 30 * time.Second

// Apply writes the unit files, has systemd read them and enables what starts by
// itself. What runs goes on as it was started until it is restarted; but sockets that
// the service does not have any more are closed.
func (m *Manager) Apply(ctx context.Context, p *service.Plan) error {
	todo, ok := p.Private.(private)
	if !ok {
		return errors.New("the plan is not one of systemd")
	}
	c := m.machine.Tree.Begin(p.Spec.ServiceName())
	if err := m.apply(ctx, c, p, todo); err != nil {
		return withUndo(m.filed(err), c.Undo())
	}
	m.closeLeftovers(ctx, todo)
	m.reopen(ctx, p, todo)
	if err := c.Keep(); err != nil {
		p.Warnings = append(p.Warnings, fmt.Sprintf("not all that was kept of the old files is removed: %v", err))
	}
	return nil
}

// withUndo is err, and that not all could be taken back.
func withUndo(err, undo error) error {
	if undo == nil {
		return err
	}
	return fmt.Errorf("%w; and this could not be taken back: %s", err, oneLine(undo.Error()))
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, todo private) error {
	// Undo comes to these last, when the old files are back; and they have nothing to do
	// if nothing was done, as for want of rights.
	touched := false
	later := func(args ...string) {
		c.Call(func() error {
			if !touched {
				return nil
			}
			return m.undo(args...)
		})
	}
	later("daemon-reload")
	for _, l := range todo.links {
		if l.had && l.verb() != "" {
			later("reenable", "--", l.unit)
		}
	}
	for _, l := range todo.links {
		if l.stop && l.had { // its links are found while its file is there
			if _, err := m.systemctl(ctx, "disable", "--", l.unit); err != nil {
				return err
			}
			touched = true
		}
	}
	dir, err := m.folder()
	if err != nil {
		return err
	}
	c.Sweep(dir)
	for _, f := range todo.files {
		if err := write(c, f); err != nil {
			return err
		}
		touched = touched || f.Changed()
	}
	if err := m.owned(todo.spec, dir).Write(c, p); err != nil {
		return err
	}
	if todo.config.Wanted && !todo.config.Present {
		if err := c.Mkdir(todo.config.Name, 0o755); err != nil {
			return err
		}
	}
	if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	if err := m.loads(ctx, todo.spec); err != nil {
		return err
	}
	if err := m.link(ctx, c, todo.links); err != nil || which(todo.spec) != nil {
		return err
	}
	return m.owned(todo.spec, dir).SetStart(c, todo.spec.Start)
}

// link enables and disables units.
func (m *Manager) link(ctx context.Context, c *files.Change, links []link) error {
	for _, l := range links {
		verb := l.verb()
		if verb == "" || l.stop {
			continue
		}
		if !l.had {
			c.Call(func() error { return m.undo("disable", "--", l.unit) })
		}
		if _, err := m.systemctl(ctx, verb, "--", l.unit); err != nil {
			return err
		}
	}
	return nil
}

// undo has systemd take something back.
func (m *Manager) undo(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	_, err := m.systemctl(ctx, args...)
	return err
}

func write(c *files.Change, f file) error {
	if !f.Changed() {
		return nil
	}
	if f.displace || !f.Wanted {
		if err := c.Remove(f.Name); err != nil {
			return err
		}
	}
	if !f.Wanted {
		return nil
	}
	mode, err := strconv.ParseUint(f.Mode, 8, 32)
	if err != nil {
		return err
	}
	return c.Write(f.Name, f.New, fs.FileMode(mode))
}

// loads makes sure that systemd understands what it was given.
func (m *Manager) loads(ctx context.Context, s service.Spec) error {
	if which(s) != nil {
		return nil
	}
	u, sockets, err := m.show(ctx, s)
	if err != nil {
		return err
	}
	for _, u := range append(sockets, u) {
		if u["LoadState"] != "loaded" {
			return fmt.Errorf("systemd does not take %s: %s; systemd-analyze verify says more about it", u["Id"], u.loadError())
		}
	}
	return nil
}

// closeLeftovers stops sockets whose files are gone. What fails here has no
// consequence but that they are open until the machine starts again.
func (m *Manager) closeLeftovers(ctx context.Context, todo private) {
	for _, l := range todo.links {
		if l.stop {
			_, _ = m.systemctl(ctx, "stop", "--", l.unit)
		}
	}
}

// reopen has sockets listen where their new files say, if nobody has them: systemd has
// closed what does not listen there. Those of a service that runs wait for its restart.
func (m *Manager) reopen(ctx context.Context, p *service.Plan, todo private) {
	for _, l := range todo.links {
		switch {
		case !l.active || !l.again || l.stop:
		case todo.runs:
			p.Warnings = append(p.Warnings, l.unit+" listens as its new file says after a restart of the service")
		default:
			if _, err := m.systemctl(ctx, "restart", "--", l.unit); err != nil {
				p.Warnings = append(p.Warnings, fmt.Sprintf("%s does not listen: %v", l.unit, err))
			}
		}
	}
}

// Remove stops the service and its sockets, disables them and removes their files. The
// files of a template stay while it has other instances. With purge, what the service
// has kept goes as well: its directories, also that of its configuration.
func (m *Manager) Remove(ctx context.Context, s service.Spec, purge bool) (removed []string, err error) {
	dir, err := m.folder()
	if err != nil {
		return nil, err
	}
	record := m.owned(s, dir)
	switch err := m.ours(s, dir); {
	case errors.Is(err, service.ErrNotInstalled):
		return m.finish(ctx, s, dir, purge, err)
	case err != nil:
		return nil, err
	}
	units, err := m.socketFiles(s, dir)
	if err != nil {
		return nil, err
	}
	units = append(units, serviceUnit(s))
	shared, err := m.instances(ctx, s, dir)
	if err != nil {
		return nil, err
	}
	if len(shared) > 0 && which(s) != nil {
		return nil, fmt.Errorf("%s has instances: uninstall %s first", s.Name, strings.TrimSuffix(shared[0], ".service"))
	}
	r := m.removal(s, dir, units, len(shared) > 0)
	if err := r.removable(record, purge); err != nil {
		return nil, m.filed(err)
	}
	if removed, err = m.erase(ctx, r, record, dir); err != nil {
		return nil, err
	}
	if which(s) == nil {
		_, _ = m.systemctl(ctx, "reset-failed", "--", unit(s)) // it fails where there is nothing to reset
	}
	gone, err := m.clear(s, record, purge, true)
	return append(removed, gone...), err
}

// ours makes sure that there is a service, and that it is ours to remove.
func (m *Manager) ours(s service.Spec, dir string) error {
	file := path.Join(dir, serviceUnit(s))
	text, exists, err := m.machine.Tree.Read(file)
	switch {
	case !exists && err == nil:
		for _, other := range m.others() {
			if at := path.Join(other, serviceUnit(s)); m.machine.Tree.Exists(at) {
				return fmt.Errorf("%s: %w", at, service.ErrForeign)
			}
		}
		return service.ErrNotInstalled
	case exists && err != nil && m.machine.Tree.Link(file) != "":
		return fmt.Errorf("%s is a link: %w", file, service.ErrForeign)
	case err != nil:
		return m.filed(err)
	case !service.Marked(text) && !kardianos(text, s.Name):
		return fmt.Errorf("%s was not made by this program: %w", file, service.ErrForeign)
	}
	return nil
}

// instances are the other instances of a template that run, or start by themselves.
func (m *Manager) instances(ctx context.Context, s service.Spec, dir string) ([]string, error) {
	if !s.Template {
		return nil, nil
	}
	out, err := m.systemctl(ctx, "list-units", "--all", "--plain", "--no-legend", "--full", "--", s.Name+"@*.service")
	if err != nil {
		return nil, err
	}
	return m.otherInstances(s, dir, out), nil
}
