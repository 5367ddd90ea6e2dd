package onefile

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// Belongings are the folders of a service, and its logs that are files elsewhere, with the
// record of those that are its own.
type Belongings struct {
	owned.Record
	tree    files.Tree
	name    string
	folders []Folder
	logs    []string
	user    bool
	gone    bool
}

// Gone returns the belongings of the service while it is not installed.
func (b Belongings) Gone() Belongings {
	b.gone = true
	return b
}

// Belong returns the belongings of s. The record is where the operator's files are, on the
// same file system as what makes the manager start the service.
func Belong(tree files.Tree, s service.Spec, d dirs.Dirs, folders []Folder, logs ...string) Belongings {
	return Belongings{owned.In(tree, path.Dir(d.Configuration), s.ServiceName()), tree, s.ServiceName(), folders, logs, s.User, false}
}

func (b Belongings) paths() (list []owned.Path) {
	for _, f := range b.folders {
		list = append(list, owned.Path{Path: f.Path, Stays: b.user || f.Root})
	}
	for _, log := range b.logs {
		list = append(list, owned.Path{Path: log, Stays: b.user})
	}
	return list
}

// Check is owned.Record.Check for all of them.
func (b Belongings) Check(p *service.Plan, force bool) error {
	return b.Record.Check(p, b.paths(), force)
}

// Left reports whether err says that the service is not installed, and purge finds
// something that it has left when it was uninstalled. It clears away what an uninstall
// that was killed has left in the folders of these files.
func (b Belongings) Left(err error, purge bool, of ...string) bool {
	if !errors.Is(err, service.ErrNotInstalled) {
		return false
	}
	c := b.tree.Begin(b.name)
	for _, file := range of {
		c.Sweep(path.Dir(file))
	}
	if purge && (b.Record.Left() || !b.user && account.Made(b.tree, b.name)) {
		return true
	}
	_ = b.Gone().Forget() // that nothing is installed is all that matters
	return false
}

// Forget gives back what was there before, and lets go of what is gone.
func (b Belongings) Forget() error {
	if err := b.Return(b.paths()); err != nil {
		return err
	}
	c := b.tree.Begin(b.name)
	for _, p := range b.paths() {
		c.Sweep(path.Dir(p.Path))
	}
	return b.Record.Forget(b.paths(), !b.gone)
}

// Purge removes those that belong to the service, with all that is in them, and returns
// those that were there.
func (b Belongings) Purge() (removed []string, err error) {
	removed, err = b.purge()
	return removed, errors.Join(err, b.Forget())
}

func (b Belongings) purge() (removed []string, err error) {
	own, err := b.Paths()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range b.folders {
		if !slices.Contains(own, f.Path) || !b.tree.Exists(f.Path) {
			continue
		}
		if err := b.tree.Purge(f.Path); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, f.Path)
	}
	for _, log := range b.logs {
		if !slices.Contains(own, log) {
			continue
		}
		if err := os.Remove(b.tree.Path(log)); err == nil {
			removed = append(removed, log)
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return removed, errors.Join(errs...)
}
