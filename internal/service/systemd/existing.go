package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// compareFile compares f with what exists in its place.
func (m *Manager) compareFile(p *manage.Plan, f *unitFile, main, force bool) error {
	s, tree := p.Spec, m.machine.Tree
	f.Present = tree.Exists(f.Name)
	if target := tree.Link(f.Name); target != "" {
		f.isLink, f.Old = true, "link to "+target+"\n"
		return replaceForeign(p, force, f.Name+" is a link to "+target, "it will be replaced")
	}
	if !f.Present {
		return nil
	}
	if main {
		p.Installed = true
	}
	old, _, err := tree.Read(f.Name)
	if err != nil {
		return m.fileError(fmt.Errorf("read the installed unit: %w", err))
	}
	f.Old = old
	switch {
	case manage.Marked(old):
		if !main && !serves(old, s) {
			return replaceForeign(p, force, f.Name+" belongs to another service", "it will be replaced")
		}
	case main && isKardianos(old, s.Name):
		p.Replaces = "kardianos/service"
		p.Warnings = append(p.Warnings, lostSettings(old, f.New, s)...)
	default:
		return replaceForeign(p, force, f.Name+" was not made by this program", "it will be replaced")
	}
	return nil
}

// serves reports whether text is a socket unit of the service.
func serves(text string, s manage.Spec) bool {
	want := "Service=" + s.Name + ".service\n"
	if s.Template {
		want = "Service=" + s.Name + "@%i.service\n"
	}
	return strings.Contains(text, "\n"+want)
}

// isKardianos reports whether text is the unit that kardianos/service v1.3.0 creates for
// name. It looks for the parts that it always writes.
func isKardianos(text, name string) bool {
	for _, part := range []string{
		"[Unit]\nDescription=",
		"\nConditionFileIsExecutable=/",
		"\n[Service]\nStartLimitInterval=5\nStartLimitBurst=10\nExecStart=/",
		"\nRestartSec=120\nEnvironmentFile=-/etc/sysconfig/" + name + "\n",
		"\n[Install]\nWantedBy=multi-user.target\n",
	} {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i:]
	}
	return true
}

// checkElsewhere looks for a unit of that name that our unit would hide: one of a package, or
// one that is generated from an init script.
func (m *Manager) checkElsewhere(p *manage.Plan, dir string, serv properties, force bool) error {
	found := m.packagedUnit(p.Spec)
	if at := serv["FragmentPath"]; found == "" && at != "" && path.Dir(at) != dir && serv["LoadState"] != "masked" {
		found = at
		if source := serv["SourcePath"]; source != "" {
			found = source
		}
	}
	if found == "" {
		return nil
	}
	return replaceForeign(p, force, "a service of this name already exists, "+found, "this one takes precedence")
}

// packagedUnit returns the file of a unit of that name in another folder, or "".
func (m *Manager) packagedUnit(s manage.Spec) string {
	for _, dir := range m.otherFolders() {
		if file := path.Join(dir, serviceUnit(s)); m.machine.Tree.Exists(file) {
			return file
		}
	}
	return ""
}

// replaceForeign returns an error because found is not ours. With force, it adds a warning
// with the consequence instead.
func replaceForeign(p *manage.Plan, force bool, found, consequence string) error {
	if !force {
		return fmt.Errorf("%s: %w", found, service.ErrForeign)
	}
	p.Warnings = append(p.Warnings, found+"; "+consequence)
	return nil
}

// leftoverSockets returns the units of sockets that the service no longer has.
func (m *Manager) leftoverSockets(s manage.Spec, dir string, units []Unit) ([]unitFile, error) {
	names, err := m.socketFiles(s, dir)
	if err != nil {
		return nil, err
	}
	var left []unitFile
	for _, name := range names {
		if slices.ContainsFunc(units, func(u Unit) bool { return u.Name == name }) {
			continue
		}
		old, _, err := m.machine.Tree.Read(path.Join(dir, name))
		if err != nil {
			return nil, m.fileError(err)
		}
		left = append(left, unitFile{unit: name, Artefact: manage.Artefact{Name: path.Join(dir, name), Mode: "0644", Old: old, Present: true}})
	}
	return left, nil
}

// socketFiles returns the names of the service's socket units that exist in dir.
func (m *Manager) socketFiles(s manage.Spec, dir string) ([]string, error) {
	entries, err := os.ReadDir(m.machine.Tree.Path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, m.fileError(err)
	}
	suffix := ".socket"
	if s.Template {
		suffix = "@.socket"
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || !strings.HasPrefix(name, s.Name+"-") || !strings.HasSuffix(name, suffix) {
			continue
		}
		if text, _, err := m.machine.Tree.Read(path.Join(dir, name)); err == nil && manage.Marked(text) && serves(text, s) {
			names = append(names, name)
		}
	}
	return names, nil
}
