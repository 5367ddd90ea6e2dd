//go:build !windows

package scm

// win32 is none: the numbers of other systems mean something else to Windows.
func win32(error) (Errno, bool) { return 0, false }
