package systemd

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// removal is what has to go with a service.
type removal struct {
	spec       service.Spec
	units      []string // as systemctl calls them: those of the instance, for a template
	files      []string
	links      []string // by which a target wants, or requires, one of the units
	keepsFiles bool     // the files stay, for other instances
}

func (m *Manager) newRemoval(s service.Spec, dir string, files []string, shared bool) removal {
	r := removal{spec: s, keepsFiles: shared}
	for _, f := range files {
		r.files = append(r.files, path.Join(dir, f))
		if bareTemplate(s) {
			continue
		}
		u := instanceOf(f, s)
		r.units = append(r.units, u)
		for _, suffix := range []string{".wants", ".requires"} {
			found, _ := filepath.Glob(filepath.Join(m.machine.Tree.Path(dir), "*"+suffix, u))
			for _, at := range found {
				r.links = append(r.links, path.Join(dir, filepath.Base(filepath.Dir(at)), u))
			}
		}
	}
	return r
}

// checkRemovable fails for what cannot be removed, while the service is still as it was.
func (r removal) checkRemovable(record owned.Record, purge bool) error {
	if r.keepsFiles {
		return record.Removable(purge, r.links...)
	}
	return record.Removable(purge, slices.Concat(r.files, r.links)...)
}

// removeUnits stops the service, disables it and removes its files. If one of these fails,
// what was done before is taken back; only what was stopped is not started again.
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
	if err := c.Keep(); err != nil { // of no consequence for systemd
		m.machine.Note("not all that was kept of the old files is removed: " + oneLine(err.Error()))
	}
	return removed, nil
}

// stopForRemoval stops the service and its sockets. systemd reads first what has changed on disk:
// its tools warn of that, which is no news for who removes it.
func (m *Manager) stopForRemoval(ctx context.Context, s service.Spec) error {
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
