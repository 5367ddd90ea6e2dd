package journal

import (
	"os"
	"syscall"
)

// isFile reports whether f is the file with this device and inode. It does not use Fd,
// whose number may be reused and which would make f blocking.
func isFile(f *os.File, device, inode uint64) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && uint64(s.Dev) == device && s.Ino == inode
}
