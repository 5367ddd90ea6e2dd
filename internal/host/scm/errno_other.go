//go:build !windows

package scm

import "github.com/go-glidepath/glidepath/internal/win32"

// errnoOf is none: the numbers of other systems mean something else to Windows.
func errnoOf(error) (win32.Errno, bool) { return 0, false }
