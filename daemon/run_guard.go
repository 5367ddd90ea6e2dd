package daemon

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// endBound limits the time after the grace period: for the stacks of what still runs, the
// log, and the last message to the manager.
const endBound = 500 * time.Millisecond

// guard exits the process at a given time even if the loop is stuck, for example in a method
// of the program's errors or in a log that the program brings.
type guard struct {
	name string // the name of the service
	exit func(code int)
	out  io.Writer

	mu    sync.Mutex
	timer *time.Timer
	last  time.Time
	code  atomic.Int64
}

func newGuard(name string, exit func(int)) *guard {
	g := &guard{name: name, exit: exit, out: os.Stderr}
	g.code.Store(exitStopTimeout)
	return g
}

// set makes the process exit at t, unless an earlier time was set before: a loop that is
// late must not postpone the exit.
func (g *guard) set(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil && !t.Before(g.last) {
		return
	}
	g.last = t
	if g.timer == nil {
		g.timer = time.AfterFunc(time.Until(t), g.fire)
		return
	}
	g.timer.Reset(time.Until(t))
}

// remaining returns the time until the process exits.
func (g *guard) remaining() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.last)
}

// stop disarms the guard after the loop has ended.
func (g *guard) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
}

// fire writes the reason to standard error and exits.
func (g *guard) fire() {
	writeBriefly(g.out, fmt.Sprintf("<3>%s: the run did not end in time\n", g.name))
	g.exit(int(g.code.Load()))
}
