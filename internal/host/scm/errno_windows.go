package scm

import (
	"errors"
	"syscall"
)

// win32 returns the number that Windows has for err. Go's own numbers for errors of Unix
// have bit 29 set, as those of applications do. Two numbers mean something else in the
// status of a service: that the service-specific code counts, and that the service has
// never been started since the system was.
func win32(err error) (Errno, bool) {
	var no syscall.Errno
	if !errors.As(err, &no) || no == 0 || no >= syscall.APPLICATION_ERROR {
		return 0, false
	}
	if Errno(no) == ErrorServiceSpecific || Errno(no) == ErrorServiceNeverStarted {
		return 0, false
	}
	return Errno(no), true
}
