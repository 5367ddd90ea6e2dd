// Package lifecycle decides what happens in the life of one run of a program. Given a state
// and an event, it returns the next state and the effects to carry out. It starts no
// goroutine, reads no clock and knows no operating system, so tests can try every order of
// events.
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
// While stopping, the machine waits for the drain delay (drain), for the running call of
// the program to return (settle), for Stop (stop), for the goroutines that the run owns
// (join), for Close (closing) and for the log (flush). At the deadline the contexts of Stop
// and Close end. One grace period later the machine gives up on whatever still runs.
package lifecycle

// State identifies a state of the run, as service managers are told it.
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

// Ready reports whether the program serves in this state.
func (s State) Ready() bool { return s == Running || s == Reloading }

func (s State) String() string {
	return [...]string{
		"starting", "running", "reloading", "pausing", "paused", "continuing", "stopping", "stopped",
	}[s]
}

// Event identifies something that happened.
type Event uint8

// The events. An event that does not fit the current state changes nothing.
const (
	StartOK        Event = iota // Start returned nil
	StartFailed                 // Start returned an error, or panicked
	StartCancelled              // Start returned an error that only says that it was asked to stop
	StartExpired                // the start timeout has passed
	StopAsked                   // something asks the program to stop
	Finished                    // the program has finished its work and serves nothing any more
	Failed                      // the program has failed: Fail, a goroutine, a panic
	ReloadAsked                 // something asks the program to reload
	ReloadDone                  // Reload returned, with or without an error
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
	Forced                      // a user at the terminal does not want to wait
	GraceOver                   // the grace period after the deadline has passed
	FlushDone                   // the log was flushed, or flushing it was given up

	NumEvents // the number of events
)

func (e Event) String() string {
	return [...]string{
		"StartOK", "StartFailed", "StartCancelled", "StartExpired", "StopAsked", "Finished", "Failed",
		"ReloadAsked", "ReloadDone",
		"PauseAsked", "PauseOK", "PauseFailed", "ContinueAsked", "ContinueOK", "ContinueFailed",
		"DrainOver", "StopOK", "StopFailed", "Joined", "CloseOK", "CloseFailed", "DeadlineOver", "Forced", "GraceOver", "FlushDone",
	}[e]
}

// Effects is a set of things to do. They are carried out in the order of their bits, lowest
// first.
type Effects uint32

// The effects, in the order in which they are carried out.
const (
	KeepReason   Effects = 1 << iota // this event is why the program stops
	LateReason                       // the program is already stopping: only log this event
	AddError                         // the error of this event belongs to the result
	ArmStart                         // begin the start timeout
	ArmDeadline                      // begin the stop timeout
	Tell                             // tell every host the new state
	ArmDrain                         // begin the drain delay
	Interrupt                        // end the context of the running Reload, Pause or Continue
	Release                          // end the context of the run
	Expire                           // end the context of Stop
	ArmGrace                         // begin the grace period
	CallStart                        // call Start
	CallReload                       // call Reload
	CallPause                        // call Pause
	CallContinue                     // call Continue
	CallStop                         // call Stop
	Join                             // report when the last goroutine that the run owns has returned
	CallClose                        // call Close
	GiveUp                           // log every goroutine's stack and abandon whatever still runs
	Flush                            // flush the log
	Finish                           // tell every host the result
	Again                            // call Step again with the event that Machine.Waiting returns
)

// Has reports whether e contains all of x.
func (e Effects) Has(x Effects) bool { return e&x == x }

// Outcome tells how a run ended, in order of severity. It never improves.
type Outcome uint8

// The outcomes.
const (
	AsAsked   Outcome = iota // stopped as asked
	Failure                  // the program failed
	GaveUp                   // something still ran after the deadline and the grace period
	WasForced                // a user at the terminal did not want to wait
)
