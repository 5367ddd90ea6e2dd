package systemd

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// instanceOf is a unit of a template, for one instance.
func instanceOf(name string, s service.Spec) string {
	return strings.Replace(name, "@.", "@"+s.Instance+".", 1)
}

// otherInstances reads what list-units has said, and looks for links.
func (m *Manager) otherInstances(s service.Spec, dir, listed string) []string {
	var others []string
	for line := range strings.Lines(listed) {
		// NAME LOAD ACTIVE SUB DESCRIPTION
		words := strings.Fields(line)
		if len(words) >= 3 && words[2] != "inactive" && words[2] != "failed" {
			others = append(others, words[0])
		}
	}
	for _, suffix := range []string{".wants", ".requires"} {
		links, _ := filepath.Glob(filepath.Join(m.machine.Tree.Path(dir), "*"+suffix, s.Name+"@*.service"))
		for _, l := range links {
			others = append(others, filepath.Base(l))
		}
	}
	slices.Sort(others)
	others = slices.Compact(others)
	return slices.DeleteFunc(others, func(u string) bool { return u == unit(s) })
}

// owned is the record of what belongs to a service. It is next to the units, where
// systemd does not look for any.
func (m *Manager) owned(s service.Spec, dir string) owned.Record {
	return owned.In(m.machine.Tree, dir, s.ServiceName())
}

// paths are what the service may make or get, none for a template by itself. Those of a
// dynamic user are moved.
func (m *Manager) paths(s service.Spec) (list []owned.Path) {
	if which(s) != nil {
		return nil
	}
	for _, v := range m.folders(s).Vars() {
		p := owned.Path{Path: v.Dir, Stays: m.user || v.Name == "CONFIGURATION_DIRECTORY"}
		if above := strings.TrimSuffix(v.Dir, "/"+folder(s)); !p.Stays {
			p.Moved = above + "/private/" + folder(s)
		}
		list = append(list, p)
	}
	return list
}

// finish removes what is left of a service whose unit is gone: with purge what it has
// kept, and what an uninstall that was killed has not come to. It returns gone if there
// is nothing.
func (m *Manager) finish(ctx context.Context, s service.Spec, dir string, purge bool, gone error) (removed []string, err error) {
	m.machine.Tree.Begin(s.ServiceName()).Sweep(dir)
	stale := false
	if which(s) == nil {
		u, sockets, err := m.show(ctx, s)
		stale = err == nil && u["FragmentPath"] == path.Join(dir, serviceUnit(s)) // systemd has not heard of it
		if stale && u.runs() {
			if err := m.halt(ctx, s, sockets); err != nil {
				return nil, err
			}
		}
	}
	if stale {
		if _, err := m.systemctl(ctx, "daemon-reload"); err != nil {
			return nil, err
		}
		_, _ = m.systemctl(ctx, "reset-failed", "--", unit(s)) // it fails where there is nothing to reset
	}
	record := m.owned(s, dir)
	left := purge && record.Left()
	removed, err = m.clear(s, record, purge, false)
	if len(removed) == 0 && !stale && !left {
		return nil, gone
	}
	return removed, err
}

// clear gives back what was there before the service, and removes the folder of the
// configuration, if it is empty and the service's own, and with purge whatever belongs to
// the service. It returns what was there. The service has stopped.
func (m *Manager) clear(s service.Spec, record owned.Record, purge, installed bool) (removed []string, err error) {
	tree := m.machine.Tree
	if err := record.Return(m.paths(s)); err != nil {
		return nil, m.filed(err)
	}
	if config := m.configuration(s); config.Present && record.Owns(config.Name) && os.Remove(tree.Path(config.Name)) == nil { // it was empty
		removed = append(removed, config.Name)
		if s.Template {
			_ = os.Remove(tree.Path(path.Dir(config.Name))) // with the last instance
		}
	}
	if d := m.folders(s).Runtime; d != m.Folders(s).Runtime && record.Owns(d) {
		_ = os.Remove(tree.Path(d)) // the sockets were in it
	}
	if purge && which(s) == nil {
		gone, err := m.purge(s, record)
		if removed = append(removed, gone...); err != nil {
			return removed, m.filed(err)
		}
	}
	return removed, m.filed(record.Forget(m.paths(s), installed))
}

// purge removes the directories that belong to the service, and says which were there.
func (m *Manager) purge(s service.Spec, record owned.Record) (removed []string, err error) {
	tree := m.machine.Tree
	own, err := record.Paths()
	if err != nil {
		return nil, err
	}
	var errs []error
	var dirs []string
	for _, f := range m.paths(s) {
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
			_ = os.Remove(tree.Path(path.Dir(d))) // that of all instances goes with the last: it is empty then
		}
	}
	return removed, errors.Join(errs...)
}

// Folders implements service.Located: the instances of a template have theirs in that of
// the template.
func (m *Manager) Folders(s service.Spec) dirs.Dirs {
	d := m.folders(s)
	s.User = m.user
	if runtimeFolder(s, s.Name) != s.Name {
		d.Runtime += "/" + inner
	}
	return d
}

// folders are those by the name of the service.
func (m *Manager) folders(s service.Spec) dirs.Dirs {
	name := folder(s)
	if !m.user {
		return dirs.System("linux", name, m.getenv)
	}
	home, err := m.home()
	if err != nil {
		home = ""
	}
	return dirs.User("linux", name, home, os.TempDir(), m.getenv)
}

func folder(s service.Spec) string {
	if s.Template {
		return s.Name + "/" + s.Instance
	}
	return s.Name
}
