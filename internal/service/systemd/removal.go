package systemd

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// removal is what has to be removed with a service.
type removal struct {
	spec       manage.Spec
	units      []string // their names for systemctl; the instance's for a template
	files      []string
	links      []string // that make a target want, or require, one of the units
	runtime    bool     // some of the links are only there until the next boot
	keepsFiles bool     // the files stay, for other instances
}

// newRemoval returns what has to be removed: the units in files and the links to them. shared
// keeps the files.
func (m *Manager) newRemoval(s manage.Spec, dir string, files []string, shared bool) removal {
	r := removal{spec: s, keepsFiles: shared}
	for _, f := range files {
		r.files = append(r.files, path.Join(dir, f))
		if bareTemplate(s) {
			continue
		}
		u := instanceOf(f, s)
		r.units = append(r.units, u)
		r.links = append(r.links, m.linksTo(u, dir)...)
		if until := m.linksTo(u, m.runtimeUnits()); len(until) > 0 {
			r.links, r.runtime = append(r.links, until...), true
		}
	}
	return r
}

// linksTo returns the links in dir that make a target want, or require, the unit u.
func (m *Manager) linksTo(u, dir string) (links []string) {
	for _, suffix := range []string{".wants", ".requires"} {
		found, _ := filepath.Glob(filepath.Join(m.machine.Tree.Path(dir), "*"+suffix, u))
		for _, at := range found {
			links = append(links, path.Join(dir, filepath.Base(filepath.Dir(at)), u))
		}
	}
	return links
}

// runtimeUnits returns the folder in which systemctl enable --runtime makes its links.
func (m *Manager) runtimeUnits() string {
	if !m.user {
		return "/run/systemd/system"
	}
	if dir := m.getenv("XDG_RUNTIME_DIR"); path.IsAbs(dir) {
		return path.Join(dir, "systemd/user")
	}
	return fmt.Sprintf("/run/user/%d/systemd/user", m.uid())
}

// checkRemovable returns an error if something cannot be removed. Nothing has changed by
// then.
func (r removal) checkRemovable(record owned.Record, purge bool) error {
	if r.keepsFiles {
		return record.Removable(purge, r.links...)
	}
	return record.Removable(purge, slices.Concat(r.files, r.links)...)
}

// removeUnits stops the service, disables it and removes its files. If one of these fails, it
// undoes the previous ones, but does not start what was stopped.
func (m *Manager) removeUnits(ctx context.Context, r removal, record owned.Record, dir string) (removed []string, err error) {
	if len(r.units) > 0 {
		if err := m.stopForRemoval(ctx, r.spec); err != nil {
			return nil, err
		}
	}
	c := m.machine.Tree.Begin(r.spec.ServiceName())
	c.Sweep(dir)
	relink := m.machine.Tree.Relink(r.links...)
	c.Call(func() error { return errors.Join(relink(), m.undo("daemon-reload")) }) // when the files are back
	defer func() {
		if err != nil {
			removed, err = nil, withUndo(m.fileError(err), c.Undo())
		}
	}()
	if len(r.units) > 0 {
		if err := record.DropStart(c); err != nil {
			return nil, err
		}
		if _, err := m.systemctl(ctx, append([]string{"disable", "--"}, r.units...)...); err != nil {
			return nil, err
		}
	}
	if r.runtime {
		if _, err := m.systemctl(ctx, append([]string{"disable", "--runtime", "--"}, r.units...)...); err != nil {
			return nil, err
		}
	}
	if r.keepsFiles {
		return []string{unitName(r.spec)}, c.Keep()
	}
	for _, f := range r.files {
		if err := c.Remove(f); err != nil {
			return nil, err
		}
	}
	if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
		return nil, err
	}
	removed = slices.Clone(c.Done)
	if err := c.Keep(); err != nil { // systemd ignores them
		m.machine.Note("some backups of the old files could not be removed: " + oneLine(err.Error()))
	}
	return removed, nil
}

// stopForRemoval stops the service and its sockets. It first makes systemd read what has
// changed on disk, so that its tools do not warn of that.
func (m *Manager) stopForRemoval(ctx context.Context, s manage.Spec) error {
	u, sockets, err := m.show(ctx, s)
	if err != nil {
		return err
	}
	if len(outdated(u, sockets)) > 0 {
		if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
			return err
		}
	}
	if !u.runs() && !anyListening(sockets) {
		return nil
	}
	return m.stopUnits(ctx, s, sockets)
}
