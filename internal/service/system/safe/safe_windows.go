package safe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

func executable(file string, user bool) error {
	real, err := final(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	own := ""
	if user {
		u, err := windows.GetCurrentProcessToken().GetTokenUser()
		if err != nil {
			return fmt.Errorf("find out who this user is: %w", err)
		}
		own = u.User.Sid.String()
	}
	for _, p := range append(trail(file, readlink), real) {
		for r := isFile; ; r = min(r+1, isAbove) {
			o, err := look(p, r)
			if err != nil {
				return fmt.Errorf("find out who can write to %s: %w", p, err)
			}
			if err := judge(o, own, account); err != nil {
				return err
			}
			if p == filepath.Dir(p) {
				break
			}
			p = filepath.Dir(p)
		}
	}
	return nil
}

// open opens a file or a folder to look at it. A link is not followed with
// windows.FILE_FLAG_OPEN_REPARSE_POINT.
func open(path string, access, flags uint32) (windows.Handle, error) {
	w, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(w, access, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|flags, 0)
}

// readlink is where a link or a junction leads. A volume without a letter, which one may
// lead to, has no folders above.
func readlink(path string) (target string, ok bool) {
	target, err := os.Readlink(path)
	switch {
	case err != nil || strings.HasPrefix(target, `\\?\`):
		return "", false
	case filepath.IsAbs(target):
		return target, true
	case strings.HasPrefix(target, `\`):
		return filepath.VolumeName(path) + target, true
	}
	return filepath.Join(filepath.Dir(path), target), true
}

// final is where all links of a path lead.
func final(path string) (string, error) {
	h, err := open(path, 0, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	b := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetFinalPathNameByHandle(h, &b[0], uint32(len(b)), 0)
	if err != nil {
		return "", err
	}
	return plain(windows.UTF16ToString(b[:min(int(n), len(b))])), nil
}

// plain is a path without the prefix that has it taken literally.
func plain(path string) string {
	if rest, ok := strings.CutPrefix(path, `\\?\UNC\`); ok {
		return `\\` + rest
	}
	return strings.TrimPrefix(path, `\\?\`)
}

func look(path string, r role) (o object, err error) {
	h, err := open(path, windows.READ_CONTROL, windows.FILE_FLAG_OPEN_REPARSE_POINT)
	if err != nil {
		return o, err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return o, os.NewSyscallError("GetSecurityInfo", err)
	}
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		return o, os.NewSyscallError("GetFileInformationByHandle", err)
	}
	o, err = describe(sd, path, r)
	o.link = info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0
	return o, err
}

// describe reads a descriptor.
func describe(sd *windows.SECURITY_DESCRIPTOR, path string, r role) (o object, err error) {
	o = object{path: path, role: r}
	owner, _, err := sd.Owner()
	if err != nil {
		return o, err
	}
	if owner != nil {
		o.owner = owner.String()
	}
	acl, _, err := sd.DACL()
	switch {
	case errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND), err == nil && acl == nil:
		o.open = true
		return o, nil
	case err != nil:
		return o, err
	}
	size := *(*uint16)(unsafe.Add(unsafe.Pointer(acl), 2)) // AclSize
	o.entries, err = decode(unsafe.Slice((*byte)(unsafe.Pointer(acl)), size))
	return o, err
}

// account is the name of a SID, or the SID.
func account(sid string) string {
	s, err := windows.StringToSid(sid)
	if err != nil {
		return sid
	}
	name, domain, _, err := s.LookupAccount("")
	if err != nil {
		return sid
	}
	return domain + `\` + name
}
