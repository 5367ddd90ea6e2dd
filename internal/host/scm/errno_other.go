//go:build !windows

package scm

import "github.com/go-glidepath/glidepath/internal/win32"

// errnoOf returns false, because the error numbers of other systems mean something else to Windows.
func errnoOf(error) (win32.Errno, bool) { return 0, false }
