//go:build unix

package logtext

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// duplicate returns a new descriptor for the target of f. The program may close f, and the
// next file it opens gets the same number.
func duplicate(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	// Fd would make f blocking for everyone who shares it.
	failed := raw.Control(func(d uintptr) { fd, err = unix.FcntlInt(d, dupFD, 3) })
	if err = errors.Join(failed, err); err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	return fd, nil
}
