package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
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
	todo, ok := p.Private.(changes)
	if !ok {
		return errors.New("the plan is not one of systemd")
	}
	c := m.machine.Tree.Begin(p.Spec.ServiceName())
	if err := m.apply(ctx, c, p, todo); err != nil {
		return withUndo(m.fileError(err), c.Undo())
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

func (m *Manager) apply(ctx context.Context, c *files.Change, p *service.Plan, todo changes) error {
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
	return m.ownedRecord(todo.spec, dir).SetStart(c, todo.spec.Start)
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

// undo has systemd take something back.
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

// checkLoaded makes sure that systemd understands what it was given.
func (m *Manager) checkLoaded(ctx context.Context, s service.Spec) error {
	if bareTemplate(s) {
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
func (m *Manager) closeLeftovers(ctx context.Context, todo changes) {
	for _, l := range todo.links {
		if l.dropped {
			_, _ = m.systemctl(ctx, "stop", "--", l.unit)
		}
	}
}

// reopen has sockets listen where their new files say, if nobody has them: systemd has
// closed what does not listen there. Those of a service that runs wait for its restart.
func (m *Manager) reopen(ctx context.Context, p *service.Plan, todo changes) {
	for _, l := range todo.links {
		switch {
		case !l.listens || !l.rewritten || l.dropped:
		case todo.runs:
			p.Warnings = append(p.Warnings, l.unit+" listens as its new file says after a restart of the service")
		default:
			if _, err := m.systemctl(ctx, "restart", "--", l.unit); err != nil {
				p.Warnings = append(p.Warnings, fmt.Sprintf("%s does not listen: %v", l.unit, err))
			}
		}
	}
}
