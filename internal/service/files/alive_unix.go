//go:build unix

package files

import "syscall"

// alive reports whether there is a process of that number. One of another user is there,
// too.
func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
