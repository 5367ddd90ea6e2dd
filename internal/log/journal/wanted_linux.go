package journal

import (
	"os"
	"syscall"
)

// isFile reports whether f is that file. It asks f and not a number that may have become
// another file's, and which Fd would have block.
func isFile(f *os.File, device, inode uint64) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && uint64(s.Dev) == device && s.Ino == inode
}
