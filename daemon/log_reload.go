package daemon

import (
	"sync"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// relog reloads only the log while the program cannot be reloaded: an operator who asks a
// paused program to log more wants that now. One goroutine does it, and repeats it once for
// all requests that came meanwhile.
type relog struct {
	mu      sync.Mutex
	running bool
	wanted  bool
}

// begin notes a request. It reports whether the caller has to start the goroutine.
func (l *relog) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = true
	first := !l.running
	l.running = true
	return first
}

// next reports whether the log has to be reloaded, or reloaded again.
func (l *relog) next() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running, l.wanted = l.wanted, false
	return l.running
}

// reloadLog reloads the log on a goroutine of the run. The machine calls the program's Reload
// later, when it can.
func (r *run) reloadLog(e input) {
	state := r.machine.State()
	if state == lifecycle.Stopping || state == lifecycle.Stopped || !r.relog.begin() {
		return
	}
	if !r.tasks.add() {
		return // too late: the run is stopping
	}
	go func() {
		defer r.tasks.done()
		for r.relog.next() {
			r.book.add(zap.InfoLevel, "reloading the log at once", "", zap.String("detail", e.name), zap.Stringer("state", state))
			r.readLog()
		}
	}()
}

// readLog reads the level again, and reopens a log file.
func (r *run) readLog() {
	r.readLevel("reload")
	if err := r.book.reopen(); err != nil {
		r.warn("the log could not be opened again", zap.Error(err))
	}
}
