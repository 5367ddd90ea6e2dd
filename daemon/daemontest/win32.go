package daemontest

import (
	"fmt"
	"time"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// State is the state of a service (SERVICE_STATUS, dwCurrentState).
type State uint32

// The states of a service.
const (
	Stopped         State = State(win32.Stopped)
	StartPending    State = State(win32.StartPending)
	StopPending     State = State(win32.StopPending)
	Running         State = State(win32.Running)
	ContinuePending State = State(win32.ContinuePending)
	PausePending    State = State(win32.PausePending)
	Paused          State = State(win32.Paused)
)

// String returns the name without SERVICE_.
func (s State) String() string { return win32.State(s).String() }

func (s State) valid() bool   { return win32.State(s).Valid() }
func (s State) pending() bool { return win32.State(s).Pending() }

// Control is a control code, SERVICE_CONTROL_…. The service defines the meaning of 128 to
// 255.
type Control uint32

// The controls that a client may send.
const (
	ControlStop        Control = Control(win32.ControlStop)
	ControlPause       Control = Control(win32.ControlPause)
	ControlContinue    Control = Control(win32.ControlContinue)
	ControlInterrogate Control = Control(win32.ControlInterrogate)
	ControlParamChange Control = Control(win32.ControlParamChange)
)

// String returns the name without SERVICE_CONTROL_.
func (c Control) String() string { return win32.Control(c).String() }

// Accepted is a set of controls that a service accepts (SERVICE_STATUS,
// dwControlsAccepted).
type Accepted uint32

// The controls that a service may accept, SERVICE_ACCEPT_….
const (
	AcceptStop                  Accepted = Accepted(win32.AcceptStop)
	AcceptPauseContinue         Accepted = Accepted(win32.AcceptPauseContinue)
	AcceptShutdown              Accepted = Accepted(win32.AcceptShutdown)
	AcceptParamChange           Accepted = Accepted(win32.AcceptParamChange)
	AcceptNetBindChange         Accepted = Accepted(win32.AcceptNetBindChange)
	AcceptHardwareProfileChange Accepted = Accepted(win32.AcceptHardwareProfileChange)
	AcceptPowerEvent            Accepted = Accepted(win32.AcceptPowerEvent)
	AcceptSessionChange         Accepted = Accepted(win32.AcceptSessionChange)
	AcceptPreshutdown           Accepted = Accepted(win32.AcceptPreshutdown)
	AcceptTimeChange            Accepted = Accepted(win32.AcceptTimeChange)
	AcceptTriggerEvent          Accepted = Accepted(win32.AcceptTriggerEvent)
	AcceptUserModeReboot        Accepted = Accepted(win32.AcceptUserModeReboot)
)

// Has reports whether a contains all of x.
func (a Accepted) Has(x Accepted) bool { return a&x == x }

// String returns the names without SERVICE_ACCEPT_, separated by "|".
func (a Accepted) String() string { return win32.Accepted(a).String() }

// Status holds what a service reports (SERVICE_STATUS).
type Status struct {
	State                   State
	ControlsAccepted        Accepted
	Win32ExitCode           Errno  // in Stopped: 0, or why the service failed
	ServiceSpecificExitCode uint32 // the exit code, if Win32ExitCode is ErrorServiceSpecific
	CheckPoint              uint32
	WaitHint                time.Duration
}

func (s Status) String() string {
	text := fmt.Sprintf("%s, accepts %s", s.State, s.ControlsAccepted)
	if s.State.pending() || s.CheckPoint != 0 || s.WaitHint != 0 {
		text += fmt.Sprintf(", checkpoint %d, wait hint %s", s.CheckPoint, s.WaitHint)
	}
	if s.State == Stopped || s.Win32ExitCode != 0 || s.ServiceSpecificExitCode != 0 {
		text += fmt.Sprintf(", exit code %d/%d", uint32(s.Win32ExitCode), s.ServiceSpecificExitCode)
	}
	return text
}

// Report records one call of SetServiceStatus.
type Report struct {
	At time.Duration // since the process began
	Status
}

func (r Report) String() string { return fmt.Sprintf("%9s  %s", r.At, r.Status) }

// Errno is a Win32 error. Compare it with errors.Is(err, ErrorServiceNotActive).
type Errno uint32

// The errors that clients receive, and that services report.
const (
	NoError                      Errno = Errno(win32.NoError)
	ErrorInvalidHandle           Errno = Errno(win32.ErrorInvalidHandle)
	ErrorInvalidData             Errno = Errno(win32.ErrorInvalidData)
	ErrorInvalidParameter        Errno = Errno(win32.ErrorInvalidParameter)
	ErrorCallNotImplemented      Errno = Errno(win32.ErrorCallNotImplemented)
	ErrorInvalidServiceControl   Errno = Errno(win32.ErrorInvalidServiceControl)
	ErrorServiceRequestTimeout   Errno = Errno(win32.ErrorServiceRequestTimeout)
	ErrorServiceAlreadyRunning   Errno = Errno(win32.ErrorServiceAlreadyRunning)
	ErrorServiceCannotAcceptCtrl Errno = Errno(win32.ErrorServiceCannotAcceptCtrl)
	ErrorServiceNotActive        Errno = Errno(win32.ErrorServiceNotActive)
	ErrorServiceSpecific         Errno = Errno(win32.ErrorServiceSpecific)
	ErrorProcessAborted          Errno = Errno(win32.ErrorProcessAborted)
)

// Error returns the meaning of e and its number.
func (e Errno) Error() string { return win32.Errno(e).Error() }
