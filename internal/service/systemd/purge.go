package systemd

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// ownedRecord returns the record of what belongs to a service. It is stored next to the
// units, in a folder that systemd ignores.
func (m *Manager) ownedRecord(s manage.Spec, dir string) owned.Record {
	return owned.In(m.machine.Tree, dir, s.ServiceName())
}

// ownedPaths returns the paths that the service may create or receive. A template itself has
// none. systemd moves those of a dynamic user.
func (m *Manager) ownedPaths(s manage.Spec) (list []owned.Path) {
	if bareTemplate(s) {
		return nil
	}
	for _, v := range m.baseFolders(s).Vars() {
		p := owned.Path{Path: v.Dir, Stays: m.user || v.Name == "CONFIGURATION_DIRECTORY"}
		if above := strings.TrimSuffix(v.Dir, "/"+instanceFolder(s)); !p.Stays {
			p.Moved = above + "/private/" + instanceFolder(s)
		}
		list = append(list, p)
	}
	return list
}

// finishRemoval removes what is left of a service whose unit is gone: what an interrupted
// uninstall has not reached and, with purge, what the service has kept. It returns the error
// gone if there is nothing.
func (m *Manager) finishRemoval(ctx context.Context, s manage.Spec, dir string, purge bool, gone error) (removed []string, err error) {
	m.machine.Tree.Begin(s.ServiceName()).Sweep(dir)
	stale := false
	if !bareTemplate(s) {
		u, sockets, err := m.show(ctx, s)
		stale = err == nil && u["FragmentPath"] == path.Join(dir, serviceUnit(s)) // systemd has not noticed
		if stale && u.runs() {
			if err := m.stopUnits(ctx, s, sockets); err != nil {
				return nil, err
			}
		}
	}
	if stale {
		if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
			return nil, err
		}
		_, _ = m.systemctl(ctx, "reset-failed", "--", unitName(s)) // it fails if there is nothing to reset
	}
	record := m.ownedRecord(s, dir)
	left := purge && record.Left()
	removed, err = m.releaseFolders(s, record, purge, false)
	if len(removed) == 0 && !stale && !left {
		return nil, gone
	}
	return removed, err
}

// releaseFolders restores what existed before the service was installed, and removes its
// configuration folder if that is empty and its own. With purge it removes everything that
// belongs to the service. It returns what it has removed. The service must have stopped.
func (m *Manager) releaseFolders(s manage.Spec, record owned.Record, purge, installed bool) (removed []string, err error) {
	tree := m.machine.Tree
	if err := record.Return(m.ownedPaths(s)); err != nil {
		return nil, m.fileError(err)
	}
	if config := m.configFolder(s); config.Present && record.Owns(config.Name) && os.Remove(tree.Path(config.Name)) == nil { // it was empty
		removed = append(removed, config.Name)
		if s.Template {
			_ = os.Remove(tree.Path(path.Dir(config.Name))) // with the last instance
		}
	}
	if d := m.baseFolders(s).Runtime; d != m.Folders(s).Runtime && record.Owns(d) {
		_ = os.Remove(tree.Path(d)) // the sockets were in it
	}
	if purge && !bareTemplate(s) {
		gone, err := m.purgeFolders(s, record)
		if removed = append(removed, gone...); err != nil {
			return removed, m.fileError(err)
		}
	}
	return removed, m.fileError(record.Forget(m.ownedPaths(s), installed))
}

// purgeFolders removes the directories that belong to the service, and returns those that
// existed.
func (m *Manager) purgeFolders(s manage.Spec, record owned.Record) (removed []string, err error) {
	tree := m.machine.Tree
	own, err := record.Paths()
	if err != nil {
		return nil, err
	}
	var errs []error
	var dirs []string
	for _, f := range m.ownedPaths(s) {
		dirs = append(dirs, f.Path)
		if f.Moved != "" {
			dirs = append(dirs, f.Moved)
		}
	}
	for _, d := range dirs {
		if !slices.Contains(own, d) || !tree.Exists(d) {
			continue
		}
		if err := tree.Purge(d); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, d)
		if s.Template {
			_ = os.Remove(tree.Path(path.Dir(d))) // the folder of all instances goes with the last one: then it is empty
		}
	}
	return removed, errors.Join(errs...)
}

// Folders implements service.Located. The folders of an instance are inside those of its
// template.
func (m *Manager) Folders(s manage.Spec) dirs.Dirs {
	d := m.baseFolders(s)
	s.User = m.user
	if runtimeFolder(s, s.Name) != s.Name {
		d.Runtime += "/" + serviceSubfolder
	}
	return d
}

// baseFolders returns the folders that the name of the service gives it.
func (m *Manager) baseFolders(s manage.Spec) dirs.Dirs {
	name := instanceFolder(s)
	if !m.user {
		return dirs.System("linux", name, m.getenv)
	}
	home, err := m.home()
	if err != nil {
		home = ""
	}
	return dirs.User("linux", name, home, os.TempDir(), m.getenv)
}

// instanceFolder returns the name of the service's folders, with the instance.
func instanceFolder(s manage.Spec) string {
	if s.Template {
		return s.Name + "/" + s.Instance
	}
	return s.Name
}
