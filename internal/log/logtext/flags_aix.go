package logtext

import "golang.org/x/sys/unix"

// AIX has neither MSG_DONTWAIT nor F_DUPFD_CLOEXEC.
const (
	dontWait = 0
	dupFD    = unix.F_DUPFD
)
