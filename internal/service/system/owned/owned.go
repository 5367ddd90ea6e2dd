// Package owned keeps a record of what belongs to a service: the folders that were not
// there before it was installed. A folder that only has the name of the service may be of
// another program, so install does not hand it over and uninstall does not remove it.
//
// The record is a file with a line for each folder. It outlives the service as long as one
// of them is there, so that they can still be removed, and used by the next installation.
package owned

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
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Record says what belongs to one service.
type Record struct {
	tree files.Tree
	file string
	name string
}

// In returns the record of a service, which is kept in a folder of dir. No service can have
// the name of that folder.
func In(tree files.Tree, dir, name string) Record {
	return Record{tree, path.Join(dir, ".glidepath", name), name}
}

// Path is a folder, or a file, that the service may make or get.
type Path struct {
	Path string
	// Moved is where the manager moves the folder, and leaves a link to it; "" if it does not.
	Moved string
	// Stays marks what install leaves as it is where it exists: the configuration, which an
	// operator may write before, and everything of a user, whose services and other
	// programs have one owner anyway.
	Stays bool
}

// all are the places where it may be.
func (f Path) all() []string {
	if f.Moved == "" {
		return []string{f.Path}
	}
	return []string{f.Path, f.Moved}
}

func (f Path) exists(tree files.Tree) bool { return slices.ContainsFunc(f.all(), tree.Exists) }

func (f Path) in(list []string) bool {
	return slices.ContainsFunc(f.all(), func(p string) bool { return slices.Contains(list, p) })
}

// Paths returns what belongs to the service, nil without a record. It does not return what
// somebody has replaced since the service was uninstalled.
func (r Record) Paths() ([]string, error) {
	c, err := r.read()
	replaced := c.replaced(r.tree)
	return slices.DeleteFunc(c.own, func(p string) bool { return slices.Contains(replaced, p) }), err
}

// Left reports whether the service owns something, or did.
func (r Record) Left() bool {
	c, err := r.read()
	return err == nil && len(c.own) > 0
}

// Owns reports whether a path belongs to the service.
func (r Record) Owns(p string) bool {
	list, err := r.Paths()
	return err == nil && slices.Contains(list, p)
}

// Check fails, unless force makes a warning of that, if something is there that the
// service would get and that does not belong to it. p says whether this service, or one
// that it replaces, is installed: then it has that already. Check adds the record to p.
func (r Record) Check(p *manage.Plan, paths []Path, force bool) error {
	old, exists, err := r.tree.Read(r.file)
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a plan needs no rights
		return fmt.Errorf("read what belongs to the service: %w", err)
	}
	had := parse(old)
	now := had.installed(r.tree, paths)
	if err := r.refuse(p, now, paths, force); err != nil {
		return err
	}
	a := manage.Artefact{Name: r.file, Mode: "0644", Old: old, New: old, Present: exists, Wanted: exists}
	if next := r.next(now, paths, p.Installed || p.Replaces != ""); !next.equal(had) {
		a.New, a.Wanted = next.String(), true
	}
	if a.Wanted {
		p.Artefacts = append(p.Artefacts, a)
	}
	return nil
}

