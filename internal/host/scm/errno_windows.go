package scm

import (
	"errors"
	"syscall"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// errnoOf returns the error of Windows in err, if there is one. It ignores the numbers that Go
// invented for errors of Unix, which have bit 29 set, like all numbers of applications. It also
// ignores two numbers that mean something else in the status of a service: that the
// service-specific code counts, and that the service has not been started since the last boot.
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
