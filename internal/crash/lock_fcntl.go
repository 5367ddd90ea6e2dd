//go:build solaris || illumos || aix

package crash

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks f for this process, until it closes any descriptor of that file.
func lock(f *os.File) error {
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
			return errBusy
		default:
			return os.NewSyscallError("fcntl", err)
		}
	}
}
