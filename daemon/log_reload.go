package daemon

import (
	"sync"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// relog has the log reloaded alone, where the program cannot be reloaded yet: an
// operator who asks a paused program for more of its log wants that now. One goroutine
// does it, once more for all that is asked for meanwhile.
type relog struct {
	mu      sync.Mutex
	running bool
	wanted  bool
}

// begin reports whether the caller is to do it.
func (l *relog) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = true
	first := !l.running
	l.running = true
	return first
}

// next reports whether it is to be done, or done once more.
func (l *relog) next() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running, l.wanted = l.wanted, false
	return l.running
}

// reloadLog reloads the log on a goroutine of the run. The program follows when it can,
// by an event of its own.
func (r *run) reloadLog(e input) {
	state := r.machine.State()
	if state == lifecycle.Stopping || state == lifecycle.Stopped || !r.relog.begin() {
		return
	}
	if !r.tasks.add() {
		return // not before it stops
	}
	go func() {
		defer r.tasks.done()
		for r.relog.next() {
			r.book.add(zap.InfoLevel, "reloading the log at once", "", zap.String("detail", e.name), zap.Stringer("state", state))
			r.readLog()
		}
	}()
}

// readLog is the part of a reload that the log takes in.
func (r *run) readLog() {
	r.readLevel("reload")
	if err := r.book.reopen(); err != nil {
		r.warn("the log could not be opened again", zap.Error(err))
	}
}
