package daemon

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// input holds a lifecycle event with its details, or a change of the log level.
type input struct {
	kind   lifecycle.Event
	reason Reason        // why to stop
	budget time.Duration // the most time that stopping may take, 0 if as configured
	hint   string        // advice for a person at a terminal
	err    *failed       // the failure, if it is one
	signal int           // the number of the signal that forces the end
	name   string        // the name of that signal, or what asks for a reload or a step
	step   zapcore.Level // the change of the log level; if not 0, the other fields do not count
}

// maxAlike limits the waiting events of one kind. Until they are handled, another one would
// add nothing.
const maxAlike = 64

// inbox holds the events that the loop has not handled yet. Posting an event never blocks,
// because the control handlers of managers have to return at once.
type inbox struct {
	mu     sync.Mutex
	events []input
	alike  [lifecycle.NumEvents + 1]int // the number of waiting events of each kind, steps last
	closed bool
	wake   chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// post adds e. It drops e after close, and if maxAlike events of its kind wait already.
func (b *inbox) post(e input) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := &b.alike[e.kind]
	if e.step != 0 {
		n = &b.alike[lifecycle.NumEvents]
	}
	if b.closed || *n == maxAlike {
		return
	}
	*n++
	b.events = append(b.events, e)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take removes and returns the waiting events.
func (b *inbox) take() []input {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	clear(b.alike[:])
	return events
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed, b.events = true, nil
}
