package systemd

import (
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// queuedStatus is a state that the manager is yet to be told.
type queuedStatus struct {
	host.Status
	at time.Duration // of the manager's clock: when the state began
}

// maxQueued is how many states are kept for a manager that is merely late.
const maxQueued = 16

// queue is what the manager is yet to be told, in order. It stays short however many
// states there are: of a manager that does not read, what a later state makes out of date
// is left out. When it reads again it is told, in this order, that the program is ready,
// of the latest reload and how it ended, the latest other state, and the end.
type queue []queuedStatus

// add returns the queue with t at its end.
func (q queue) add(t queuedStatus) queue {
	if len(q) >= maxQueued {
		q = q.dropOutdated(t.State)
	}
	return append(q, t)
}

// dropOutdated returns the queue without what s at its end makes out of date.
func (q queue) dropOutdated(s lifecycle.State) queue {
	from := len(q)
	switch {
	case s == lifecycle.Reloading:
		// The manager waits for a RELOADING=1 that is newer than its request, and for the
		// READY=1 behind it: the latest pair answers all requests before it.
		if i := q.lastIndex(lifecycle.Reloading); i >= 0 {
			from = i
		}
	case s == lifecycle.Running:
		// One READY=1 ends a start, or a reload. Another one only has another STATUS.
		if i := q.lastIndex(lifecycle.Running); i > q.lastIndex(lifecycle.Reloading) {
			from = i
		}
	case isStatus(s) && len(q) > 0 && isStatus(q[len(q)-1].State):
		from--
	}
	return slices.Delete(q, from, len(q))
}

// isStatus reports whether s is no more than a STATUS to systemd.
func isStatus(s lifecycle.State) bool {
	return s == lifecycle.Pausing || s == lifecycle.Paused || s == lifecycle.Continuing
}

// lastIndex returns where the last one with a state is, -1 if there is none.
func (q queue) lastIndex(s lifecycle.State) int {
	for i, t := range slices.Backward(q) {
		if t.State == s {
			return i
		}
	}
	return -1
}
