//go:build aix || (solaris && !illumos)

package lock

import (
	"io"
	"os"
	"syscall"
)

// These systems have no flock. The lock is one of the process, which changes a service
// only once at a time.
func lock(f *os.File) error {
	return syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart})
}
