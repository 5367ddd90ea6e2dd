//go:build unix

package safe

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-glidepath/glidepath/internal/service"
)

func executable(file string, user bool) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	// The folders of a link count as well as those of what it leads to.
	for _, p := range []string{file, real} {
		for ; ; p = filepath.Dir(p) {
			if err := one(p, user); err != nil {
				return err
			}
			if p == filepath.Dir(p) {
				break
			}
		}
	}
	return nil
}

func one(p string, user bool) error {
	info, err := os.Stat(p)
	if err != nil {
		return err
	}
	owner, group := -1, -1
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		owner, group = int(s.Uid), int(s.Gid)
	}
	mode := info.Mode()
	switch {
	case owner != 0 && (!user || owner != os.Geteuid()):
		return fmt.Errorf("%s belongs to the user with ID %d: %w; move the executable, to /usr/local/bin for one", p, owner, service.ErrUnsafe)
	case info.IsDir() && mode&fs.ModeSticky != 0:
		return nil // as /tmp: only owners remove, and the owner was looked at
	case mode.Perm()&0o002 != 0:
		return fmt.Errorf("everybody can write to %s (mode %04o): %w; chmod o-w %s", p, mode.Perm(), service.ErrUnsafe, p)
	case mode.Perm()&0o020 != 0 && group != 0 && (!user || group != os.Getegid()):
		return fmt.Errorf("the group with ID %d can write to %s (mode %04o): %w; chmod g-w %s", group, p, mode.Perm(), service.ErrUnsafe, p)
	}
	return nil
}
