package journal

import "golang.org/x/sys/unix"

// isFile reports whether the file behind a descriptor is that one.
func isFile(fd uintptr, device, inode uint64) bool {
	var s unix.Stat_t
	return unix.Fstat(int(fd), &s) == nil && s.Dev == device && s.Ino == inode
}
