package scm

import (
	"errors"
	"syscall"
)

// win32 is the number that Windows has for err. Go's own numbers for errors of Unix
// have bit 29 set, as those of applications do.
func win32(err error) (Errno, bool) {
	var no syscall.Errno
	if !errors.As(err, &no) || no == 0 || no >= syscall.APPLICATION_ERROR {
		return 0, false
	}
	return Errno(no), true
}
