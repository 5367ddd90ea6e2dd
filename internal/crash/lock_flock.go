//go:build unix && !solaris && !illumos && !aix

package crash

import (
	"errors"
	"os"
	"syscall"
)

// lock locks f until all descriptors of this open file are closed, including the runtime's
// copy. Child processes do not inherit it.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errBusy
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}
