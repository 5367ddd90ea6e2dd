//go:build unix

package lock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// folders are where the file of a lock may be. All processes that change services of the
// machine find the same one first. Only root can write to them, which others could fill
// with files of that name, or with links.
var folders = []string{"/run", "/var/run", "/etc"}

func take(name string, user bool, doing string) (func(), error) {
	where := folders
	if user {
		dir, err := ofUser()
		if err != nil {
			return nil, err
		}
		where = []string{dir}
	}
	return takeIn(where, "glidepath-"+name+".lock", doing)
}

// ofUser is a folder that only this user can write to.
func ofUser() (string, error) {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for a lock: %w", err)
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func takeIn(folders []string, base, doing string) (func(), error) {
	for _, dir := range folders {
		file := filepath.Join(dir, base)
		f, err := acquire(file)
		switch {
		case err == nil:
			_ = f.Truncate(0) // what it says is only for people
			_, _ = f.WriteAt([]byte(note{doing, os.Getpid(), time.Now()}.String()), 0)
			return func() {
				_ = os.Remove(file) // a file that stays locks nothing once it is closed
				_ = f.Close()
			}, nil
		case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EROFS):
		default:
			return nil, err
		}
	}
	return func() {}, nil
}

// acquire opens and locks a file.
func acquire(file string) (*os.File, error) {
	for range 100 {
		f, err := open(file)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			if errors.Is(err, syscall.EINTR) {
				_ = f.Close()
				continue
			}
			if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EACCES) {
				text, _ := io.ReadAll(io.LimitReader(f, 100))
				err = held(string(text))
			}
			return nil, errors.Join(err, f.Close())
		}
		// Whoever had it before may have removed the file since it was opened: then it is
		// no longer the one that others find.
		mine, err := f.Stat()
		now, err2 := os.Lstat(file)
		if err == nil && err2 == nil && os.SameFile(mine, now) {
			return f, nil
		}
		_ = f.Close()
	}
	return nil, service.ErrBusy // by one after the other
}

func open(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600) // Go adds O_CLOEXEC
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	if err := own(f, file); err != nil {
		return nil, errors.Join(fmt.Errorf("take the lock: %w", err), f.Close())
	}
	return f, nil
}

// own fails unless f is a file that this user has made.
func own(f *os.File, file string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file: remove it", file)
	case ok && int(s.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to the user with ID %d: remove it", file, s.Uid)
	}
	return nil
}
