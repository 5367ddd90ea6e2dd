//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Stat returns the mode and the owner of a folder; ok is false for anything else.
func Stat(folder string) (mode fs.FileMode, uid, gid int, ok bool) {
	info, err := os.Lstat(folder)
	if err != nil || !info.IsDir() {
		return 0, 0, 0, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, 0, false
	}
	return info.Mode() & bits, int(s.Uid), int(s.Gid), true
}

// bits are what chmod(2) changes.
const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Return gives a folder back: it gets this mode and this owner, and so does all in it that
// belongs to the one who has the folder now. What is not there is no error, links are not
// followed, and other file systems are left alone.
func Return(folder string, mode fs.FileMode, uid, gid int) error {
	now, ok := stat(os.Lstat(folder))
	if !ok {
		return nil
	}
	if int(now.Uid) != uid || int(now.Gid) != gid {
		if err := chown(folder, now, uid, gid); err != nil {
			return err
		}
	}
	if is, _, _, _ := Stat(folder); is == mode {
		return nil
	}
	return chmod(folder, mode)
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
