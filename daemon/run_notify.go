package daemon

import (
	"sync"

	"github.com/go-glidepath/glidepath/internal/host"
)

// maxNotices is how many events wait for a program that is slow to take them.
const maxNotices = 1024

// notices are the events that the program has yet to hear of.
type notices struct {
	mu      sync.Mutex
	waiting []host.Event
	handing bool // a goroutine hands them over
}

// notify has e handed to the program. It returns at once, false if e was not taken.
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

// handNotices hands over what waits, until nothing does or the run's context has ended. A Notify
// that ends its goroutine gets another one.
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

func (r *run) nextNotice() (e host.Event, ok bool) {
	n := &r.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.waiting) == 0 || r.ctx.Err() != nil {
		finishEvents(n.waiting...) // which the program does not hear of any more
		n.waiting, n.handing = nil, false
		return e, false
	}
	e, n.waiting = n.waiting[0], n.waiting[1:]
	return e, true
}

// finishEvents tells whoever waits for events that nothing more comes of them.
func finishEvents(events ...host.Event) {
	for _, e := range events {
		if e.Done != nil {
			e.Done()
		}
	}
}
