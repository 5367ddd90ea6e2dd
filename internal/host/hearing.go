package host

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// hearingBound is how long Tell waits for a manager to be told of a state. The deadlines of
// the run are kept on the same goroutine.
const hearingBound = 100 * time.Millisecond

// Hearing waits for a manager to be told what comes before the next call of the program:
// a Stop that asks for the state of its own service must not see it running. A manager that
// was too slow once is not waited for again until it has caught up. The zero value is ready.
type Hearing struct{ behind <-chan struct{} }

// Precedes reports whether s is a change of state after which the program is called.
func (s Status) Precedes() bool {
	switch s.State {
	case lifecycle.Reloading, lifecycle.Pausing, lifecycle.Continuing, lifecycle.Stopping:
		return s.Checkpoint == 0
	}
	return false
}

// Await waits until told is closed, but not long.
func (h *Hearing) Await(told <-chan struct{}) {
	if h.behind != nil {
		select {
		case <-h.behind:
		default:
			return
		}
	}
	h.behind = nil
	bound := time.NewTimer(hearingBound)
	defer bound.Stop()
	select {
	case <-told:
	case <-bound.C:
		h.behind = told
	}
}
