package console

import (
	"sync/atomic"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// closeBudget is the time that a console process has after CTRL_CLOSE, CTRL_LOGOFF and
// CTRL_SHUTDOWN. Windows ends it after 5 s (HandlerRoutine, SPI_GETHUNGAPPTIMEOUT and
// SPI_GETWAITTOKILLTIMEOUT).
const closeBudget = 4500 * time.Millisecond

// sigint is the signal number in the exit code of a forced exit, also on Windows.
const sigint = 2

// The console events CTRL_…_EVENT (HandlerRoutine).
const (
	ctrlC        = 0
	ctrlBreak    = 1
	ctrlClose    = 2
	ctrlLogoff   = 5
	ctrlShutdown = 6
)

// events remembers the console events, because Go maps several of them to one signal.
type events struct {
	interrupt, end atomic.Pointer[string] // the name of the last event for each signal
}

// record remembers an event before Go handles it.
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

// nameOr returns the name of the last event, or fallback if none was recorded.
func nameOr(event *string, fallback string) string {
	if event != nil {
		return *event
	}
	return fallback
}

// consoleInterrupt returns the request for CTRL_C or CTRL_BREAK, which have no time limit.
func (r *rules) consoleInterrupt(e *events, now time.Time) (host.Request, bool) {
	detail := nameOr(e.interrupt.Load(), "CTRL_C or CTRL_BREAK")
	return r.interrupt(host.Request{Trigger: host.TriggerInterrupt, Detail: detail}, sigint, now)
}

// consoleClose returns the request for CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN. Go keeps the
// handler of the event from returning, which would end the process at once. The request
// never forces the end, even after an interrupt: it only limits the time from now on.
func consoleClose(e *events) (host.Request, bool) {
	return host.Request{
		Trigger: host.TriggerConsoleClose,
		Detail:  nameOr(e.end.Load(), "CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN"),
		Budget:  closeBudget,
	}, true
}
