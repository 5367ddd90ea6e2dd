package scm

import (
	"errors"
	"syscall"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// errnoOf returns the number that Windows has for err. Go's own numbers for errors of Unix
// have bit 29 set, as those of applications do. Two numbers mean something else in the
// status of a service: that the service-specific code counts, and that the service has
// never been started since the system was.
func errnoOf(err error) (win32.Errno, bool) {
	var no syscall.Errno
	if !errors.As(err, &no) || no == 0 || no >= syscall.APPLICATION_ERROR {
		return 0, false
	}
	if win32.Errno(no) == win32.ErrorServiceSpecific || win32.Errno(no) == win32.ErrorServiceNeverStarted {
		return 0, false
	}
	return win32.Errno(no), true
}
