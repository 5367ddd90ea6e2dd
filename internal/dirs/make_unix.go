//go:build unix

package dirs

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// privileged reports whether the process may write where system services do.
func privileged() bool { return os.Geteuid() == 0 }

func create(dir string, _ bool) error { return os.Mkdir(dir, 0o700) }

// private returns an error unless dir is a folder that only this user can write to. Nobody
// else can replace it afterwards, not even in a folder such as /tmp, where only owners
// remove files.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a link: remove it, or run the program as the service that owns it", dir)
	case !mode.IsDir():
		return fmt.Errorf("%s is not a folder: move it away", dir)
	case owner(info) != os.Geteuid():
		return fmt.Errorf("%s belongs to the user with ID %d, but this program runs as %d: remove it, or run the program as the service that owns it", dir, owner(info), os.Geteuid())
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("others can write to %s (mode %04o): chmod go-w %[1]s", dir, mode.Perm())
	}
	return nil
}

// trusted returns an error if another user made the link.
func trusted(link string, info fs.FileInfo) error {
	if o := owner(info); o != 0 && o != os.Geteuid() {
		return fmt.Errorf("%s is a link made by the user with ID %d: remove it", link, o)
	}
	return nil
}

func owner(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
