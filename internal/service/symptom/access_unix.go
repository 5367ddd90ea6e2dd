//go:build unix

package symptom

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-glidepath/glidepath/internal/service/system/listens"
	"github.com/go-glidepath/glidepath/internal/service/system/shell"
)

// Here returns what is known about this machine, for a service.
func Here(s Service) Machine {
	return Machine{
		Exists:  exists,
		Barred:  func(file string, to Use) (string, string) { return identify(s).barred(file, to) },
		Group:   deviceGroup,
		Listens: listens.Who,
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// identity is who a service is for the files of the machine.
type identity struct {
	Service
	uid    uint32 // unknownUID if it is not known
	groups []uint32
}

const unknownUID = ^uint32(0)

// identify returns the identity of s, as far as it is known.
func identify(s Service) identity {
	id := identity{Service: s, uid: unknownUID}
	switch {
	case s.Spec.User:
		id.uid = uint32(os.Getuid())
		for _, g := range append(orNil(os.Getgroups()), os.Getgid()) {
			id.groups = append(id.groups, uint32(g))
		}
	case s.Limits.Account == "root":
		id.uid = 0
	case s.Limits.Dynamic: // the owner of its state is the user of its last run
		if o, ok := owner(s.State); ok && o.Uid != 0 {
			id.uid, id.groups = o.Uid, []uint32{o.Gid}
		}
	default:
		u, err := user.Lookup(s.Limits.Account)
		if err != nil {
			break
		}
		if n, err := strconv.ParseUint(u.Uid, 10, 32); err == nil {
			id.uid = uint32(n)
		}
		for _, g := range orNil(u.GroupIds()) {
			if n, err := strconv.ParseUint(g, 10, 32); err == nil {
				id.groups = append(id.groups, uint32(n))
			}
		}
	}
	return id
}

// orNil returns nil if there was an error: then less is known.
func orNil[T any](list []T, err error) []T {
	if err != nil {
		return nil
	}
	return list
}

func owner(file string) (*syscall.Stat_t, bool) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return st, ok
}

// permits reports whether the mode of a file lets id do what: a sum of 4 (read), 2 (write)
// and 1 (execute).
func (id identity) permits(info fs.FileInfo, what fs.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok, id.uid == 0:
		return true
	case st.Uid == id.uid:
		what <<= 6
	case slices.Contains(id.groups, st.Gid):
		what <<= 3
	}
	return info.Mode().Perm()&what == what
}

// barred explains the first file or folder, from the root, that does not let id use file.
func (id identity) barred(file string, to Use) (why, remedy string) {
	if id.uid == unknownUID && !id.Limits.Dynamic {
		return "", "" // its account is not known
	}
	parts := strings.Split(file, "/")
	for i := 1; i < len(parts); i++ {
		dir := path.Join("/", strings.Join(parts[:i], "/"))
		info, err := os.Stat(dir)
		if err != nil {
			return "", ""
		}
		if !id.permits(info, 1) {
			return id.barredBy("enter", dir, info, "x")
		}
	}
	info, err := os.Stat(file)
	if err != nil && to == Write { // it would be created
		file = path.Dir(file)
		info, err = os.Stat(file)
	}
	if err != nil {
		return "", ""
	}
	mode, right := fs.FileMode(4), "r"
	switch to {
	case Write:
		mode, right = 2, "w"
	case Execute:
		mode, right = 1, "x"
	}
	if id.permits(info, mode) {
		return "", ""
	}
	return id.barredBy(string(to), file, info, right)
}

// barredBy says that id may not do what with file, because it lacks the right.
func (id identity) barredBy(what, file string, info fs.FileInfo, right string) (why, remedy string) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", ""
	}
	account := id.Limits.Account
	if account == "" {
		account = id.Spec.Name
	}
	why = fmt.Sprintf("its account %s may not %s %s (mode %04o, owner %s:%s)", account, what, file, info.Mode().Perm(), userName(st.Uid), groupName(st.Gid))
	name := shell.Quote(file)
	switch {
	case id.Spec.User:
		return strings.Replace(why, "its account "+account, "its user", 1), "have its owner allow it: chmod o+" + right + " " + name
	case id.Limits.Dynamic && id.State != "" && strings.HasPrefix(file, id.State+"/"):
		return why, "chown -h --reference=" + shell.Quote(id.State) + " " + name
	case id.Limits.Dynamic && right == "r":
		return why, "pass it with Service.Systemd.Credentials (LoadCredential=); or chmod o+r " + name + ", if it is not secret; or give the service a permanent account (Service.Account, User=) and the file its group"
	case id.Limits.Dynamic && right == "w":
		if id.State == "" {
			return why, "have it write to its own folders"
		}
		return why, "have it write to its state folder " + id.State
	case id.Limits.Dynamic:
		return why, "chmod o+" + right + " " + name
	}
	group := account
	if len(id.groups) > 0 {
		group = groupName(id.groups[0])
	}
	return why, fmt.Sprintf("chgrp %s %s && chmod g+%s %s", group, name, right, name)
}

func userName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(n); err == nil {
		return u.Username
	}
	return n
}

func groupName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(n); err == nil {
		return g.Name
	}
	return n
}

// deviceGroup returns the group of a device that others may not use, or "".
func deviceGroup(device string) string {
	info, err := os.Stat(device)
	if err != nil || info.Mode().Perm()&0o006 == 0o006 {
		return ""
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Gid != 0 {
		return groupName(st.Gid)
	}
	return ""
}
