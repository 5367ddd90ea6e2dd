//go:build unix

package initd

import (
	"os"
	"syscall"

	"github.com/go-glidepath/glidepath/internal/service/onefile"
)

// owner is the ID of the user to whom a file belongs.
func owner(file string) (uid int, ok bool) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// belongs is who a file, or a link, belongs to.
func belongs(file string) (o onefile.Owner, ok bool) {
	info, err := os.Lstat(file)
	if err != nil {
		return o, false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return o, false
	}
	return onefile.Owner{UID: int(s.Uid), GID: int(s.Gid)}, true
}
