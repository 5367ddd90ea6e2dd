//go:build unix && !aix

package logtext

import "golang.org/x/sys/unix"

const (
	dontWait = unix.MSG_DONTWAIT
	dupFD    = unix.F_DUPFD_CLOEXEC
)
