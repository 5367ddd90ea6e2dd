package scm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// windowsAPI implements API with the calls of Windows. It does not use x/sys/windows/svc, which
// answers NO_ERROR to every control, and reads the data of an event after its memory was freed.
type windowsAPI struct {
	name   string // of the service, as passed to ServiceMain
	status windows.Handle
}

// Detect connects to the service control manager if that is the parent of this process, or if the
// process is forced to be a service. It returns nil if the process is not a service.
func Detect(forced bool) (*Host, error) {
	if !forced && !startedByManager() {
		return nil, nil
	}
	h, err := Connect(&windowsAPI{})
	if errors.Is(err, ErrNotService) && !forced {
		return nil, nil
	}
	return h, err
}

// startedByManager reports whether the parent is services.exe. The session does not tell whether
// the process is a service, because in a container it is not 0.
func startedByManager() bool {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return true // Connect finds out
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	own := windows.GetCurrentProcessId()
	var parent uint32
	names := map[uint32]string{}
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		names[entry.ProcessID] = windows.UTF16ToString(entry.ExeFile[:])
		if entry.ProcessID == own {
			parent = entry.ParentProcessID
		}
	}
	return strings.EqualFold(names[parent], "services.exe")
}

func (a *windowsAPI) Dispatch(main func([]string)) error {
	// A callback is never freed. The process is a service only once.
	serviceMain := windows.NewCallback(func(argc uint32, argv **uint16) uintptr {
		args := make([]string, 0, argc)
		for _, arg := range unsafe.Slice(argv, argc) {
			args = append(args, windows.UTF16PtrToString(arg))
		}
		if len(args) > 0 {
			a.name = args[0]
		}
		main(args)
		return 0
	})
	// Windows ignores the name if the process has only one service.
	table := []windows.SERVICE_TABLE_ENTRY{{ServiceName: new(uint16), ServiceProc: serviceMain}, {}}
	err := windows.StartServiceCtrlDispatcher(&table[0])
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return ErrNotService
	}
	return err
}

func (a *windowsAPI) Register(handle func(Control) win32.Errno) error {
	name, err := windows.UTF16PtrFromString(a.name)
	if err != nil {
		return err
	}
	handler := windows.NewCallback(func(code, eventType uint32, data unsafe.Pointer, _ uintptr) uintptr {
		return uintptr(handle(decode(win32.Control(code), eventType, data)))
	})
	a.status, err = windows.RegisterServiceCtrlHandlerEx(name, handler, 0)
	return err
}

// decode copies what it needs from data. The manager frees that memory when the handler returns.
func decode(code win32.Control, eventType uint32, data unsafe.Pointer) Control {
	c := Control{Code: code, Type: eventType}
	switch {
	case data == nil:
	case code == win32.ControlSessionChange:
		c.Session = (*windows.WTSSESSION_NOTIFICATION)(data).SessionID
	case code == win32.ControlTimeChange:
		times := (*[2]int64)(data) // SERVICE_TIMECHANGE_INFO
		c.New, c.Old = fileTime(times[0]), fileTime(times[1])
	}
	return c
}

// fileTime converts a time that is counted in units of 100 ns since 1601.
func fileTime(t int64) time.Time {
	ft := windows.Filetime{LowDateTime: uint32(t), HighDateTime: uint32(t >> 32)}
	return time.Unix(0, ft.Nanoseconds())
}

func (a *windowsAPI) Report(s Status) error {
	status := windows.SERVICE_STATUS{
		ServiceType:             windows.SERVICE_WIN32_OWN_PROCESS,
		CurrentState:            uint32(s.State),
		ControlsAccepted:        uint32(s.Accepted),
		Win32ExitCode:           uint32(s.ExitCode),
		ServiceSpecificExitCode: s.SpecificCode,
		CheckPoint:              s.CheckPoint,
		WaitHint:                uint32(s.WaitHint.Milliseconds()),
	}
	return windows.SetServiceStatus(a.status, &status)
}

// Confine puts this process into a job. The processes that it starts belong to the job too, unless
// they are started with CREATE_BREAKAWAY_FROM_JOB. They end when the last handle to the job is
// closed. The only handle is not inherited, and is closed when this process ends, for whatever
// reason. The exit code of this process is not affected. Since Windows 8, a process may be in
// another job already, as in a container.
func (*windowsAPI) Confine() error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return fmt.Errorf("create a job: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, windows.CurrentProcess())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("enter a job: %w", err), windows.CloseHandle(job))
	}
	return nil
}

// The limits that apply if Windows does not tell others: the shortest of all its versions.
const (
	defaultShutdownTimeout    = 5 * time.Second
	defaultPreshutdownTimeout = 10 * time.Second
)

// ShutdownTimeout reads WaitToKillServiceTimeout, a string of milliseconds.
func (a *windowsAPI) ShutdownTimeout() time.Duration {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control`, registry.QUERY_VALUE)
	if err != nil {
		return defaultShutdownTimeout
	}
	defer func() { _ = key.Close() }()
	text, _, err := key.GetStringValue("WaitToKillServiceTimeout")
	if err != nil {
		return defaultShutdownTimeout
	}
	return milliseconds(text)
}

// milliseconds parses a number of milliseconds.
func milliseconds(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil || n == 0 {
		return defaultShutdownTimeout
	}
	return time.Duration(n) * time.Millisecond
}

// PreshutdownTimeout queries SERVICE_CONFIG_PRESHUTDOWN_INFO.
func (a *windowsAPI) PreshutdownTimeout() time.Duration {
	ms, err := preshutdownTimeout(a.name)
	if err != nil || ms == 0 {
		return defaultPreshutdownTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

func preshutdownTimeout(service string) (ms uint32, err error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return 0, fmt.Errorf("connect to the service control manager: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	name, err := windows.UTF16PtrFromString(service)
	if err != nil {
		return 0, err
	}
	handle, err := windows.OpenService(manager, name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return 0, fmt.Errorf("open service %s: %w", service, err)
	}
	defer func() { _ = windows.CloseServiceHandle(handle) }()
	var needed uint32
	err = windows.QueryServiceConfig2(handle, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO,
		(*byte)(unsafe.Pointer(&ms)), uint32(unsafe.Sizeof(ms)), &needed)
	return ms, err
}
