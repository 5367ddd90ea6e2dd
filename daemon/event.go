package daemon

import (
	"context"

	"github.com/go-glidepath/glidepath/daemon/event"
	"github.com/go-glidepath/glidepath/internal/host"
)

// Notified is a Program that is told of events of the system. Windows sends them to its
// services; other systems have none. The service accepts the controls that carry them only
// if its program implements Notified.
type Notified interface {
	Program

	// Notify is called for each event, one at a time and in order, from the end of Start
	// until the context of Start ends. Events that have not been delivered by then are
	// dropped. Notify may run at the same time as the other methods. Windows waits for it
	// only before it suspends the machine, see [event.PowerSuspend]. While 1024 events
	// wait, the sender of another one gets ERROR_SERVICE_CANNOT_ACCEPT_CTRL.
	//
	// The context is that of Start. A panic fails the program.
	Notify(ctx context.Context, e event.Event)
}

// eventOf converts an event of a host to the public type that the program gets.
func eventOf(e host.Event) event.Event {
	switch e.Kind {
	case host.SessionChange:
		return event.SessionChange{Type: event.SessionChangeType(e.Code), SessionID: e.Session}
	case host.PowerEvent:
		return event.PowerChange{Type: event.PowerChangeType(e.Code)}
	case host.TimeChange:
		return event.TimeChange{New: e.New, Old: e.Old}
	}
	return event.UserControl{Code: uint8(e.Code)}
}
