package lock

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// forAdministrators lets administrators and the system use the mutex, and says whose it is.
const forAdministrators = "O:BAD:P(A;;GA;;;BA)(A;;GA;;;SY)"

// take makes a mutex, and fails if there is one: it is there as long as its process. Nobody
// waits for it, so it needs no owner, which would be a thread. Anybody can make one of that
// name: one that does not belong to the administrators locks nothing.
func take(name string, _ bool, _ string) (func(), error) {
	return takeMutex(`Global\Glidepath-`+strings.ToLower(name), forAdministrators) // names of services have no case
}

func takeMutex(name, sddl string) (func(), error) {
	none := func() {}
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	attributes := windows.SecurityAttributes{SecurityDescriptor: sd}
	attributes.Length = uint32(unsafe.Sizeof(attributes))
	at, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	mutex, err := windows.CreateMutex(&attributes, false, at)
	switch {
	case errors.Is(err, windows.ERROR_ALREADY_EXISTS):
		theirs := foreign(mutex)
		if err := windows.CloseHandle(mutex); err != nil || theirs {
			return none, err
		}
		return nil, service.ErrBusy
	case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_INVALID_OWNER), errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD):
		return none, nil // not an administrator
	case err != nil:
		return nil, fmt.Errorf("take the lock: %w", err)
	}
	return func() { _ = windows.CloseHandle(mutex) }, nil
}

// foreign reports whether a mutex belongs to somebody who is no administrator.
func foreign(mutex windows.Handle) bool {
	sd, err := windows.GetSecurityInfo(mutex, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return true
	}
	owner, _, err := sd.Owner()
	return err != nil || !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) && !owner.IsWellKnown(windows.WinLocalSystemSid)
}
