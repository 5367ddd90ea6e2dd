package files

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// identity returns when the file was made, or its inode where the file system keeps no such
// time: an inode that has become free is often the next one that is used.
func identity(file string) string {
	var s unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, file, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME|unix.STATX_INO, &s) != nil {
		return ""
	}
	if s.Mask&unix.STATX_BTIME != 0 && s.Btime.Sec != 0 {
		return fmt.Sprintf("made:%d.%09d", s.Btime.Sec, s.Btime.Nsec)
	}
	return fmt.Sprintf("inode:%d", s.Ino)
}
