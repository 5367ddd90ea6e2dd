package systemd

import (
	"slices"
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// queuedStatus is a state that the manager has not been told yet.
type queuedStatus struct {
	host.Status
	at time.Duration // when the state began, by the manager's clock
}

// maxQueued is the number of states that are kept in full for a manager that is late.
const maxQueued = 16

// queue holds the states that the manager has not been told yet, in order. If the manager
// does not read, the queue drops states that a later one supersedes, and so stays short. When
// the manager reads again, it is told in this order: that the program is ready, the latest
// reload and its result, the latest other state, and the end.
type queue []queuedStatus

// add returns the queue with t at its end.
func (q queue) add(t queuedStatus) queue {
	if len(q) >= maxQueued {
		q = q.dropOutdated(t.State)
	}
	return append(q, t)
}

// dropOutdated returns the queue without the states that s supersedes. The caller appends s.
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
		// One READY=1 ends a start or a reload. Another one only changes the STATUS.
		if i := q.lastIndex(lifecycle.Running); i > q.lastIndex(lifecycle.Reloading) {
			from = i
		}
	case isStatus(s) && len(q) > 0 && isStatus(q[len(q)-1].State):
		from--
	}
	return slices.Delete(q, from, len(q))
}

// isStatus reports whether systemd sees s only as a STATUS.
func isStatus(s lifecycle.State) bool {
	return s == lifecycle.Pausing || s == lifecycle.Paused || s == lifecycle.Continuing
}

// lastIndex returns the index of the last entry with the state s, -1 if there is none.
func (q queue) lastIndex(s lifecycle.State) int {
	for i, t := range slices.Backward(q) {
		if t.State == s {
			return i
		}
	}
	return -1
}
