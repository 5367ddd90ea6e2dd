package daemon

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// Notified is a Program that hears of events of its system. Windows tells its services
// of them; elsewhere there are none. Only for a Notified does the service accept the
// controls that carry them.
type Notified interface {
	Program

	// Notify is called for each event, one after the other in the order in which they
	// came, from the end of Start until the context of Start ends: events that have not
	// been handed over by then are dropped. It may run at the same time as the other methods. Windows waits
	// for it only before it suspends the machine, see [PowerSuspend]. Where 1024 events wait already, the sender of
	// another one gets ERROR_SERVICE_CANNOT_ACCEPT_CTRL.
	//
	// The context is that of Start. A panic fails the program.
	Notify(ctx context.Context, e Event)
}

// Event is a [SessionChange], a [PowerEvent], a [TimeChange] or a [UserControl].
type Event interface {
	fmt.Stringer
	event()
}

// SessionChange is SERVICE_CONTROL_SESSIONCHANGE: somebody logs on or off, locks or
// unlocks, connects or disconnects.
type SessionChange struct {
	Type      SessionChangeType
	SessionID uint32
}

// SessionChangeType is what happens to a session, one of WTS_… (WM_WTSSESSION_CHANGE).
type SessionChangeType uint32

// What happens to sessions.
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

// PowerEvent is SERVICE_CONTROL_POWEREVENT.
type PowerEvent struct{ Type PowerEventType }

// PowerEventType is what happens to the power, one of PBT_… (WM_POWERBROADCAST).
type PowerEventType uint32

// What happens to the power. Windows suspends the machine when Notify has returned from
// PowerSuspend, or about two seconds later: save what must not be lost first. Until then
// the service is sent no other control. PowerResumeAutomatic comes after each suspension, PowerResume only if
// somebody is there.
const (
	PowerSuspend         PowerEventType = 0x4
	PowerResume          PowerEventType = 0x7
	PowerStatusChange    PowerEventType = 0xA
	PowerResumeAutomatic PowerEventType = 0x12
)

// TimeChange is SERVICE_CONTROL_TIMECHANGE: the system's clock was set.
type TimeChange struct{ New, Old time.Time }

// UserControl is a control whose meaning the program defines: sc control NAME 200. Of 254
// and 255 it hears only with Config.KeepLevel: else they step the level of the log.
type UserControl struct{ Code uint8 } // 128 to 255

func (SessionChange) event() {}
func (PowerEvent) event()    {}
func (TimeChange) event()    {}
func (UserControl) event()   {}

func (e SessionChange) String() string { return fmt.Sprintf("%s of session %d", e.Type, e.SessionID) }
func (e PowerEvent) String() string    { return e.Type.String() }
func (e UserControl) String() string   { return "control " + strconv.Itoa(int(e.Code)) }

func (e TimeChange) String() string {
	return fmt.Sprintf("time changed by %s", e.New.Sub(e.Old))
}

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

func (t PowerEventType) String() string {
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

// typed is e as the program gets it.
func typed(e host.Event) Event {
	switch e.Kind {
	case host.SessionChange:
		return SessionChange{SessionChangeType(e.Code), e.Session}
	case host.PowerEvent:
		return PowerEvent{PowerEventType(e.Code)}
	case host.TimeChange:
		return TimeChange{New: e.New, Old: e.Old}
	}
	return UserControl{uint8(e.Code)}
}
