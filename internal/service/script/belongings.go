package script

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/account"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/system/owned"
)

// belongings are the folders of a service and its logs elsewhere, with the record of those
// that are its own.
type belongings struct {
	owned.Record
	tree    files.Tree
	name    string
	folders []folder
	logs    []string
	user    bool
	gone    bool // the service is not installed
}

func (b belongings) paths() (list []owned.Path) {
	for _, f := range b.folders {
		list = append(list, owned.Path{Path: f.path, Stays: b.user || f.root})
	}
	for _, log := range b.logs {
		list = append(list, owned.Path{Path: log, Stays: b.user})
	}
	return list
}

// Left reports whether a service that is not installed has left something to purge.
func (b belongings) Left(purge bool) bool {
	if purge && (b.Record.Left() || !b.user && account.Made(b.tree, b.name)) {
		return true
	}
	b.gone = true
	_ = b.Forget() // that nothing is installed is all that matters
	return false
}

// Forget gives back what was there before, and lets go of what is gone.
func (b belongings) Forget() error {
	if err := b.Return(b.paths()); err != nil {
		return err
	}
	c := b.tree.Begin(b.name)
	for _, p := range b.paths() {
		c.Sweep(path.Dir(p.Path))
	}
	return b.Record.Forget(b.paths(), !b.gone)
}

// Purge removes those that belong to the service, with all that is in them, and the account
// that install has made. It returns those that were there.
func (b belongings) Purge(ctx context.Context, m manage.Machine) (removed []string, err error) {
	removed, err = b.purgeFiles()
	if !b.user {
		made, failed := account.Remove(ctx, m, b.name)
		if made {
			removed = append(removed, "account "+account.Name(b.name))
		}
		if failed != nil {
			return removed, errors.Join(err, failed) // the record stays, so that purge can be called again
		}
	}
	return removed, errors.Join(err, b.Forget())
}

func (b belongings) purgeFiles() (removed []string, err error) {
	own, err := b.Paths()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range b.folders {
		if !slices.Contains(own, f.path) || !b.tree.Exists(f.path) {
			continue
		}
		if err := b.tree.Purge(f.path); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, f.path)
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
