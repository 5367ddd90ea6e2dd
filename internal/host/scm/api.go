package scm

import (
	"errors"
	"time"
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
	Register(handle func(Control) Errno) error

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
	Code     uint32 // one of the constants, or 128 to 255
	Type     uint32 // dwEventType
	Session  uint32 // of a ControlSessionChange
	New, Old time.Time
}

// The controls, SERVICE_CONTROL_….
const (
	ControlStop          = 0x1
	ControlPause         = 0x2
	ControlContinue      = 0x3
	ControlInterrogate   = 0x4
	ControlShutdown      = 0x5
	ControlParamChange   = 0x6
	ControlPowerEvent    = 0xD
	ControlSessionChange = 0xE
	ControlPreshutdown   = 0xF
	ControlTimeChange    = 0x10

	controlUserFirst, controlUserLast = 128, 255

	// Two of them step the level of the log.
	controlMoreVerbose, controlLessVerbose = 254, 255
)

// Accepted is dwControlsAccepted, SERVICE_ACCEPT_….
type Accepted uint32

// What may be accepted.
const (
	AcceptStop          Accepted = 0x1
	AcceptPauseContinue Accepted = 0x2
	AcceptShutdown      Accepted = 0x4
	AcceptParamChange   Accepted = 0x8
	AcceptPowerEvent    Accepted = 0x40
	AcceptSessionChange Accepted = 0x80
	AcceptPreshutdown   Accepted = 0x100
	AcceptTimeChange    Accepted = 0x200
)

// State is dwCurrentState.
type State uint32

// The states.
const (
	Stopped         State = 1
	StartPending    State = 2
	StopPending     State = 3
	Running         State = 4
	ContinuePending State = 5
	PausePending    State = 6
	Paused          State = 7
)

// Pending reports whether s is on its way to another one.
func (s State) Pending() bool { return s != Stopped && s != Running && s != Paused }

func (s State) String() string {
	names := [...]string{
		"", "STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING", "PAUSED",
	}
	if s == 0 || int(s) >= len(names) {
		return "no state"
	}
	return names[s]
}

// Status is SERVICE_STATUS, of a service in a process of its own.
type Status struct {
	State        State
	Accepted     Accepted
	ExitCode     Errno  // dwWin32ExitCode
	SpecificCode uint32 // dwServiceSpecificExitCode, if ExitCode is ErrorServiceSpecific
	CheckPoint   uint32
	WaitHint     time.Duration
}

// Errno is a Win32 error.
type Errno uint32

// The errors that go between a service and its manager.
const (
	NoError                  Errno = 0
	ErrorCallNotImplemented  Errno = 120
	ErrorInvalidControl      Errno = 1052 // ERROR_INVALID_SERVICE_CONTROL
	ErrorCannotAcceptControl Errno = 1061 // ERROR_SERVICE_CANNOT_ACCEPT_CTRL
	ErrorServiceSpecific     Errno = 1066 // ERROR_SERVICE_SPECIFIC_ERROR
	ErrorServiceNeverStarted Errno = 1077 // ERROR_SERVICE_NEVER_STARTED
)
