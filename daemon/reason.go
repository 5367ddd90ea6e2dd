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
	TriggerHangup       Trigger = host.TriggerHangup       // the terminal is gone
	TriggerStop         Trigger = host.TriggerStop         // SERVICE_CONTROL_STOP
	TriggerShutdown     Trigger = host.TriggerShutdown     // SERVICE_CONTROL_SHUTDOWN: Windows shuts down
	TriggerPreshutdown  Trigger = host.TriggerPreshutdown  // SERVICE_CONTROL_PRESHUTDOWN, see Windows.Preshutdown
	TriggerConsoleClose Trigger = host.TriggerConsoleClose // CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN on Windows
	TriggerCancelled    Trigger = "cancelled"              // the context given to Run has ended
	TriggerFinished     Trigger = "finished"               // the work is done: Finish was called, or the function of Func has returned nil
	TriggerFailure      Trigger = "failure"                // the program has failed
)

// Reason says why a program stops: the first thing that asked it to. [context.Cause]
// returns it for the context of Start, and those made from it, once that has ended:
// when stopping begins, or after the drain delay if there is one. It returns it for the
// contexts of Stop and Close once they have ended.
//
//	var reason daemon.Reason
//	if errors.As(context.Cause(ctx), &reason) { … }
type Reason struct {
	Trigger Trigger
	Detail  string // what it was in the words of the platform, "SIGTERM", or of this package, "Start failed"
	Err     error  // the failure, or the cause of the context's end; nil for most triggers
}

// Error says why in one line.
func (r Reason) Error() string { return r.say(nil) }

// say is Error, with the text of f in place of that of r.Err, if there is an f.
func (r Reason) say(f *failed) string {
	s := string(r.Trigger)
	if r.Detail != "" {
		s += " (" + r.Detail + ")"
	}
	switch {
	case f != nil:
		s += ": " + f.text
	case r.Err != nil:
		s += ": " + fmt.Sprint(r.Err) // which survives an Error that panics
	}
	return s
}

// Unwrap returns r.Err.
func (r Reason) Unwrap() error { return r.Err }
