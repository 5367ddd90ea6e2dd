package safe

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The kinds of entries of an access control list, and the right to write (posix_acl.h).
const (
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10

	aclVersion = 2
	aclWrite   = 2
)

// listed returns who the access control list of a file or folder lets write besides its
// owner and everybody. Without a list, which is the rule, ok is false and the mode says it.
func listed(p string, owning int) (users, groups []int, ok bool, err error) {
	b := make([]byte, 64<<10) // the kernel allows no more (XATTR_SIZE_MAX)
	n, err := unix.Lgetxattr(p, "system.posix_acl_access", b)
	switch {
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return nil, nil, false, nil
	case err != nil:
		return nil, nil, false, fmt.Errorf("read the access control list of %s: %w", p, err)
	}
	users, groups, err = writers(b[:n], owning)
	if err != nil {
		return nil, nil, false, fmt.Errorf("read the access control list of %s: %w", p, err)
	}
	return users, groups, true, nil
}

// writers reads a list as the kernel hands it out: a version, then for each entry its
// kind, its rights and the user or group. The mask bounds all of these entries.
func writers(list []byte, owning int) (users, groups []int, err error) {
	const header, size = 4, 8
	if len(list) < header || (len(list)-header)%size != 0 || binary.LittleEndian.Uint32(list) != aclVersion {
		return nil, nil, fmt.Errorf("it has a form that is not known: %x", list)
	}
	mask := uint16(aclWrite)
	for e := list[header:]; len(e) > 0; e = e[size:] {
		rights, id := binary.LittleEndian.Uint16(e[2:]), int(binary.LittleEndian.Uint32(e[4:]))
		switch kind := binary.LittleEndian.Uint16(e); {
		case kind == aclMask:
			mask = rights
		case rights&aclWrite == 0:
		case kind == aclUser:
			users = append(users, id)
		case kind == aclGroup:
			groups = append(groups, id)
		case kind == aclGroupObj:
			groups = append(groups, owning)
		}
	}
	if mask&aclWrite == 0 {
		return nil, nil, nil
	}
	return users, groups, nil
}
