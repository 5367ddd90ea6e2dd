package winsvc

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// windowsAPI implements api with the calls of Windows.
type windowsAPI struct{}

func system() api { return windowsAPI{} }

// fail turns an error of the system into a win32.Errno.
func fail(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) && e != 0 {
		return win32.Errno(e)
	}
	return err
}

// pointer returns nil for "". Calls take that to mean that the text is not given.
func pointer(s string) (*uint16, error) {
	if s == "" {
		return nil, nil
	}
	return windows.UTF16PtrFromString(s)
}

// block returns a list of texts in memory, each ended by a zero, and all of them by another. An
// empty list clears the old one.
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

// unblock reads a list that block returned.
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

// strings16 holds the texts of a configuration in the form that the calls take.
type strings16 struct{ name, path, display, dependencies, account, password *uint16 }

// convert converts the texts of a configuration.
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

// grown passes a buffer to call, and a larger one as long as call needs more. The buffer
// consists of uintptr so that it is aligned for structures.
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
