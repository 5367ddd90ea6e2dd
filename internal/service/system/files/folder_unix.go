//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Open opens a file to be read, which may lie in a folder of somebody else: a link is
// not followed, and nobody is waited for.
func (t Tree) Open(p string) (*os.File, error) {
	f, err := os.OpenFile(t.Path(p), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		if target := t.Link(p); target != "" {
			err = fmt.Errorf("%s is a link to %s: %w", p, target, errNotRegular)
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s: %w", p, info.Mode().Type(), errNotRegular)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// A folder may be made in one that somebody else owns, who can put a link in its place
// before it is given a mode and an owner. What is open stays what it is.

func open(folder string) (*os.File, error) {
	return os.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

func chmod(folder string, mode fs.FileMode) error {
	f, err := open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Chmod(mode)
}

// Give gives a folder to another owner. What is no folder, or a link to one, is an
// error.
func Give(folder string, uid, gid int) error {
	f, err := open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Chown(uid, gid)
}

// Owner is the ID of the user to whom a folder belongs, and whether there is one.
func Owner(folder string) (uid int, ok bool) {
	info, err := os.Lstat(folder)
	if err != nil || !info.IsDir() {
		return 0, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}
