package systemd

import (
	"os"

	"golang.org/x/sys/unix"
)

// ownPidfd returns the inode of this process, which is unique since the machine was booted.
// It returns false before Linux 6.9, which does not have such inodes.
func ownPidfd() (uint64, bool) {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return 0, false
	}
	defer func() { _ = unix.Close(fd) }()
	var system unix.Statfs_t
	if unix.Fstatfs(fd, &system) != nil || int64(system.Type) != unix.PID_FS_MAGIC {
		return 0, false // all pidfds share one inode
	}
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil {
		return 0, false
	}
	return stat.Ino, true
}
