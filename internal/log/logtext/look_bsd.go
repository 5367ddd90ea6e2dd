//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package logtext

import "golang.org/x/sys/unix"

const getTermios = unix.TIOCGETA
