package logtext

import "golang.org/x/sys/unix"

// AIX lacks MSG_DONTWAIT and F_DUPFD_CLOEXEC.
const (
	dontWait = 0
	dupFD    = unix.F_DUPFD
)
