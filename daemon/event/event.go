// Package event defines the events that Windows sends to its services: sessions, power, the
// clock, and controls of the program's own. A program that implements daemon.Notified gets
// them.
package event

import (
	"fmt"
	"strconv"
	"time"
)

// Event is one of [SessionChange], [PowerChange], [TimeChange] and [UserControl].
type Event interface {
	fmt.Stringer
	event()
}

// SessionChange reports SERVICE_CONTROL_SESSIONCHANGE: a user logs on or off, locks or
// unlocks, connects or disconnects.
type SessionChange struct {
	Type      SessionChangeType
	SessionID uint32
}

// SessionChangeType says what happens to a session: a WTS_… value of WM_WTSSESSION_CHANGE.
type SessionChangeType uint32

// The changes of a session.
const (
	ConsoleConnect       SessionChangeType = 1
	ConsoleDisconnect    SessionChangeType = 2
	RemoteConnect        SessionChangeType = 3
	RemoteDisconnect     SessionChangeType = 4
	SessionLogon         SessionChangeType = 5
	SessionLogoff        SessionChangeType = 6
	SessionLock          SessionChangeType = 7
	SessionUnlock        SessionChangeType = 8
	SessionRemoteControl SessionChangeType = 9
	SessionCreate        SessionChangeType = 10
	SessionTerminate     SessionChangeType = 11
)

// PowerChange reports SERVICE_CONTROL_POWEREVENT.
type PowerChange struct{ Type PowerChangeType }

// PowerChangeType says what happens to the power: a PBT_… value of WM_POWERBROADCAST.
type PowerChangeType uint32

// The changes of the power.
const (
	// PowerSuspend comes before the machine is suspended. Windows suspends it when Notify
	// has returned, or after about two seconds: save what must not be lost first. Until
	// then Windows sends the service no other control.
	PowerSuspend PowerChangeType = 0x4
	// PowerResume comes after PowerResumeAutomatic, if a user woke the machine.
	PowerResume PowerChangeType = 0x7
	// PowerStatusChange comes when the machine changes between mains and battery, or when
	// the battery runs low.
	PowerStatusChange PowerChangeType = 0xA
	// PowerResumeAutomatic comes each time the machine resumes.
	PowerResumeAutomatic PowerChangeType = 0x12
)

// TimeChange reports SERVICE_CONTROL_TIMECHANGE: the clock of the system was set.
type TimeChange struct{ New, Old time.Time }

// UserControl reports a control whose meaning the program defines: sc control NAME 200. The
// codes 254 and 255 change the level of the log instead, unless Config.KeepLevel is set.
type UserControl struct{ Code uint8 } // 128 to 255

func (SessionChange) event() {}
func (PowerChange) event()   {}
func (TimeChange) event()    {}
func (UserControl) event()   {}

// String returns the change and the session.
func (e SessionChange) String() string { return fmt.Sprintf("%s of session %d", e.Type, e.SessionID) }

// String returns the name of the type.
func (e PowerChange) String() string { return e.Type.String() }

// String returns by how much the clock was set forward.
func (e TimeChange) String() string { return fmt.Sprintf("time changed by %s", e.New.Sub(e.Old)) }

// String returns the code.
func (e UserControl) String() string { return "control " + strconv.Itoa(int(e.Code)) }

// String returns the name of the type, or its number if it has none.
func (t SessionChangeType) String() string {
	names := [...]string{
		"", "console connect", "console disconnect", "remote connect", "remote disconnect", "logon", "logoff",
		"lock", "unlock", "remote control", "create", "terminate",
	}
	if t == 0 || int(t) >= len(names) {
		return "session change " + strconv.Itoa(int(t))
	}
	return names[t]
}

// String returns the name of the type, or its number if it has none.
func (t PowerChangeType) String() string {
	switch t {
	case PowerSuspend:
		return "suspend"
	case PowerResume:
		return "resume"
	case PowerStatusChange:
		return "power status change"
	case PowerResumeAutomatic:
		return "automatic resume"
	}
	return "power event " + strconv.Itoa(int(t))
}
