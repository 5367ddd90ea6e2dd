//go:build unix

package crash

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// create makes the file and locks it. It returns errBusy if another process took the file
// before it was locked.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockAndCheck(f, path); err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		return nil, err
	}
	return f, nil
}

// claim opens the file of a run that has ended, and locks it. Only one process succeeds.
func claim(path string) (*os.File, error) {
	f, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := lockAndCheck(f, path); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// lockAndCheck locks f and checks that path still names it: the process that had it locked may have
// filed it.
func lockAndCheck(f *os.File, path string) error {
	if err := lock(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Lstat(path); err != nil || !os.SameFile(info, now) {
		return errBusy
	}
	return nil
}

// openRegular opens a regular file. It follows no link, and does not block on a pipe.
func openRegular(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := statRegular(f, path)
	if err == nil && flag != os.O_RDONLY && owner(info) != os.Geteuid() {
		err = fmt.Errorf("%s belongs to the user with ID %d: remove it", path, owner(info))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func checkPrivate(dir string, info fs.FileInfo, read bool) error {
	return checkAccess(dir, owner(info), info.Mode(), os.Geteuid(), read)
}

// checkAccess returns an error unless the user with ID uid may use a folder with that owner and
// mode, or, with read, may look at it.
func checkAccess(dir string, owner int, mode fs.FileMode, uid int, read bool) error {
	switch {
	case owner != uid && uid != 0 && read:
		return &fs.PathError{Op: "read", Path: dir, Err: fs.ErrPermission}
	case owner != uid && !read:
		return fmt.Errorf("%s belongs to the user with ID %d, but this program runs as %d", dir, owner, uid)
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("others can write to %s (mode %04o): chmod go-w %[1]s", dir, mode.Perm())
	}
	return nil
}

func owner(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
