package winsvc

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// windowsAPI is Windows.
type windowsAPI struct{}

func system() api { return windowsAPI{} }

// fail makes errnos of the system's.
func fail(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) && e != 0 {
		return win32.Errno(e)
	}
	return err
}

// pointer is nil for "", where that means nothing.
func pointer(s string) (*uint16, error) {
	if s == "" {
		return nil, nil
	}
	return windows.UTF16PtrFromString(s)
}

// block is a list of texts, each ended by a zero, and all by another. An empty list
// clears what is there.
func block(list []string) (*uint16, error) {
	var b []uint16
	for _, s := range list {
		w, err := windows.UTF16FromString(s)
		if err != nil {
			return nil, err
		}
		b = append(b, w...)
	}
	b = append(b, 0, 0)
	return &b[0], nil
}

// unblock reads what block writes.
func unblock(p *uint16) (list []string) {
	for p != nil {
		s := windows.UTF16PtrToString(p)
		if s == "" {
			break
		}
		list = append(list, s)
		n := 0
		for q := p; *q != 0; q = (*uint16)(unsafe.Add(unsafe.Pointer(q), 2)) {
			n++
		}
		p = (*uint16)(unsafe.Add(unsafe.Pointer(p), 2*(n+1)))
	}
	return list
}

func (windowsAPI) OpenManager(access uint32) (handle, error) {
	h, err := windows.OpenSCManager(nil, nil, access)
	return handle(h), fail(err)
}

func (windowsAPI) Close(h handle) { _ = windows.CloseServiceHandle(windows.Handle(h)) }

// strings16 are the texts of a configuration as the calls want them.
type strings16 struct{ name, path, display, dependencies, account, password *uint16 }

func convert(name string, c config, password *string) (w strings16, err error) {
	for _, t := range []struct {
		to   **uint16
		from string
	}{{&w.name, name}, {&w.path, c.ImagePath}, {&w.display, c.DisplayName}, {&w.account, c.Account}} {
		if *t.to, err = pointer(t.from); err != nil {
			return w, err
		}
	}
	if w.dependencies, err = block(c.Dependencies); err != nil {
		return w, err
	}
	if password != nil {
		w.password, err = windows.UTF16PtrFromString(*password)
	}
	return w, err
}

func (windowsAPI) CreateService(manager handle, name string, access uint32, c config, password *string) (handle, error) {
	w, err := convert(name, c, password)
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateService(windows.Handle(manager), w.name, w.display, access, c.Type, c.Start, c.ErrorControl,
		w.path, nil, nil, w.dependencies, w.account, w.password)
	return handle(h), fail(err)
}

func (windowsAPI) OpenService(manager handle, name string, access uint32) (handle, error) {
	w, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	h, err := windows.OpenService(windows.Handle(manager), w, access)
	return handle(h), fail(err)
}

func (windowsAPI) DeleteService(h handle) error {
	return fail(windows.DeleteService(windows.Handle(h)))
}

func (windowsAPI) StartService(h handle) error {
	return fail(windows.StartService(windows.Handle(h), 0, nil))
}

func (windowsAPI) ControlService(h handle, c win32.Control) error {
	var s windows.SERVICE_STATUS
	return fail(windows.ControlService(windows.Handle(h), uint32(c), &s))
}

func (windowsAPI) QueryStatus(h handle) (status, error) {
	var s windows.SERVICE_STATUS_PROCESS
	var needed uint32
	err := windows.QueryServiceStatusEx(windows.Handle(h), windows.SC_STATUS_PROCESS_INFO,
		(*byte)(unsafe.Pointer(&s)), uint32(unsafe.Sizeof(s)), &needed)
	return status{
		State: win32.State(s.CurrentState), Accepted: win32.Accepted(s.ControlsAccepted), ExitCode: win32.Errno(s.Win32ExitCode), SpecificCode: s.ServiceSpecificExitCode,
		CheckPoint: s.CheckPoint, WaitHint: time.Duration(s.WaitHint) * time.Millisecond, PID: s.ProcessId,
	}, fail(err)
}

