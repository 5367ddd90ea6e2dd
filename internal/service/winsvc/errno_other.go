//go:build !windows

package winsvc

func systemText(errno) string { return "an error of Windows" }
