//go:build unix

package logtext

import (
	"os"

	"golang.org/x/sys/unix"
)

// descriptor returns the descriptor of f unchanged. f.Fd would make it blocking for
// everyone who shares it.
func descriptor(f *os.File) int {
	d := -1
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { d = int(fd) })
	}
	return d
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(descriptor(f), getTermios)
	return err == nil
}

func capable(term string) bool { return term != "" && term != "dumb" }