// grown calls with a buffer that is as large as needed. It is of pointers, so that it
// lies where structures may.
func grown(call func(b *byte, size uint32, needed *uint32) error) ([]uintptr, error) {
	size := uint32(1 << 10)
	for {
		buffer := make([]uintptr, (uintptr(size)+unsafe.Sizeof(uintptr(0))-1)/unsafe.Sizeof(uintptr(0)))
		size = uint32(len(buffer)) * uint32(unsafe.Sizeof(uintptr(0)))
		needed := uint32(0)
		err := call((*byte)(unsafe.Pointer(&buffer[0])), size, &needed)
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) && !errors.Is(err, windows.ERROR_MORE_DATA) || size >= 1<<20 {
			return buffer, fail(err)
		}
		size = max(size*2, needed)
	}
}

func (windowsAPI) Dependents(h handle, active bool) (names []string, err error) {
	var n uint32
	state := uint32(windows.SERVICE_INACTIVE)
	if active {
		state = windows.SERVICE_ACTIVE
	}
	b, err := grown(func(b *byte, size uint32, needed *uint32) error {
		return windows.EnumDependentServices(windows.Handle(h), state, (*windows.ENUM_SERVICE_STATUS)(unsafe.Pointer(b)), size, needed, &n)
	})
	if err != nil {
		return nil, err
	}
	for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS)(unsafe.Pointer(&b[0])), n) {
		names = append(names, windows.UTF16PtrToString(s.ServiceName))
	}
	return names, nil
}

func (windowsAPI) QueryConfig(h handle) (config, error) {
	b, err := grown(func(b *byte, size uint32, needed *uint32) error {
		return windows.QueryServiceConfig(windows.Handle(h), (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(b)), size, needed)
	})
	if err != nil {
		return config{}, err
	}
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
	return config{
		Type: c.ServiceType, Start: c.StartType, ErrorControl: c.ErrorControl,
		ImagePath:    windows.UTF16PtrToString(c.BinaryPathName),
		DisplayName:  windows.UTF16PtrToString(c.DisplayName),
		Dependencies: unblock(c.Dependencies),
		Account:      windows.UTF16PtrToString(c.ServiceStartName),
	}, nil
}

func (windowsAPI) ChangeConfig(h handle, c config) error {
	c.Account = ""
	w, err := convert("", c, nil)
	if err != nil {
		return err
	}
	return fail(windows.ChangeServiceConfig(windows.Handle(h), c.Type, c.Start, c.ErrorControl, w.path, nil, nil, w.dependencies, nil, nil, w.display))
}

func (windowsAPI) ChangeAccount(h handle, account string, password *string) error {
	w, err := convert("", config{Account: account}, password)
	if err != nil {
		return err
	}
	const same = windows.SERVICE_NO_CHANGE
	return fail(windows.ChangeServiceConfig(windows.Handle(h), same, same, same, nil, nil, nil, nil, w.account, w.password, nil))
}

func (windowsAPI) QueryInfo(h handle, l level) (i info, err error) {
	b, err := grown(func(b *byte, size uint32, needed *uint32) error {
		return windows.QueryServiceConfig2(windows.Handle(h), uint32(l), b, size, needed)
	})
	if err != nil {
		return i, err
	}
	p := unsafe.Pointer(&b[0])
	switch l {
	case levelDescription:
		i.Text = windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(p).Description)
	case levelFailureActions:
		f := (*windows.SERVICE_FAILURE_ACTIONS)(p)
		i.Failure.Reset = f.ResetPeriod
		if f.Actions != nil {
			for _, a := range unsafe.Slice(f.Actions, f.ActionsCount) {
				i.Failure.Actions = append(i.Failure.Actions, action{a.Type, a.Delay})
			}
		}
	case levelDelayed, levelNonCrash:
		i.Flag = *(*uint32)(p) != 0
	case levelSID, levelPreshutdown:
		i.Number = *(*uint32)(p)
	case levelPrivileges:
		i.List = unblock(*(**uint16)(p))
	}
	return i, nil
}

