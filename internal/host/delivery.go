package host

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// deliveryBound limits how long Tell waits until a manager has been told a state. The same
// goroutine keeps the deadlines of the run.
const deliveryBound = 100 * time.Millisecond

// Delivery waits until a manager has been told the state that precedes a call of the program:
// a Stop that queries the state of its own service must not see it running. If a manager was
// too slow once, Delivery does not wait for it again until it has caught up. The zero value is
// ready to use.
type Delivery struct{ behind <-chan struct{} }

// Precedes reports whether s is a change of state after which a method of the program is
// called.
func (s Status) Precedes() bool {
	switch s.State {
	case lifecycle.Reloading, lifecycle.Pausing, lifecycle.Continuing, lifecycle.Stopping:
		return s.Checkpoint == 0
	}
	return false
}

// Await waits until told is closed, for at most deliveryBound.
func (d *Delivery) Await(told <-chan struct{}) {
	if d.behind != nil {
		select {
		case <-d.behind:
		default:
			return
		}
	}
	d.behind = nil
	bound := time.NewTimer(deliveryBound)
	defer bound.Stop()
	select {
	case <-told:
	case <-bound.C:
		d.behind = told
	}
}
