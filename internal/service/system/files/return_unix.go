//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Stat returns the mode and the owner of a folder, a regular file or a link, whose mode is only
// that it is one; ok is false for anything else.
func Stat(file string) (mode fs.FileMode, uid, gid int, ok bool) {
	info, err := os.Lstat(file)
	if err != nil {
		return 0, 0, 0, false
	}
	switch s, ok := stat(info, nil); {
	case !ok:
		return 0, 0, 0, false
	case info.Mode()&fs.ModeSymlink != 0:
		return fs.ModeSymlink, int(s.Uid), int(s.Gid), true
	case info.IsDir() || info.Mode().IsRegular():
		return info.Mode() & bits, int(s.Uid), int(s.Gid), true
	}
	return 0, 0, 0, false
}

// bits are what chmod(2) changes.
const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Return gives back what Stat has found: it gets this mode and this owner, and so does all in a
// folder that belongs to the one who has the folder now. It returns nil if file does not
// exist. Links are not followed, and other file systems are left alone. A link in place of something else,
// and something else in place of a link, stay as they are.
func Return(file string, mode fs.FileMode, uid, gid int) error {
	info, err := os.Lstat(file)
	now, ok := stat(info, err)
	switch {
	case !ok, info.Mode()&fs.ModeSymlink != mode&fs.ModeSymlink:
		return nil
	case mode&fs.ModeSymlink != 0:
		return os.Lchown(file, uid, gid)
	case !info.IsDir():
		return returnFile(file, mode, uid, gid)
	}
	if int(now.Uid) != uid || int(now.Gid) != gid {
		if err := chown(file, now, uid, gid); err != nil {
			return err
		}
	}
	if is, _, _, _ := Stat(file); is == mode {
		return nil
	}
	return chmod(file, mode)
}

// returnFile gives back a regular file, unless it has another name as well: then it may be any
// file of the machine.
func returnFile(file string, mode fs.FileMode, uid, gid int) error {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	now, ok := stat(info, err)
	if !ok || !info.Mode().IsRegular() || now.Nlink != 1 {
		return err
	}
	return errors.Join(f.Chown(uid, gid), f.Chmod(mode))
}

func stat(info fs.FileInfo, err error) (*syscall.Stat_t, bool) {
	if err != nil || info == nil {
		return nil, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return s, ok
}

// chown leaves the folder itself to the end: until then it says whose the rest was.
func chown(folder string, from *syscall.Stat_t, uid, gid int) error {
	root, err := os.OpenRoot(folder) // nothing in it leads out of it
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		s, ok := stat(root.Lstat(p))
		switch {
		case !ok:
			return nil // it has just gone
		case d.IsDir() && s.Dev != from.Dev: // files of an overlay have the device of one of its layers
			return fs.SkipDir
		}
		u, g := -1, -1
		if s.Uid == from.Uid {
			u = uid
		}
		if s.Gid == from.Gid {
			g = gid
		}
		if u < 0 && g < 0 {
			return nil
		}
		if err := root.Lchown(p, u, g); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return root.Lchown(".", uid, gid)
}
