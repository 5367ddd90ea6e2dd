//go:build unix

package logtext

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// duplicate returns a descriptor of our own for what f leads to. The program may close f,
// and the next file that it opens gets the same number.
func duplicate(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	// Fd would have f block, for everybody who has it.
	failed := raw.Control(func(d uintptr) { fd, err = unix.FcntlInt(d, dupFD, 3) })
	if err = errors.Join(failed, err); err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	return fd, nil
}
