package daemon

import (
	"sync"

	"github.com/go-glidepath/glidepath/internal/host"
)

// maxNotices limits the number of events that wait for a slow program.
const maxNotices = 1024

// notices holds the events that the program has not been told about yet.
type notices struct {
	mu      sync.Mutex
	waiting []host.Event
	handing bool // a goroutine is passing them to the program
}

// notify queues e for the program. It returns at once, and reports whether it took e.
func (r *run) notify(e host.Event) bool {
	p, ok := r.program.(Notified)
	if !ok {
		return false
	}
	n := &r.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == maxNotices || r.ctx.Err() != nil {
		return false
	}
	if !n.handing && !r.tasks.add() {
		return false
	}
	n.waiting = append(n.waiting, e)
	if !n.handing {
		n.handing = true
		go r.handNotices(p)
	}
	return true
}

// handNotices passes the waiting events to the program until none is left or the context of
// the run has ended. If Notify ends its goroutine, handNotices continues on another one.
func (r *run) handNotices(p Notified) {
	ended := true
	defer func() {
		if ended {
			go r.handNotices(p)
			return
		}
		r.tasks.done()
	}()
	for e, ok := r.nextNotice(); ok; e, ok = r.nextNotice() {
		protect("Notify", func() error { p.Notify(r.ctx, eventOf(e)); return nil }, func(err error) {
			finishEvents(e)
			if err != nil {
				r.fail("Notify "+abrupt(err), err)
			}
		})
	}
	ended = false
}

// nextNotice removes the first waiting event. If there is none, or the context of the run has
// ended, it returns false and drops the others.
func (r *run) nextNotice() (e host.Event, ok bool) {
	n := &r.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 || r.ctx.Err() != nil {
		finishEvents(n.waiting...) // the program will not get them any more
		n.waiting, n.handing = nil, false
		return e, false
	}
	e, n.waiting = n.waiting[0], n.waiting[1:]
	return e, true
}

// finishEvents tells the senders of events that the program has handled them or never will.
func finishEvents(events ...host.Event) {
	for _, e := range events {
		if e.Done != nil {
			e.Done()
		}
	}
}
