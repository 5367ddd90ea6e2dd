//go:build !windows && !plan9

package logtext

import "syscall"

var cannotSync = []syscall.Errno{syscall.EINVAL, syscall.ENOTTY, syscall.EBADF, syscall.ENOTSUP}
