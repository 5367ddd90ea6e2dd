package scm

import (
	"errors"
	"time"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// API has the calls that a service makes to the service control manager. Windows implements it,
// and doubles for tests.
type API interface {
	// Dispatch calls StartServiceCtrlDispatcher. It connects to the manager, which calls
	// main with the arguments of ServiceMain, on another thread. It returns when the
	// service has stopped. It returns ErrNotService if the manager has not started this
	// process.
	Dispatch(main func(args []string)) error

	// Register calls RegisterServiceCtrlHandlerEx. It is called once, from main. The
	// manager calls handle for one control at a time, and waits for it.
	Register(handle func(Control) win32.Errno) error

	// Report calls SetServiceStatus.
	Report(Status) error

	// Confine makes the processes that this one starts from now on end with it.
	Confine() error

	// ShutdownTimeout returns how long services may take to stop when the system shuts down.
	ShutdownTimeout() time.Duration

	// PreshutdownTimeout returns how long this service may take to stop before the system
	// shuts down.
	PreshutdownTimeout() time.Duration
}

// ErrNotService is returned if the process was not started by the service control manager
// (ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, 1063).
var ErrNotService = errors.New("the process was not started by the service control manager")

// Control holds the arguments of one call of HandlerEx.
type Control struct {
	Code     win32.Control
	Type     uint32    // dwEventType
	Session  uint32    // of a ControlSessionChange
	New, Old time.Time // of a ControlTimeChange
}

// Two controls step the level of the log.
const (
	controlMoreVerbose win32.Control = 254
	controlLessVerbose win32.Control = 255
)

// Status holds the fields of SERVICE_STATUS for a service with a process of its own.
type Status struct {
	State        win32.State
	Accepted     win32.Accepted
	ExitCode     win32.Errno // dwWin32ExitCode
	SpecificCode uint32      // dwServiceSpecificExitCode, if ExitCode is ErrorServiceSpecific
	CheckPoint   uint32
	WaitHint     time.Duration
}
