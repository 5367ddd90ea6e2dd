package dirs

import (
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// privileged reports whether the process may write where system services do.
func privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

// forAdministrators grants full access to administrators and the system. It keeps out the
// entry of %ProgramData% that lets users make files.
const forAdministrators = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

func create(dir string, machine bool) error {
	if !machine {
		return os.Mkdir(dir, 0o700) // %LocalAppData% passes on the right access
	}
	sd, err := windows.SecurityDescriptorFromString(forAdministrators)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: sd}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	if err := windows.CreateDirectory(name, &attributes); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// private returns an error unless only this user, administrators and the system can write
// to the folder dir.
func private(dir string) error {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return err
	}
	// Use one handle for all checks: otherwise the owner of the folder could replace it in
	// between with a link to one that passes.
	h, err := windows.CreateFile(name, windows.READ_CONTROL|windows.FILE_READ_ATTRIBUTES,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var info windows.ByHandleFileInformation
	switch err := windows.GetFileInformationByHandle(h, &info); {
	case err != nil:
		return &fs.PathError{Op: "stat", Path: dir, Err: err}
	case info.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0: // a junction too
		return fmt.Errorf("%s is a link: remove it", dir)
	case info.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0:
		return fmt.Errorf("%s is not a folder: move it away", dir)
	}
	sd, err := windows.GetSecurityInfo(h, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("read the access list of %s: %w", dir, err)
	}
	return guarded(dir, sd)
}

// guarded checks the owner and the access list of dir.
func guarded(dir string, sd *windows.SECURITY_DESCRIPTOR) error {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return err
	}
	trusted := func(sid *windows.SID) bool {
		return sid != nil && (sid.Equals(me.User.Sid) ||
			sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid) ||
			sid.IsWellKnown(windows.WinCreatorOwnerSid) || sid.String() == ownerRights)
	}
	switch owner, _, err := sd.Owner(); {
	case err != nil:
		return fmt.Errorf("read the owner of %s: %w", dir, err)
	case !trusted(owner):
		return fmt.Errorf("%s belongs to %s: remove it", dir, owner)
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil {
		return fmt.Errorf("everybody can write to %s: icacls %[1]q /inheritance:r /grant Administrators:F", dir)
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return fmt.Errorf("read the access list of %s: %w", dir, err)
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE ||
			ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Mask&writing == 0 {
			continue
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !trusted(sid) {
			return fmt.Errorf("%s can write to %s: icacls %[2]q /inheritance:d /remove *%[1]s, or run the program as the service that owns it", sid, dir)
		}
	}
	return nil
}

// ownerRights is the SID of OWNER RIGHTS, which stands for the current owner.
const ownerRights = "S-1-3-4"

// writing is the mask of rights that allow adding files to a folder, removing them, or
// granting these rights to others.
const writing = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | fileDeleteChild | windows.DELETE |
	windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL

const fileDeleteChild = 0x40

// trusted accepts every link above the service's folder: only administrators can make links
// there.
func trusted(string, fs.FileInfo) error { return nil }