func (windowsAPI) ChangeInfo(h handle, l level, i info) error {
	var p unsafe.Pointer
	number := i.Number
	switch l {
	case levelDescription:
		text, err := windows.UTF16PtrFromString(i.Text) // not nil, which would leave the old one
		if err != nil {
			return err
		}
		p = unsafe.Pointer(&windows.SERVICE_DESCRIPTION{Description: text})
	case levelFailureActions:
		if slices.ContainsFunc(i.Failure.Actions, func(a action) bool { return a.Type == actionReboot }) {
			defer enable("SeShutdownPrivilege")() // an installation that fails puts back what another tool had
		}
		actions := make([]windows.SC_ACTION, len(i.Failure.Actions), len(i.Failure.Actions)+1)
		for n, a := range i.Failure.Actions {
			actions[n] = windows.SC_ACTION{Type: a.Type, Delay: a.Delay}
		}
		p = unsafe.Pointer(&windows.SERVICE_FAILURE_ACTIONS{
			ResetPeriod: i.Failure.Reset, ActionsCount: uint32(len(actions)), Actions: unsafe.SliceData(actions), // not nil, as above
		})
	case levelDelayed, levelNonCrash:
		if i.Flag {
			number = 1
		}
		p = unsafe.Pointer(&number)
	case levelSID, levelPreshutdown:
		p = unsafe.Pointer(&number)
	case levelPrivileges:
		list, err := block(i.List)
		if err != nil {
			return err
		}
		p = unsafe.Pointer(&list)
	}
	return fail(windows.ChangeServiceConfig2(windows.Handle(h), uint32(l), (*byte)(p)))
}

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

func (windowsAPI) ReadValue(key, name string) (v value, err error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return v, fail(err)
	}
	defer func() { _ = k.Close() }()
	n, _, err := k.GetValue(name, nil)
	if err != nil {
		return v, fail(err)
	}
	v.Data = make([]byte, n)
	n, v.Kind, err = k.GetValue(name, v.Data)
	v.Data = v.Data[:min(n, len(v.Data))]
	return v, fail(err)
}

// regSetValueEx is not in package registry for values of any kind.
var regSetValueEx = windows.NewLazySystemDLL("advapi32.dll").NewProc("RegSetValueExW")

func (windowsAPI) WriteValue(key, name string, v value) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = k.Close() }()
	w, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	r, _, _ := regSetValueEx.Call(uintptr(k), uintptr(unsafe.Pointer(w)), 0, uintptr(v.Kind),
		uintptr(unsafe.Pointer(unsafe.SliceData(v.Data))), uintptr(len(v.Data)))
	if r != 0 {
		return win32.Errno(r)
	}
	return nil
}

func (windowsAPI) DeleteValue(key, name string) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = k.Close() }()
	return fail(k.DeleteValue(name))
}

func (windowsAPI) CreateKey(key string) (made bool, err error) {
	k, existed, err := registry.CreateKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return false, fail(err)
	}
	return !existed, fail(k.Close())
}

func (windowsAPI) DeleteKey(key string) error {
	return fail(registry.DeleteKey(registry.LOCAL_MACHINE, key))
}

// open opens a file or a folder to read or set who may use it, and says whether it is a
// link, which is not followed: between a look at a path and another, the path may have
// become one.
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
	// An owner that is not oneself, and what one is not let into, take these.
	defer enable("SeRestorePrivilege", "SeTakeOwnershipPrivilege")()
	h, link, err := open(path, access)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	if link {
		return errLink
	}
	// What is below inherits it: SetSecurityInfo sees to that, but for a handle that was
	// opened with MAXIMUM_ALLOWED.
	return fail(windows.SetSecurityInfo(h, windows.SE_FILE_OBJECT, what, owner, nil, acl, nil))
}

// enable enables privileges that an administrator has, and returns what puts them back.
// One that is not there is no error: Windows says what it was needed for.
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

func (windowsAPI) Started(pid uint32) (time.Time, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return time.Time{}, fail(err)
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return time.Time{}, fail(err)
	}
	return time.Unix(0, created.Nanoseconds()), nil
}

func (windowsAPI) Getenv(name string) string { return os.Getenv(name) }
