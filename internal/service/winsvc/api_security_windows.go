package winsvc

import (
	"errors"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

func (windowsAPI) ServiceSecurity(h handle) (string, error) {
	sd, err := windows.GetSecurityInfo(windows.Handle(h), windows.SE_SERVICE, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return "", fail(err)
	}
	return sd.String(), nil
}

func (windowsAPI) SetServiceSecurity(h handle, sddl string) error {
	_, acl, err := descriptor(sddl)
	if err != nil {
		return err
	}
	return fail(windows.SetSecurityInfo(windows.Handle(h), windows.SE_SERVICE, windows.DACL_SECURITY_INFORMATION, nil, nil, acl, nil))
}

// descriptor returns the owner and the DACL of a descriptor, each nil if it has none.
func descriptor(sddl string) (owner *windows.SID, acl *windows.ACL, err error) {
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return nil, nil, fail(err)
	}
	acl, _, err = sd.DACL()
	if err != nil && !errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) {
		return nil, nil, fail(err)
	}
	owner, _, err = sd.Owner()
	return owner, acl, fail(err)
}

func (windowsAPI) Privilege(name string) error {
	w, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	var id windows.LUID
	return fail(windows.LookupPrivilegeValue(nil, w, &id))
}

func (windowsAPI) Canonical(sddl string) (string, error) {
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return "", fail(err)
	}
	return sd.String(), nil
}

// open opens a file or a folder to read or set who may use it, and reports whether it is a
// link. It does not follow links. The caller has to use the handle and not the path, which may
// become a link at any time.
func open(path string, access uint32) (h windows.Handle, link bool, err error) {
	w, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, false, err
	}
	h, err = windows.CreateFile(w, access|windows.FILE_READ_ATTRIBUTES, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return 0, false, fail(err)
	}
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &info); err != nil {
		_ = windows.CloseHandle(h)
		return 0, false, fail(err)
	}
	return h, info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0, nil
}

func (windowsAPI) Security(path string) (string, bool, error) {
	h, link, err := open(path, windows.READ_CONTROL)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return "", false, fail(err)
	}
	return sd.String(), link, nil
}

func (windowsAPI) SetSecurity(path, sddl string) error {
	owner, acl, err := descriptor(sddl)
	if err != nil {
		return err
	}
	what := windows.SECURITY_INFORMATION(windows.DACL_SECURITY_INFORMATION | windows.UNPROTECTED_DACL_SECURITY_INFORMATION)
	if protected(sddl) {
		what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	}
	access := uint32(windows.READ_CONTROL | windows.WRITE_DAC)
	if owner != nil {
		what |= windows.OWNER_SECURITY_INFORMATION
		access |= windows.WRITE_OWNER
	}
	// Without these, the owner can only be set to the caller, and a file that the caller may not
	// use cannot be changed.
	defer enable("SeRestorePrivilege", "SeTakeOwnershipPrivilege")()
	h, link, err := open(path, access)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if link {
		return errLink
	}
	// SetSecurityInfo also changes the files and folders below, which inherit the DACL, unless
	// the handle was opened with MAXIMUM_ALLOWED.
	return fail(windows.SetSecurityInfo(h, windows.SE_FILE_OBJECT, what, owner, nil, acl, nil))
}

// enable enables privileges that an administrator has, and returns a function that restores
// them. It ignores a privilege that is missing: the call that needs it fails then.
func enable(names ...string) (back func()) {
	var token windows.Token
	if windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, &token) != nil {
		return func() {}
	}
	var before []windows.Tokenprivileges
	for _, name := range names {
		w, err := windows.UTF16PtrFromString(name)
		if err != nil {
			continue
		}
		p := windows.Tokenprivileges{PrivilegeCount: 1}
		p.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
		if windows.LookupPrivilegeValue(nil, w, &p.Privileges[0].Luid) != nil {
			continue
		}
		var old windows.Tokenprivileges
		var size uint32
		if windows.AdjustTokenPrivileges(token, false, &p, uint32(unsafe.Sizeof(old)), &old, &size) == nil && old.PrivilegeCount > 0 {
			before = append(before, old)
		}
	}
	return func() {
		for _, old := range slices.Backward(before) {
			_ = windows.AdjustTokenPrivileges(token, false, &old, 0, nil, nil)
		}
		_ = token.Close()
	}
}

func (windowsAPI) MakeFolder(path, sddl string) error {
	w, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return fail(err)
	}
	sa := windows.SecurityAttributes{Length: uint32(unsafe.Sizeof(windows.SecurityAttributes{})), SecurityDescriptor: sd}
	return fail(windows.CreateDirectory(w, &sa))
}

func (windowsAPI) RemoveFolder(path string) error {
	w, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	return fail(windows.RemoveDirectory(w))
}

func (windowsAPI) RemoveAll(path string) error { return fail(os.RemoveAll(path)) }
