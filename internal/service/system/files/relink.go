package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Relink returns a function for Change.Call that makes those of the symbolic links at
// paths again that are gone by then: tools of a manager remove them.
func (t Tree) Relink(paths ...string) func() error {
	type link struct{ at, to string }
	links := make([]link, len(paths))
	for i, p := range paths {
		links[i] = link{t.Path(p), t.Link(p)}
	}
	return func() error {
		var errs []error
		for _, l := range links {
			err := os.MkdirAll(filepath.Dir(l.at), 0o755) // systemctl removes it with the last link
			if err == nil {
				err = os.Symlink(l.to, l.at)
			}
			if !errors.Is(err, fs.ErrExist) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
}
