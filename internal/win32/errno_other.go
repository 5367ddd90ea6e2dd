//go:build !windows

package win32

func systemText(Errno) string { return "an error of Windows" }
