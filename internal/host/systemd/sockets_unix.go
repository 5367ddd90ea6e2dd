//go:build unix

package systemd

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// closeOnExec keeps n descriptors from children. It changes nothing unless all were handed
// over: what a process gets from the one that has started it is open, and not closed
// on exec. One that is has been opened, or taken already, in this process: the
// runtime's own descriptors have the same numbers where nothing was handed over.
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
