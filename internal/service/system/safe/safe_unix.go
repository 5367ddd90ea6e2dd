//go:build unix

package safe

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// executable looks at all that lies on the way to file: each folder, and each link,
// that of a link to a link as well. Who can change one of them chooses what is run.
func executable(file string, user bool) error {
	if !filepath.IsAbs(file) {
		return fmt.Errorf("%s: want an absolute path", file)
	}
	const most = 40 // the kernel gives up at as many
	at, rest := "/", strings.Split(filepath.Clean(file), "/")
	if err := one(at, user); err != nil {
		return err
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..": // of where a link led
			at = filepath.Dir(at)
			continue
		}
		p := filepath.Join(at, name)
		info, err := os.Lstat(p)
		if err != nil {
			return err
		}
		if err := one(p, user); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = p
			continue
		}
		if links++; links > most {
			return fmt.Errorf("%s: %w", file, syscall.ELOOP)
		}
		target, err := os.Readlink(p)
		if err != nil {
			return err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return nil
}

// one looks at a file, a folder or a link itself.
func one(p string, user bool) error {
	info, err := os.Lstat(p)
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
	case mode&fs.ModeSymlink != 0:
		return nil // its mode means nothing
	case info.IsDir() && mode&fs.ModeSticky != 0:
		return nil // as /tmp: only owners remove, and the owner was looked at
	case mode.Perm()&0o002 != 0:
		return fmt.Errorf("everybody can write to %s (mode %04o): %w; chmod o-w %s", p, mode.Perm(), service.ErrUnsafe, p)
	}
	return listing(p, mode, group, user)
}

// listing looks at the group, and at whom an access control list lets write. With such a
// list the bits of the group in the mode are only the most that anybody in the list has.
func listing(p string, mode fs.FileMode, group int, user bool) error {
	users, groups, ok, err := listed(p, group)
	if err != nil {
		return err
	}
	if !ok && mode.Perm()&0o020 != 0 {
		groups = []int{group}
	}
	for _, id := range users {
		if id != 0 && (!user || id != os.Geteuid()) {
			return fmt.Errorf("the user with ID %d can write to %s by its access control list: %w; setfacl -x u:%d %s", id, p, service.ErrUnsafe, id, p)
		}
	}
	for _, id := range groups {
		switch {
		case id == 0 || user && id == os.Getegid():
		case ok && id != group:
			return fmt.Errorf("the group with ID %d can write to %s by its access control list: %w; setfacl -x g:%d %s", id, p, service.ErrUnsafe, id, p)
		default:
			return fmt.Errorf("the group with ID %d can write to %s (mode %04o): %w; chmod g-w %s", id, p, mode.Perm(), service.ErrUnsafe, p)
		}
	}
	return nil
}
