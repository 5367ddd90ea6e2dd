//go:build unix

package systemd

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// closeOnExec keeps child processes from inheriting n descriptors. It changes nothing unless
// all of them were passed to this process: such a descriptor is open and does not have the
// close-on-exec flag yet. One that has the flag was opened or taken by this process. If none
// were passed, the runtime's own descriptors have the same numbers.
func closeOnExec(first, n int) error {
	for fd := first; fd < first+n; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			return fmt.Errorf("LISTEN_FDS says %d, but descriptor %d: %w", n, fd, err)
		}
		if flags&unix.FD_CLOEXEC != 0 {
			return fmt.Errorf("LISTEN_FDS says %d, but descriptor %d was not handed over, or something in this process has taken it already", n, fd)
		}
	}
	for fd := first; fd < first+n; fd++ {
		unix.CloseOnExec(fd)
	}
	return nil
}
