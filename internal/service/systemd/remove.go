package systemd

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Remove stops the service and its sockets, disables them and removes their files. The files
// of a template stay while it has other instances. If purge is set, it also removes the
// directories of the service, including that of its configuration.
func (m *Manager) Remove(ctx context.Context, s manage.Spec, purge bool) (removed []string, err error) {
	dir, err := m.unitFolder()
	if err != nil {
		return nil, err
	}
	record := m.ownedRecord(s, dir)
	switch err := m.checkOurs(s, dir); {
	case errors.Is(err, service.ErrNotInstalled):
		return m.finishRemoval(ctx, s, dir, purge, err)
	case err != nil:
		return nil, err
	}
	units, err := m.socketFiles(s, dir)
	if err != nil {
		return nil, err
	}
	units = append(units, serviceUnit(s))
	shared, err := m.otherInstances(ctx, s, dir)
	if err != nil {
		return nil, err
	}
	if len(shared) > 0 && bareTemplate(s) {
		return nil, fmt.Errorf("%s has instances: uninstall %s first", s.Name, strings.TrimSuffix(shared[0], ".service"))
	}
	r := m.newRemoval(s, dir, units, len(shared) > 0)
	if err := r.checkRemovable(record, purge); err != nil {
		return nil, m.fileError(err)
	}
	if removed, err = m.removeUnits(ctx, r, record, dir); err != nil {
		return nil, err
	}
	if !bareTemplate(s) {
		_, _ = m.systemctl(ctx, "reset-failed", "--", unitName(s)) // it fails if there is nothing to reset
	}
	gone, err := m.releaseFolders(s, record, purge, true)
	return append(removed, gone...), err
}

// checkOurs returns an error if the service is not installed, or was not installed by this
// program.
func (m *Manager) checkOurs(s manage.Spec, dir string) error {
	file := path.Join(dir, serviceUnit(s))
	text, exists, err := m.machine.Tree.Read(file)
	switch {
	case !exists && err == nil:
		if at := m.packagedUnit(s); at != "" {
			return fmt.Errorf("%s: %w", at, service.ErrForeign)
		}
		return service.ErrNotInstalled
	case exists && err != nil && m.machine.Tree.Link(file) != "":
		return fmt.Errorf("%s is a link: %w", file, service.ErrForeign)
	case err != nil:
		return m.fileError(err)
	case !manage.Marked(text) && !isKardianos(text, s.Name):
		return fmt.Errorf("%s was not made by this program: %w", file, service.ErrForeign)
	}
	return nil
}

// otherInstances returns the other instances of a template that run or start automatically.
func (m *Manager) otherInstances(ctx context.Context, s manage.Spec, dir string) ([]string, error) {
	if !s.Template {
		return nil, nil
	}
	out, err := m.systemctl(ctx, "list-units", "--all", "--plain", "--no-legend", "--full", "--", s.Name+"@*.service")
	if err != nil {
		return nil, err
	}
	return m.parseInstances(s, dir, out), nil
}

// instanceOf returns the name of a template's unit for one instance.
func instanceOf(name string, s manage.Spec) string {
	return strings.Replace(name, "@.", "@"+s.Instance+".", 1)
}

// parseInstances returns the other instances that list-units has printed or that links in dir
// enable.
func (m *Manager) parseInstances(s manage.Spec, dir, listed string) []string {
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
	return slices.DeleteFunc(others, func(u string) bool { return u == unitName(s) })
}
