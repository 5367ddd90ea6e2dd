package win32

import (
	"fmt"
	"strings"
)

// Control is the code of a control: dwControl of [HandlerEx].
//
// [HandlerEx]: https://learn.microsoft.com/windows/win32/api/winsvc/nc-winsvc-lphandler_function_ex
type Control uint32

// The controls that a service may receive. Clients can send the first five with [ControlService].
// Only the system sends the others.
//
// [ControlService]: https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-controlservice
const (
	ControlStop          Control = 0x1
	ControlPause         Control = 0x2
	ControlContinue      Control = 0x3
	ControlInterrogate   Control = 0x4
	ControlParamChange   Control = 0x6
	ControlShutdown      Control = 0x5
	ControlPowerEvent    Control = 0xD
	ControlSessionChange Control = 0xE
	ControlPreshutdown   Control = 0xF
	ControlTimeChange    Control = 0x10
)

// controls lists the name of each control, and what a service has to accept to receive it:
// nothing for INTERROGATE, which always arrives.
var controls = map[Control]struct {
	name   string
	accept Accepted
}{
	ControlStop:          {"STOP", AcceptStop},
	ControlPause:         {"PAUSE", AcceptPauseContinue},
	ControlContinue:      {"CONTINUE", AcceptPauseContinue},
	ControlInterrogate:   {"INTERROGATE", 0},
	ControlParamChange:   {"PARAMCHANGE", AcceptParamChange},
	ControlShutdown:      {"SHUTDOWN", AcceptShutdown},
	ControlPowerEvent:    {"POWEREVENT", AcceptPowerEvent},
	ControlSessionChange: {"SESSIONCHANGE", AcceptSessionChange},
	ControlPreshutdown:   {"PRESHUTDOWN", AcceptPreshutdown},
	ControlTimeChange:    {"TIMECHANGE", AcceptTimeChange},
}

// String returns the name without SERVICE_CONTROL_, or the code of a control without a name.
func (c Control) String() string {
	if known, ok := controls[c]; ok {
		return known.name
	}
	return fmt.Sprintf("control %#x", uint32(c))
}

// UserDefined reports whether the service defines the meaning of c (HandlerEx, dwControl).
func (c Control) UserDefined() bool { return 128 <= c && c <= 255 }

// Ends reports whether a service that accepts c has to stop.
func (c Control) Ends() bool {
	return c == ControlStop || c == ControlShutdown || c == ControlPreshutdown
}

// Accept returns what a service has to accept to receive c, or 0 if it receives c in any case.
func (c Control) Accept() Accepted { return controls[c].accept }

// Accepted is a set of controls: dwControlsAccepted of SERVICE_STATUS.
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

	AcceptAll Accepted = 0xFFF // all of them
)

// acceptedNames lists the names of the bits, from the lowest.
var acceptedNames = [...]string{
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
	if unknown := a &^ AcceptAll; unknown != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(unknown)))
	}
	return strings.Join(names, "|")
}
