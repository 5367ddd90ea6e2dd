package win32

import "syscall"

func systemText(e Errno) string { return syscall.Errno(e).Error() }
