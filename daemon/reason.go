package daemon

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/host"
)

// Trigger names the kind of event that made a program stop.
type Trigger string

// The triggers.
const (
	TriggerInterrupt    Trigger = host.TriggerInterrupt    // SIGINT; CTRL_C or CTRL_BREAK on Windows
	TriggerTerminate    Trigger = host.TriggerTerminate    // SIGTERM
	TriggerHangup       Trigger = host.TriggerHangup       // the terminal has hung up
	TriggerStop         Trigger = host.TriggerStop         // SERVICE_CONTROL_STOP
	TriggerShutdown     Trigger = host.TriggerShutdown     // SERVICE_CONTROL_SHUTDOWN: Windows shuts down
	TriggerPreshutdown  Trigger = host.TriggerPreshutdown  // SERVICE_CONTROL_PRESHUTDOWN, see Windows.Preshutdown
	TriggerConsoleClose Trigger = host.TriggerConsoleClose // CTRL_CLOSE, CTRL_LOGOFF or CTRL_SHUTDOWN on Windows
	TriggerCancelled    Trigger = "cancelled"              // the context given to Run has ended
	TriggerFinished     Trigger = "finished"               // the work is done: Finish was called, or the function of Func returned nil
	TriggerFailure      Trigger = "failure"                // the program has failed
)

// Reason says why a program stops. It is the first request or failure that made it stop.
// [context.Cause] returns the Reason for the context of Start, and for contexts made from
// it, once that has ended: when stopping begins, or after the drain delay if there is one.
// It also returns the Reason for the contexts of Stop and Close once they have ended.
//
//	var reason daemon.Reason
//	if errors.As(context.Cause(ctx), &reason) { … }
type Reason struct {
	Trigger Trigger
	Detail  string // the name that the platform ("SIGTERM") or this package ("Start failed") has for it
	Err     error  // the failure, or why the context of Run ended; nil for most triggers
}

// Error returns the reason in one line.
func (r Reason) Error() string { return r.say(nil) }

// say returns the text of Error. If f is not nil, its text replaces that of r.Err.
func (r Reason) say(f *failed) string {
	s := string(r.Trigger)
	if r.Detail != "" {
		s += " (" + r.Detail + ")"
	}
	switch {
	case f != nil:
		s += ": " + f.text
	case r.Err != nil:
		s += ": " + fmt.Sprint(r.Err) // fmt recovers if the method Error panics
	}
	return s
}

// Unwrap returns r.Err.
func (r Reason) Unwrap() error { return r.Err }