func (r Record) refuse(p *manage.Plan, had content, paths []Path, force bool) error {
	if p.Replaces != "" || p.Installed && !force {
		return nil
	}
	var theirs []string
	for _, f := range paths {
		switch {
		case f.in(had.own) || f.in(had.used) || !f.exists(r.tree):
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
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s was there before and may belong to another program: the service gets it with all that is in it, until uninstall gives it back; --purge does not remove it", list))
	default:
		return fmt.Errorf("%s exists, and no installation of %s has made it, though a run of it as root may have; the service would get it with all that is in it, and it %w: move it away, or give the service another Name",
			list, p.Spec.ServiceName(), service.ErrForeign)
	}
	return nil
}

// next is what the record has after an installation. What is not there belongs to the
// service, whoever makes it. What is there and was the service's already, without a
// record, is used. What somebody else has is given back.
func (r Record) next(had content, paths []Path, installed bool) content {
	c := had.clone()
	for _, f := range paths {
		switch {
		case f.in(c.own) || f.in(c.used) || slices.ContainsFunc(c.before, func(b before) bool { return b.path == f.Path }):
		case !f.exists(r.tree):
			c.own = append(c.own, f.all()...)
		case f.Stays:
		case installed:
			c.used = append(c.used, f.Path)
		default:
			if mode, uid, gid, ok := files.Stat(r.tree.Path(f.Path)); ok {
				c.before = append(c.before, before{mode, uid, gid, f.Path})
			}
		}
	}
	slices.Sort(c.own) // it reads the same however it has come about
	return c
}

// Write writes the record as p shows it. It is called before any of the paths is made.
func (r Record) Write(c *files.Change, p *manage.Plan) error {
	c.Sweep(path.Dir(r.file))
	i := slices.IndexFunc(p.Artefacts, func(a manage.Artefact) bool { return a.Name == r.file })
	if i < 0 || !p.Artefacts[i].Changed() {
		return nil
	}
	return c.Write(r.file, p.Artefacts[i].New, 0o644)
}

// Return gives back what the manager has changed of what was there before. The service
// has stopped.
func (r Record) Return(paths []Path) error {
	c, err := r.read()
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range c.before {
		i := slices.IndexFunc(paths, func(f Path) bool { return f.Path == b.path })
		if i < 0 {
			continue
		}
		if err := b.giveBack(r.tree, paths[i].Moved); err != nil {
			errs = append(errs, fmt.Errorf("give back %s: %w", b.path, err))
		}
	}
	return errors.Join(errs...)
}

// Forget lets go of what is not there any more and of what was given back, and removes the
// record if nothing is left in it. For a service that was installed until now, without a
// record, what it has had is noted, so that the next installation finds it again. It lets go
// of what somebody has replaced since the service was uninstalled, and returns an error that
// names it.
func (r Record) Forget(paths []Path, installed bool) error {
	start := r.tree.Begin(r.name)
	start.Sweep(path.Dir(r.file))
	if err := errors.Join(r.DropStart(start), start.Keep()); err != nil {
		return err
	}
	had, err := r.read()
	if err != nil {
		return err
	}
	replaced := had.replaced(r.tree)
	if err := r.keep(had, r.remaining(had, replaced, paths, installed)); err != nil {
		return fmt.Errorf("keep the record of what belongs to the service: %w", err)
	}
	if len(replaced) > 0 {
		return fmt.Errorf("%s stays: it was put there since uninstall, and may belong to another program; if it does not, remove it by hand", strings.Join(replaced, ", "))
	}
	return nil
}

// remaining returns what of a record remains after a removal.
func (r Record) remaining(had content, replaced []string, paths []Path, installed bool) (now content) {
	for _, p := range had.own {
		if !r.tree.Exists(p) || slices.Contains(replaced, p) {
			continue
		}
		now.own = append(now.own, p)
		if identity := r.tree.Identity(p); identity != "" {
			now.left = append(now.left, left{identity, p})
		}
	}
	for _, f := range paths {
		if f.exists(r.tree) && (f.in(had.used) || installed && had.empty() && !f.Stays) {
			now.used = append(now.used, f.Path)
		}
	}
	return now
}

// keep writes the record, and removes it if it is empty.
func (r Record) keep(had, now content) error {
	if now.empty() {
		err := os.Remove(r.tree.Path(r.file))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		_ = os.Remove(r.tree.Path(path.Dir(r.file))) // with the last record: it is empty then
		return err
	}
	if now.equal(had) {
		return nil
	}
	c := r.tree.Begin(r.name)
	return errors.Join(c.Write(r.file, now.String(), 0o644), c.Keep())
}
