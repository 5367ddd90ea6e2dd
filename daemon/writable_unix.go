//go:build unix

package daemon

import "golang.org/x/sys/unix"

// stderrWritable reports whether a line written to standard error returns at once: a
// pipe has room for it, a terminal is not stopped. It does so too where the reader
// has gone.
func stderrWritable() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: 2, Events: unix.POLLOUT}}, 0)
	return n > 0 && err == nil
}
