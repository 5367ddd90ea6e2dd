//go:build unix

package logtext

import (
	"os"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(descriptor(f), getTermios)
	return err == nil
}

func capable(term string) bool { return term != "" && term != "dumb" }

func enableColour(*os.File) (restore func(), ok bool) { return nil, true }
