// Package lifecycle decides what happens in the life of one run of a program:
// given the state and an event it says what the next state is and what is to be
// done. It starts no goroutine, reads no clock and knows no operating system, so
// that every order of events can be tried.
//
//	          StartOK            PauseAsked        PauseOK
//	Starting ─────────► Running ───────────► Pausing ───────► Paused
//	    │               │  ▲  ▲                                  │ ContinueAsked
//	    │   ReloadAsked ▼  │  └───────────── Continuing ◄─────────┘
//	    │             Reloading   ContinueOK
//	    │
//	    └──► from every state, by StopAsked, Finished or Failed:
//
//	Stopping:  drain ─► settle ─► stop ─► join ─► closing ─► flush ─► Stopped
//
// While it stops, the machine waits for the drain delay (drain), for the call of
// the program that was under way to return (settle), for Stop (stop), for the
// goroutines that the run owns (join), for Close (closing) and for the log (flush).
// At the deadline the contexts of Stop and Close end, and one grace later all that
// still runs is given up.
package lifecycle

// State is what a manager is told.
type State uint8

// The states of a run. Starting is the first and Stopped the last.
const (
	Starting State = iota
	Running
	Reloading
	Pausing
	Paused
	Continuing
	Stopping
	Stopped
)

// Ready reports whether the program serves.
func (s State) Ready() bool { return s == Running || s == Reloading }

func (s State) String() string {
	return [...]string{
		"starting", "running", "reloading", "pausing", "paused", "continuing", "stopping", "stopped",
	}[s]
}

// Event is what has happened.
type Event uint8

// The events. An event that does not fit the state changes nothing.
const (
	StartOK        Event = iota // Start returned nil
	StartFailed                 // Start returned an error, or panicked
	StartCancelled              // Start returned an error that says only that it was asked to stop
	StartExpired                // the start timeout has passed
	StopAsked                   // something asks the program to stop
	Finished                    // the program has done its work: nothing is served any more
	Failed                      // the program has failed: Fail, a goroutine, a panic
	ReloadAsked                 // something asks the program to reload
	ReloadDone                  // Reload has returned, whatever it returned
	PauseAsked                  // something asks the program to pause
	PauseOK                     // Pause returned nil
	PauseFailed                 // Pause returned an error, or panicked
	ContinueAsked               // something asks the program to continue
	ContinueOK                  // Continue returned nil
	ContinueFailed              // Continue returned an error, or panicked
	DrainOver                   // the drain delay has passed
	StopOK                      // Stop returned nil
	StopFailed                  // Stop returned an error, or panicked
	Joined                      // the last goroutine that the run owns has returned
	CloseOK                     // Close returned nil
	CloseFailed                 // Close returned an error, or panicked
	DeadlineOver                // the stop deadline has passed
	Forced                      // somebody at the terminal does not want to wait
	GraceOver                   // the grace after the deadline has passed
	FlushDone                   // the log is flushed, or was given up

	NumEvents // how many there are
)

func (e Event) String() string {
	return [...]string{
		"StartOK", "StartFailed", "StartCancelled", "StartExpired", "StopAsked", "Finished", "Failed",
		"ReloadAsked", "ReloadDone",
		"PauseAsked", "PauseOK", "PauseFailed", "ContinueAsked", "ContinueOK", "ContinueFailed",
		"DrainOver", "StopOK", "StopFailed", "Joined", "CloseOK", "CloseFailed", "DeadlineOver", "Forced", "GraceOver", "FlushDone",
	}[e]
}

// Effects is what is to be done, a set that is carried out in the order of its
// bits, lowest first.
type Effects uint32

// The effects, in the order in which they are carried out.
const (
	KeepReason   Effects = 1 << iota // this event is why the program stops
	LateReason                       // the program is stopping already: only log it
	AddError                         // the error of this event belongs to the result
	ArmStart                         // begin the start timeout
	ArmDeadline                      // begin the stop budget
	Tell                             // tell every host the state
	ArmDrain                         // begin the drain delay
	Interrupt                        // end the context of the Reload, Pause or Continue under way
	Release                          // end the context of the run
	Expire                           // end the context of Stop
	ArmGrace                         // begin the grace
	CallStart                        // call Start
	CallReload                       // call Reload
	CallPause                        // call Pause
	CallContinue                     // call Continue
	CallStop                         // call Stop
	Join                             // say when the last goroutine that the run owns has returned
	CallClose                        // call Close
	GiveUp                           // log every goroutine's stack: what still runs is abandoned
	Flush                            // flush the log
	Finish                           // the end: tell every host the result
	Again                            // step with Machine.Waiting next: it was asked for meanwhile
)

// Has reports whether all of x is in e.
func (e Effects) Has(x Effects) bool { return e&x == x }

// Outcome is how a run ended, worse ones last. What has become worse never
// becomes better.
type Outcome uint8

// The outcomes.
const (
	AsAsked   Outcome = iota // stopped as asked
	Failure                  // the program failed
	GaveUp                   // something still ran when the deadline and the grace were over
	WasForced                // somebody at the terminal did not want to wait
)
