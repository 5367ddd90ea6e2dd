package winsvc

import "syscall"

func systemText(e errno) string { return syscall.Errno(e).Error() }
