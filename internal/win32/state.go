// Package win32 names and explains what Windows and its services tell each other: the states of
// a service, the controls that it receives, and the errors of the service control manager.
//
// The names are Microsoft's, without underscores: ErrorServiceDisabled stands for
// ERROR_SERVICE_DISABLED. The package works on every system, because test doubles use it too.
package win32

import "fmt"

// State is the state of a service: dwCurrentState of [SERVICE_STATUS].
//
// [SERVICE_STATUS]: https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_status
type State uint32

// The states of a service.
const (
	Stopped         State = 1
	StartPending    State = 2
	StopPending     State = 3
	Running         State = 4
	ContinuePending State = 5
	PausePending    State = 6
	Paused          State = 7
)

var stateNames = [...]string{
	Stopped: "STOPPED", StartPending: "START_PENDING", StopPending: "STOP_PENDING", Running: "RUNNING",
	ContinuePending: "CONTINUE_PENDING", PausePending: "PAUSE_PENDING", Paused: "PAUSED",
}

// String returns the name without SERVICE_.
func (s State) String() string {
	if !s.Valid() {
		return fmt.Sprintf("state %d", uint32(s))
	}
	return stateNames[s]
}

// Valid reports whether there is such a state.
func (s State) Valid() bool { return Stopped <= s && s <= Paused }

// Pending reports whether a service in s is changing to another state. Only in these states does
// it have checkpoints and wait hints (SERVICE_STATUS, dwCheckPoint and dwWaitHint).
func (s State) Pending() bool {
	return s == StartPending || s == StopPending || s == ContinuePending || s == PausePending
}
