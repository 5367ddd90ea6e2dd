//go:build linux || solaris || illumos || aix

package logtext

import "golang.org/x/sys/unix"

const getTermios = unix.TCGETS
