package onefile

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/files"
	"github.com/go-glidepath/glidepath/internal/service/owned"
)

// Belongings are the folders of a service, and its logs that are files elsewhere, with the
// record of those that are its own.
type Belongings struct {
	owned.Record
	tree    files.Tree
	folders []Folder
	logs    []string
	user    bool
}

// Belong returns the belongings of s. The record is where the operator's files are, on the
// same file system as what makes the manager start the service.
func Belong(tree files.Tree, s service.Spec, d dirs.Dirs, folders []Folder, logs ...string) Belongings {
	return Belongings{owned.In(tree, path.Dir(d.Configuration), s.ServiceName()), tree, folders, logs, s.User}
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

// Add records those that are not there yet.
func (b Belongings) Add(c *files.Change) error { return b.Record.Add(c, b.paths()) }

// Left reports whether err says that the service is not installed, and it has left
// something when it was uninstalled.
func (b Belongings) Left(err error) bool {
	return errors.Is(err, service.ErrNotInstalled) && b.Exists()
}

// Purge removes those that belong to the service, with all that is in them, and returns
// those that were there.
func (b Belongings) Purge() (removed []string, err error) {
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
	return removed, errors.Join(append(errs, b.Forget())...)
}
