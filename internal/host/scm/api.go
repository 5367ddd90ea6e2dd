package scm

import (
	"errors"
	"time"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// API is what the service control manager offers to a service. Windows has it, and
// a double for tests.
type API interface {
	// Dispatch is StartServiceCtrlDispatcher: it connects to the manager, has main
	// called with the arguments of ServiceMain on a thread of its own, and returns
	// when the service has stopped. The error is ErrNotService if the manager has
	// not started this process.
	Dispatch(main func(args []string)) error

	// Register is RegisterServiceCtrlHandlerEx. It is called once, from main. The
	// manager calls handle for one control after the other, and waits for it.
	Register(handle func(Control) win32.Errno) error

	// Report is SetServiceStatus.
	Report(Status) error

	// Confine has the processes that this one starts from now on end with it.
	Confine() error

	// ShutdownTimeout is how long services have when the system shuts down.
	ShutdownTimeout() time.Duration

	// PreshutdownTimeout is how long this service has before the system shuts down.
	PreshutdownTimeout() time.Duration
}

// ErrNotService is ERROR_FAILED_SERVICE_CONTROLLER_CONNECT (1063): the process was
// not started by the service control manager.
var ErrNotService = errors.New("the service control manager has not started this process")

// Control is one call of HandlerEx.
type Control struct {
	Code     win32.Control
	Type     uint32 // dwEventType
	Session  uint32 // of a ControlSessionChange
	New, Old time.Time
}

// Two controls step the level of the log.
const (
	controlMoreVerbose win32.Control = 254
	controlLessVerbose win32.Control = 255
)

// Status is SERVICE_STATUS, of a service in a process of its own.
type Status struct {
	State        win32.State
	Accepted     win32.Accepted
	ExitCode     win32.Errno // dwWin32ExitCode
	SpecificCode uint32      // dwServiceSpecificExitCode, if ExitCode is ErrorServiceSpecific
	CheckPoint   uint32
	WaitHint     time.Duration
}
