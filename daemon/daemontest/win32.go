package daemontest

import (
	"fmt"
	"strings"
	"time"
)

// State is the state of a service (SERVICE_STATUS, dwCurrentState).
type State uint32

// The states of a service.
const (
	Stopped         State = 1
	StartPending    State = 2
	StopPending     State = 3
	Running         State = 4
	ContinuePending State = 5
	PausePending    State = 6
	Paused          State = 7
)

var stateNames = []string{
	"", "STOPPED", "START_PENDING", "STOP_PENDING", "RUNNING", "CONTINUE_PENDING", "PAUSE_PENDING", "PAUSED",
}

// String returns the name without SERVICE_.
func (s State) String() string {
	if !s.valid() {
		return fmt.Sprintf("state %d", uint32(s))
	}
	return stateNames[s]
}

func (s State) valid() bool { return Stopped <= s && s <= Paused }

func (s State) pending() bool {
	return s == StartPending || s == StopPending || s == ContinuePending || s == PausePending
}

// Control is a control code, SERVICE_CONTROL_…. The service defines the meaning of 128 to
// 255.
type Control uint32

// The controls that a client may send.
const (
	ControlStop        Control = 0x1
	ControlPause       Control = 0x2
	ControlContinue    Control = 0x3
	ControlInterrogate Control = 0x4
	ControlParamChange Control = 0x6
)

// The controls that only the system sends.
const (
	controlShutdown      Control = 0x5
	controlPowerEvent    Control = 0xD
	controlSessionChange Control = 0xE
	controlPreshutdown   Control = 0xF
	controlTimeChange    Control = 0x10

	// controlUnknown is not known to any service: LOWRESOURCES, which is undocumented.
	controlUnknown Control = 0x60
)

var controlNames = map[Control]string{
	ControlStop: "STOP", ControlPause: "PAUSE", ControlContinue: "CONTINUE", ControlInterrogate: "INTERROGATE",
	ControlParamChange: "PARAMCHANGE", controlShutdown: "SHUTDOWN", controlPowerEvent: "POWEREVENT",
	controlSessionChange: "SESSIONCHANGE", controlPreshutdown: "PRESHUTDOWN", controlTimeChange: "TIMECHANGE",
}

// String returns the name without SERVICE_CONTROL_.
func (c Control) String() string {
	if name, ok := controlNames[c]; ok {
		return name
	}
	return fmt.Sprintf("control %#x", uint32(c))
}

func (c Control) userDefined() bool { return 128 <= c && c <= 255 }

// ends reports whether a service that accepts c has to stop.
func (c Control) ends() bool {
	return c == ControlStop || c == controlShutdown || c == controlPreshutdown
}

// Accepted is a set of controls that a service accepts (SERVICE_STATUS,
// dwControlsAccepted).
type Accepted uint32

// The controls that a service may accept, SERVICE_ACCEPT_….
const (
	AcceptStop                  Accepted = 0x1
	AcceptPauseContinue         Accepted = 0x2
	AcceptShutdown              Accepted = 0x4
	AcceptParamChange           Accepted = 0x8
	AcceptNetBindChange         Accepted = 0x10
	AcceptHardwareProfileChange Accepted = 0x20
	AcceptPowerEvent            Accepted = 0x40
	AcceptSessionChange         Accepted = 0x80
	AcceptPreshutdown           Accepted = 0x100
	AcceptTimeChange            Accepted = 0x200
	AcceptTriggerEvent          Accepted = 0x400
	AcceptUserModeReboot        Accepted = 0x800

	acceptAll Accepted = 0xFFF
)

var acceptedNames = []string{
	"STOP", "PAUSE_CONTINUE", "SHUTDOWN", "PARAMCHANGE", "NETBINDCHANGE", "HARDWAREPROFILECHANGE",
	"POWEREVENT", "SESSIONCHANGE", "PRESHUTDOWN", "TIMECHANGE", "TRIGGEREVENT", "USERMODEREBOOT",
}

// Has reports whether a contains all of x.
func (a Accepted) Has(x Accepted) bool { return a&x == x }

// String returns the names without SERVICE_ACCEPT_, separated by "|".
func (a Accepted) String() string {
	if a == 0 {
		return "nothing"
	}
	var names []string
	for i, name := range acceptedNames {
		if a.Has(1 << i) {
			names = append(names, name)
		}
	}
	if unknown := a &^ acceptAll; unknown != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(unknown)))
	}
	return strings.Join(names, "|")
}

// acceptBit returns what a service has to accept to receive c, or 0 if it receives c in any
// case.
func acceptBit(c Control) Accepted {
	switch c {
	case ControlStop:
		return AcceptStop
	case ControlPause, ControlContinue:
		return AcceptPauseContinue
	case ControlParamChange:
		return AcceptParamChange
	case controlShutdown:
		return AcceptShutdown
	case controlPowerEvent:
		return AcceptPowerEvent
	case controlSessionChange:
		return AcceptSessionChange
	case controlPreshutdown:
		return AcceptPreshutdown
	case controlTimeChange:
		return AcceptTimeChange
	}
	return 0
}

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
	NoError                      Errno = 0
	ErrorInvalidHandle           Errno = 6
	ErrorInvalidData             Errno = 13
	ErrorInvalidParameter        Errno = 87
	ErrorCallNotImplemented      Errno = 120
	ErrorInvalidServiceControl   Errno = 1052
	ErrorServiceRequestTimeout   Errno = 1053
	ErrorServiceAlreadyRunning   Errno = 1056
	ErrorServiceCannotAcceptCtrl Errno = 1061
	ErrorServiceNotActive        Errno = 1062
	ErrorServiceSpecific         Errno = 1066
	ErrorProcessAborted          Errno = 1067
)

var errnoTexts = map[Errno]string{
	NoError:                      "no error",
	ErrorInvalidHandle:           "the handle is invalid",
	ErrorInvalidData:             "the data is invalid",
	ErrorInvalidParameter:        "the parameter is incorrect",
	ErrorCallNotImplemented:      "the service does not handle this control",
	ErrorInvalidServiceControl:   "the requested control is not valid for this service",
	ErrorServiceRequestTimeout:   "the service did not respond to the control in time",
	ErrorServiceAlreadyRunning:   "an instance of the service is already running",
	ErrorServiceCannotAcceptCtrl: "the service cannot accept control messages at this time",
	ErrorServiceNotActive:        "the service has not been started",
	ErrorServiceSpecific:         "the service has returned an error code of its own",
	ErrorProcessAborted:          "the process terminated unexpectedly",
}

// Error returns the meaning of e, or its number if that is unknown.
func (e Errno) Error() string {
	if text, ok := errnoTexts[e]; ok {
		return fmt.Sprintf("%s (%d)", text, uint32(e))
	}
	return fmt.Sprintf("Win32 error %d", uint32(e))
}
