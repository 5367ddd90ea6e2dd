//go:build unix && !solaris && !illumos && !aix

package crash

import (
	"errors"
	"os"
	"syscall"
)

// lock locks f for as long as this file is open, by whatever descriptor: the runtime has
// one of its own. Programs that are started from here get none.
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
