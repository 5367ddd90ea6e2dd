package console

import (
	"sync/atomic"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// closeBudget is how long a console process has after CTRL_CLOSE, CTRL_LOGOFF and
// CTRL_SHUTDOWN: Windows ends it after 5 s (HandlerRoutine, SPI_GETHUNGAPPTIMEOUT
// and SPI_GETWAITTOKILLTIMEOUT).
const closeBudget = 4500 * time.Millisecond

// sigint is the number that a forced exit has on Windows too.
const sigint = 2

// The console events, CTRL_…_EVENT (HandlerRoutine).
const (
	ctrlC        = 0
	ctrlBreak    = 1
	ctrlClose    = 2
	ctrlLogoff   = 5
	ctrlShutdown = 6
)

// events is what the console has said: Go makes one signal of several events.
type events struct {
	interrupt, end atomic.Pointer[string] // the last one of each signal
}

// record notes an event on its way to Go.
func (e *events) record(event uint32) {
	name := map[uint32]string{
		ctrlC: "CTRL_C", ctrlBreak: "CTRL_BREAK", ctrlClose: "CTRL_CLOSE", ctrlLogoff: "CTRL_LOGOFF", ctrlShutdown: "CTRL_SHUTDOWN",
	}[event]
	switch event {
	case ctrlC, ctrlBreak:
		e.interrupt.Store(&name)
	case ctrlClose, ctrlLogoff, ctrlShutdown:
		e.end.Store(&name)
	}
}

// nameOr is the last event, or what it can have been if it was not seen.
func nameOr(event *string, some string) string {
	if event != nil {
		return *event
	}
	return some
}

// consoleInterrupt is CTRL_C or CTRL_BREAK, which have no limit of their own.
func (r *rules) consoleInterrupt(e *events, now time.Time) (host.Request, bool) {
	detail := nameOr(e.interrupt.Load(), "CTRL_C or CTRL_BREAK")
	return r.interrupt(host.Request{Trigger: host.TriggerInterrupt, Detail: detail}, sigint, now)
}

// consoleClose is CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN. Go keeps the event's
// handler from returning, which would end the process at once. It is no impatience,
// whatever came before it: it only says how much time there is from now on.
func consoleClose(e *events) (host.Request, bool) {
	return host.Request{
		Trigger: host.TriggerConsoleClose,
		Detail:  nameOr(e.end.Load(), "CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN"),
		Budget:  closeBudget,
	}, true
}
