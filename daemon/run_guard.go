package daemon

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// endBound is what the end may take after the grace is over: the stacks of what still
// runs, the log, and what the manager is told last.
const endBound = 500 * time.Millisecond

// guard exits the process at its time, whatever the loop does by then: it may be held up
// by a method of the program's errors, or by a log that is not the host's.
type guard struct {
	name string // of the service
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

// set has the process exit at t, or earlier if that was set before: a loop that is late
// does not put it off.
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

// remaining is how long it is until the process is exited.
func (g *guard) remaining() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.last)
}

// stop ends it: the loop has come to its end.
func (g *guard) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
}

// fire tells standard error why, and exits.
func (g *guard) fire() {
	writeBriefly(g.out, fmt.Sprintf("<3>%s: the run has not come to its end in time\n", g.name))
	g.exit(int(g.code.Load()))
}
