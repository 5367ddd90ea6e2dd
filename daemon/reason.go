package daemon

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/host"
)

// Trigger is the kind of thing that made a program stop.
type Trigger string

// The triggers.
const (
	TriggerInterrupt    Trigger = host.TriggerInterrupt    // SIGINT; CTRL_C or CTRL_BREAK on Windows
	TriggerTerminate    Trigger = host.TriggerTerminate    // SIGTERM
	TriggerHangup       Trigger = host.TriggerHangup       // the terminal is gone, or sends SIGHUP to a program that cannot reload
	TriggerStop         Trigger = host.TriggerStop         // SERVICE_CONTROL_STOP
	TriggerShutdown     Trigger = host.TriggerShutdown     // SERVICE_CONTROL_SHUTDOWN: Windows shuts down
	TriggerPreshutdown  Trigger = host.TriggerPreshutdown  // SERVICE_CONTROL_PRESHUTDOWN, see Windows.Preshutdown
	TriggerConsoleClose Trigger = host.TriggerConsoleClose // CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN on Windows
	TriggerCancelled    Trigger = "cancelled"              // the context given to Run has ended
	TriggerFinished     Trigger = "finished"               // the function of Func has returned nil: its work is done
	TriggerFailure      Trigger = "failure"                // the program has failed
)

// Reason is why a program stops: the first thing that asked it to. Once stopping
// has begun it is what [context.Cause] says of the context that Start got, of those
// made from it, and, once it has ended, of that of Stop:
//
//	var reason daemon.Reason
//	if errors.As(context.Cause(ctx), &reason) { … }
type Reason struct {
	Trigger Trigger
	Detail  string // what it was in the words of the platform, "SIGTERM", or of this package, "Start failed"
	Err     error  // the failure, or the cause of the context's end; nil for most triggers
}

// Error says why in one line.
func (r Reason) Error() string {
	s := string(r.Trigger)
	if r.Detail != "" {
		s += " (" + r.Detail + ")"
	}
	if r.Err != nil {
		s += ": " + fmt.Sprint(r.Err) // which survives an Error that panics
	}
	return s
}

// Unwrap returns r.Err.
func (r Reason) Unwrap() error { return r.Err }
