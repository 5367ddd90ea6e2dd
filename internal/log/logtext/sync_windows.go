package logtext

import (
	"syscall"

	"golang.org/x/sys/windows"
)

var cannotSync = []syscall.Errno{
	windows.ERROR_INVALID_HANDLE, windows.ERROR_INVALID_FUNCTION, windows.ERROR_ACCESS_DENIED,
	syscall.EINVAL, syscall.ENOTTY, syscall.EBADF, syscall.ENOTSUP,
}
