//go:build unix

package initd

import (
	"os"
	"syscall"
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
