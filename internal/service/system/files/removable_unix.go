//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Removable fails if one of the files cannot be removed, and changes nothing: who knows
// that before a service is stopped need not start it again. A file that is not there is no
// error. What it cannot foresee, removing finds out.
func (t Tree) Removable(paths ...string) error {
	for _, p := range paths {
		if err := t.removable(p); err != nil {
			return fmt.Errorf("%s cannot be removed: %w", p, err)
		}
	}
	return nil
}

func (t Tree) removable(p string) error {
	info, err := os.Lstat(t.Path(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	dir := path.Dir(p)
	switch err := unix.Access(t.Path(dir), unix.W_OK|unix.X_OK); {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%s is on a file system that is mounted read-only", dir)
	case errors.Is(err, unix.EPERM): // not for want of rights, which is EACCES
		return frozen(dir, "immutable", "i")
	case err != nil:
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	for _, at := range []string{dir, p} {
		if f := flagged(t.Path(at)); f != "" {
			return frozen(at, map[string]string{"i": "immutable", "a": "append-only"}[f], f)
		}
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	switch err := unix.Access(t.Path(p), unix.W_OK); { // any other error is nothing against removing it
	case errors.Is(err, unix.EROFS):
		return errors.New("it is mounted there, read-only")
	case errors.Is(err, unix.EPERM):
		return frozen(p, "immutable", "i")
	}
	return nil
}

// frozen does not wrap the error of the system, which would be taken for missing rights.
func frozen(p, how, flag string) error {
	return fmt.Errorf("%s is %s (%s %s)", p, how, unfreeze(flag), p)
}
