package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// undoTimeout limits how long each step of an undo may take. An undo has a context of its
// own, because the failure may have been the end of the caller's.
const undoTimeout = 30 * time.Second

// Apply writes the unit files, makes systemd read them and enables what starts automatically.
// A running service runs on unchanged until it is restarted, but sockets that it no longer
// has are closed.
func (m *Manager) Apply(ctx context.Context, p *manage.Plan) error {
	todo, ok := p.Private.(changes)
	if !ok {
		return errors.New("the plan was not made for systemd")
	}
	c := m.machine.Tree.Begin(p.Spec.ServiceName())
	if err := m.apply(ctx, c, p, todo); err != nil {
		return withUndo(m.fileError(err), c.Undo())
	}
	m.closeLeftovers(ctx, todo)
	m.reopen(ctx, p, todo)
	if err := c.Keep(); err != nil {
		p.Warnings = append(p.Warnings, fmt.Sprintf("some backups of the old files could not be removed: %v", err))
	}
	return nil
}

// withUndo returns err, followed by what could not be undone.
func withUndo(err, undo error) error {
	if undo == nil {
		return err
	}
	return fmt.Errorf("%w; and this could not be undone: %s", err, oneLine(undo.Error()))
}

func (m *Manager) apply(ctx context.Context, c *files.Change, p *manage.Plan, todo changes) error {
	// These are undone last, when the old files are back. They do nothing if nothing was
	// changed, for example because of missing rights.
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
		if l.dropped && l.had { // its links are found while its file is there
			if _, err := m.systemctl(ctx, "disable", "--", l.unit); err != nil {
				return err
			}
			touched = true
		}
	}
	dir, err := m.unitFolder()
	if err != nil {
		return err
	}
	c.Sweep(dir)
	for _, f := range todo.files {
		if err := writeFile(c, f); err != nil {
			return err
		}
		touched = touched || f.Changed()
	}
	if err := m.ownedRecord(todo.spec, dir).Write(c, p); err != nil {
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
	if err := m.checkLoaded(ctx, todo.spec); err != nil {
		return err
	}
	if err := m.setEnabled(ctx, c, todo.links); err != nil || bareTemplate(todo.spec) {
		return err
	}
	return m.ownedRecord(todo.spec, dir).SetStart(c, todo.spec.StartType)
}

// setEnabled enables and disables units.
func (m *Manager) setEnabled(ctx context.Context, c *files.Change, links []enablement) error {
	for _, l := range links {
		verb := l.verb()
		if verb == "" || l.dropped {
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

// undo runs systemctl with a context of its own, to undo something.
func (m *Manager) undo(args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	_, err := m.systemctl(ctx, args...)
	return err
}

func writeFile(c *files.Change, f unitFile) error {
	if !f.Changed() {
		return nil
	}
	if f.isLink || !f.Wanted {
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

// checkLoaded returns an error if systemd cannot load the units.
func (m *Manager) checkLoaded(ctx context.Context, s manage.Spec) error {
	if bareTemplate(s) {
		return nil
	}
	u, sockets, err := m.show(ctx, s)
	if err != nil {
		return err
	}
	for _, u := range append(sockets, u) {
		if u["LoadState"] != "loaded" {
			return fmt.Errorf("systemd cannot load %s: %s; systemd-analyze verify shows why", u["Id"], u.loadError())
		}
	}
	return nil
}

// closeLeftovers stops the sockets whose files were removed. Failures are ignored: the
// sockets then stay open until the machine restarts.
func (m *Manager) closeLeftovers(ctx context.Context, todo changes) {
	for _, l := range todo.links {
		if l.dropped {
			_, _ = m.systemctl(ctx, "stop", "--", l.unit)
		}
	}
}

// reopen restarts the sockets whose files have changed, unless the service runs: it holds
// them until it is restarted. systemd has closed a socket whose address has changed.
func (m *Manager) reopen(ctx context.Context, p *manage.Plan, todo changes) {
	for _, l := range todo.links {
		switch {
		case !l.listens || !l.rewritten || l.dropped:
		case todo.runs:
			p.Warnings = append(p.Warnings, l.unit+" uses its new address after a restart of the service")
		default:
			if _, err := m.systemctl(ctx, "restart", "--", l.unit); err != nil {
				p.Warnings = append(p.Warnings, fmt.Sprintf("%s is not listening: %v", l.unit, err))
			}
		}
	}
}
