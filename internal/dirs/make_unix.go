//go:build unix

package dirs

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// privileged reports whether the process may write where services of the machine do.
func privileged() bool { return os.Geteuid() == 0 }

func create(dir string, _ bool) error { return os.Mkdir(dir, 0o700) }

// private returns an error unless dir is a folder that nobody but this user can write.
// It has been made, and in a folder where only owners remove, as /tmp, it stays what it
// is.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a link: remove it, or run this as the service that has it", dir)
	case !mode.IsDir():
		return fmt.Errorf("%s is no folder: move it away", dir)
	case owner(info) != os.Geteuid():
		return fmt.Errorf("%s belongs to the user with ID %d, and this runs as %d: remove it, or run this as the service that has it", dir, owner(info), os.Geteuid())
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("others can write to %s (mode %04o): chmod go-w %[1]s", dir, mode.Perm())
	}
	return nil
}

// trusted returns an error if somebody else has made the link.
func trusted(link string, info fs.FileInfo) error {
	if o := owner(info); o != 0 && o != os.Geteuid() {
		return fmt.Errorf("%s is a link that the user with ID %d has made: remove it", link, o)
	}
	return nil
}

func owner(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
