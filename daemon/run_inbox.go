package daemon

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// input is a lifecycle event and what comes with it, or a step of the log's level.
type input struct {
	kind   lifecycle.Event
	reason Reason        // why to stop
	budget time.Duration // how long there is for it at the most, 0 if as configured
	hint   string        // what a person may want to know of it
	err    *failed       // how it failed
	signal int           // which signal forces
	name   string        // what that signal is called, or who asks for a reload or a step
	step   zapcore.Level // how the level of the log is to change; then it is nothing else
}

// maxAlike is how many events of one kind wait. One that nobody has handled says all
// that a further one would.
const maxAlike = 64

// inbox holds what the loop has yet to handle. Putting something into it never
// blocks: control handlers of managers have to return at once.
type inbox struct {
	mu     sync.Mutex
	events []input
	alike  [lifecycle.NumEvents + 1]int // how many wait, steps last
	closed bool
	wake   chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// post drops what comes after close, which is too late, and what maxAlike events say
// already.
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
