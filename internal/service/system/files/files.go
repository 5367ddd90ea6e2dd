// Package files changes several files so that all of it happens or nothing.
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Tree is where the files are: "" is the machine's own root, a folder stands for it in
// tests.
type Tree string

// Path is where the tree's absolute path p is.
func (t Tree) Path(p string) string { return filepath.Join(string(t), p) }

// Read returns the text of a file, and whether there is one. What is no regular file
// is an error: links are not followed.
func (t Tree) Read(p string) (text string, exists bool, err error) {
	info, err := os.Lstat(t.Path(p))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, err
	case info.Mode()&fs.ModeSymlink != 0:
		target, _ := os.Readlink(t.Path(p))
		return "", true, fmt.Errorf("%s is a link to %s: %w", p, target, errNotRegular)
	case !info.Mode().IsRegular():
		return "", true, fmt.Errorf("%s is %s: %w", p, info.Mode().Type(), errNotRegular)
	}
	b, err := os.ReadFile(t.Path(p))
	return string(b), true, err
}

// Link returns where a symbolic link leads, "" if there is none.
func (t Tree) Link(p string) string {
	target, err := os.Readlink(t.Path(p))
	if err != nil {
		return ""
	}
	return target
}

// Exists reports whether there is anything at p, a dangling link included.
func (t Tree) Exists(p string) bool {
	_, err := os.Lstat(t.Path(p))
	return err == nil
}

var errNotRegular = errors.New("want a regular file")

// Change is a series of changes that can be undone. When one of them fails, it has
// left nothing, and the caller calls Undo for those before.
type Change struct {
	tree  Tree
	name  string
	undo  []func() error
	saved []string // what Keep removes
	swept []string // folders
	Done  []string // the paths that were made, replaced or removed, in order
}

// Begin begins a series for the service called name. There is one at a time for a service.
func (t Tree) Begin(name string) *Change { return &Change{tree: t, name: name} }

// Write makes a file or replaces it, at once for whoever reads it. Folders above it
// that are missing are made, with mode 0755.
func (c *Change) Write(p, text string, mode fs.FileMode) error {
	c.Sweep(filepath.Dir(p))
	_, exists, err := c.tree.Read(p)
	if err != nil {
		return err
	}
	file := c.tree.Path(p)
	made, err := c.temporary(p, text, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", p, err)
	}
	undo := func() error { return os.Remove(file) }
	if exists {
		saved := made + old
		if err := os.Link(file, saved); err != nil {
			return errors.Join(fmt.Errorf("keep the old %s: %w", p, err), os.Remove(made))
		}
		c.saved = append(c.saved, saved)
		undo = func() error { return os.Rename(saved, file) }
	}
	if err := os.Rename(made, file); err != nil {
		err = errors.Join(fmt.Errorf("put %s into place: %w", p, err), os.Remove(made))
		if exists {
			c.saved = c.saved[:len(c.saved)-1]
			err = errors.Join(err, os.Remove(made+old))
		}
		return err
	}
	c.did(p, undo)
	return sync(filepath.Dir(file))
}

// old ends the names of what Keep removes.
const old = ".old"

// temporary writes text to a new file next to p.
func (c *Change) temporary(p, text string, mode fs.FileMode) (name string, err error) {
	var f *os.File
	for range 10 {
		if err := c.Mkdir(filepath.Dir(p), 0o755); err != nil {
			return "", err
		}
		f, err = os.CreateTemp(filepath.Dir(c.tree.Path(p)), "."+c.name+part+"*")
		if !errors.Is(err, fs.ErrNotExist) {
			break // and else the last file of another service has gone, and the folder with it
		}
	}
	if err != nil {
		return "", nameless(err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// nameless is err without the name of a temporary file, which means nothing to anybody.
func nameless(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Mkdir makes a folder and those above it that are missing.
func (c *Change) Mkdir(p string, mode fs.FileMode) error { return c.MkdirFor(p, mode, nil) }

// MkdirFor is Mkdir, and has give give the folder to its owner, unless it is nil. Nobody
// finds the folder before that is done.
func (c *Change) MkdirFor(p string, mode fs.FileMode, give func(folder string) error) error {
	dir := c.tree.Path(p)
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is no folder", p)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if above := filepath.Dir(p); above != p {
		if err := c.Mkdir(above, max(mode, 0o755)); err != nil {
			return err
		}
	}
	if give == nil {
		if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		c.did(p, func() error { return removeFolder(dir) })
		return chmod(dir, mode) // whatever the umask is
	}
	c.Sweep(filepath.Dir(p))
	made, err := os.MkdirTemp(filepath.Dir(dir), "."+c.name+part+"*")
	if err != nil {
		return fmt.Errorf("make %s: %w", p, nameless(err))
	}
	if err := errors.Join(chmod(made, mode), give(made)); err != nil {
		return errors.Join(err, os.Remove(made))
	}
	if err := os.Rename(made, dir); err != nil {
		return errors.Join(fmt.Errorf("make %s: %w", p, err), os.Remove(made))
	}
	c.did(p, func() error { return removeFolder(dir) })
	return nil
}

// removeFolder removes a folder, unless somebody else has put something into it.
func removeFolder(dir string) error {
	err := os.Remove(dir)
	if left, _ := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || len(left) > 0 {
		return nil
	}
	return err
}

// Symlink makes a symbolic link, or changes one.
func (c *Change) Symlink(p, target string) error {
	if err := c.Mkdir(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	file, old := c.tree.Path(p), c.tree.Link(p)
	if old == target {
		return nil
	}
	undo := func() error { return os.Remove(file) }
	if old != "" {
		if err := os.Remove(file); err != nil {
			return err
		}
		undo = func() error { return errors.Join(os.Remove(file), os.Symlink(old, file)) }
	}
	if err := os.Symlink(target, file); err != nil {
		if old != "" {
			err = errors.Join(err, os.Symlink(old, file))
		}
		return err
	}
	c.did(p, undo)
	return nil
}

// Remove removes a file or a link. It returns nil if p does not exist.
func (c *Change) Remove(p string) error {
	c.Sweep(filepath.Dir(p))
	file := c.tree.Path(p)
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", p)
	}
	// It takes no space: what is removed may be what has filled the disk.
	saved := filepath.Join(filepath.Dir(file), fmt.Sprintf(".%s%s%d%s", c.name, part, len(c.undo), old))
	if err := os.Rename(file, saved); err != nil {
		return err
	}
	c.saved = append(c.saved, saved)
	c.did(p, func() error { return os.Rename(saved, file) })
	return nil
}

// Call has Undo call f, in its turn: for what was done beside files.
func (c *Change) Call(f func() error) { c.undo = append(c.undo, f) }

func (c *Change) did(p string, undo func() error) {
	c.Done = append(c.Done, p)
	c.undo = append(c.undo, undo)
}

// Undo takes back all that was done, the last first.
func (c *Change) Undo() error {
	var errs []error
	for _, f := range slices.Backward(c.undo) {
		errs = append(errs, f())
	}
	c.undo, c.saved = nil, nil
	return errors.Join(errs...)
}

// Keep lets go of what Undo would need.
func (c *Change) Keep() error {
	var errs []error
	for _, p := range c.saved {
		errs = append(errs, os.Remove(p))
	}
	c.undo, c.saved = nil, nil
	return errors.Join(errs...)
}
