package safe

import "golang.org/x/sys/unix"

func noexec(file string) bool {
	var s unix.Statfs_t
	return unix.Statfs(file, &s) == nil && s.Flags&unix.ST_NOEXEC != 0
}
