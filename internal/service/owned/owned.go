// Package owned keeps a record of what belongs to a service: the folders that were not
// there before it was installed. A folder that only has the name of the service may be of
// another program, so install does not hand it over and uninstall does not remove it.
//
// The record is a file of paths, one a line. It outlives the service as long as one of the
// folders is there, so that they can still be removed, and used by the next installation.
package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/files"
)

// Record says what belongs to one service.
type Record struct {
	tree files.Tree
	file string
}

// In returns the record of a service, which is kept in a folder of dir. No service can have
// the name of that folder.
func In(tree files.Tree, dir, name string) Record {
	return Record{tree, path.Join(dir, ".glidepath", name)}
}

// Path is a folder, or a file, that the service may make or get.
type Path struct {
	Path string

	// Stays marks what install leaves as it is where it exists: the configuration, which an
	// operator may write before, and everything of a user, whose services and other
	// programs have one owner anyway.
	Stays bool
}

// Exists reports whether there is a record.
func (r Record) Exists() bool { return r.tree.Exists(r.file) }

// Paths returns what belongs to the service, nil without a record.
func (r Record) Paths() ([]string, error) {
	text, _, err := r.tree.Read(r.file)
	if err != nil {
		return nil, fmt.Errorf("read what belongs to the service: %w", err)
	}
	var list []string
	for line := range strings.Lines(text) {
		if p := strings.TrimSuffix(line, "\n"); path.IsAbs(p) {
			list = append(list, p)
		}
	}
	return list, nil
}

// Owns reports whether a path belongs to the service.
func (r Record) Owns(p string) bool {
	list, err := r.Paths()
	return err == nil && slices.Contains(list, p)
}

// Check fails, unless force makes a warning of that, if something is there that the
// service would get and that does not belong to it. p says whether this service, or one
// that it replaces, is installed: then it has that already. Check adds the record to p.
func (r Record) Check(p *service.Plan, paths []Path, force bool) error {
	if err := r.refuse(p, paths, force); err != nil {
		return err
	}
	own, _ := r.Paths()
	old, exists, _ := r.tree.Read(r.file)
	a := service.Artefact{Name: r.file, Mode: "0644", Old: old, New: old, Present: exists, Wanted: exists}
	if more := r.missing(own, paths); len(more) > 0 {
		a.New, a.Wanted = render(append(own, more...)), true
	}
	if a.Wanted {
		p.Artefacts = append(p.Artefacts, a)
	}
	return nil
}

func (r Record) refuse(p *service.Plan, paths []Path, force bool) error {
	if p.Replaces != "" || p.Installed && !force {
		return nil
	}
	own, err := r.Paths()
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a plan needs no rights
		return err
	}
	var theirs []string
	for _, f := range paths {
		switch {
		case slices.Contains(own, f.Path) || !r.tree.Exists(f.Path):
		case f.Stays:
			p.Warnings = append(p.Warnings, f.Path+" was there before: it is used as it is, and uninstall --purge does not remove it")
		default:
			theirs = append(theirs, f.Path)
		}
	}
	list := strings.Join(theirs, ", ")
	switch {
	case list == "" || p.Installed:
	case force:
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s was there before and may belong to another program: the service gets it with all that is in it, and uninstall --purge does not remove it", list))
	default:
		return fmt.Errorf("%s exists, and no installation of %s has made it; the service would get it with all that is in it, and it %w: move it away, or give the service another Name",
			list, p.Spec.ServiceName(), service.ErrForeign)
	}
	return nil
}

// Add records those of the paths that are not there, which are the service's whoever makes
// them. It is called before any is made.
func (r Record) Add(c *files.Change, paths []Path) error {
	own, err := r.Paths()
	if err != nil {
		return err
	}
	more := r.missing(own, paths)
	if len(more) == 0 {
		return nil
	}
	return c.Write(r.file, render(append(own, more...)), 0o644)
}

// missing are the paths that are not there and not in own.
func (r Record) missing(own []string, paths []Path) (more []string) {
	for _, f := range paths {
		if !slices.Contains(own, f.Path) && !r.tree.Exists(f.Path) {
			more = append(more, f.Path)
		}
	}
	return more
}

func render(own []string) string {
	return "# " + service.Mark + "\n# What the service has made, for uninstall --purge:\n" + strings.Join(own, "\n") + "\n"
}

// Forget removes the record if nothing of what it names is there any more.
func (r Record) Forget() error {
	own, err := r.Paths()
	if err != nil || slices.ContainsFunc(own, r.tree.Exists) {
		return err
	}
	if err := os.Remove(r.tree.Path(r.file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the record of what belonged to the service: %w", err)
	}
	_ = os.Remove(r.tree.Path(path.Dir(r.file))) // with the last record: it is empty then
	return nil
}
