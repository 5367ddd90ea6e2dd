package systemd

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/owned"
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

// paths are what the service may make or get, none for a template by itself.
func (m *Manager) paths(s service.Spec) (list []owned.Path) {
	if which(s) != nil {
		return nil
	}
	for _, d := range m.directories(s) {
		list = append(list, owned.Path{Path: d, Stays: m.user || d == m.folders(s).Configuration})
	}
	return list
}

// purge removes the directories that belong to the service, and says which were there.
func (m *Manager) purge(s service.Spec, record owned.Record) (removed []string, err error) {
	tree := m.machine.Tree
	own, err := record.Paths()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, d := range m.directories(s) {
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
	return removed, errors.Join(append(errs, record.Forget())...)
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

// directories are where a service may have kept something.
func (m *Manager) directories(s service.Spec) []string {
	var list []string
	for _, v := range m.folders(s).Vars() {
		list = append(list, v.Dir)
		if above := strings.TrimSuffix(v.Dir, "/"+folder(s)); !m.user && v.Name != "CONFIGURATION_DIRECTORY" {
			list = append(list, above+"/private/"+folder(s)) // of a dynamic user
		}
	}
	return list
}
