package journal

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/logevent"
)

const (
	patience    = 200 * time.Microsecond // how long a log call waits while the backlog has room
	longest     = 50 * time.Millisecond  // how long it waits for room that there will be
	maxWaiting  = 1 << 20                // bytes of the backlog
	overhead    = 64                     // bytes of memory of each record in it, more or less
	redialEvery = 100 * time.Millisecond
	lookEvery   = 20 * time.Millisecond // how often what waits looks whether it still has to
	askFirst    = 20 * time.Microsecond // whether journald has read: it is quick, mostly
	askEvery    = 500 * time.Microsecond
	moment      = 5 * time.Millisecond
)

// result is what became of a record.
type result uint8

const (
	sent   result = iota
	full          // the queue is: later it may be taken
	gone          // nobody listens: later somebody may
	broken        // it cannot be sent
)

// writer sends records over one socket, in order. See the package comment for what it
// does when it cannot.
type writer struct {
	path      string
	constants *constants
	records   *records

	mu       sync.Mutex
	socket   socket
	slow     bool      // there is more to do than to send the next record
	waiting  [][]byte  // the backlog
	size     int       // of the backlog
	lost     uint64    // records
	told     uint64    // of those, how many the journal knows about
	progress time.Time // when the backlog became shorter
	dialed   time.Time
	hung     bool // somebody has waited in vain, and nothing was sent since
	flushing bool // there is a goroutine that empties the backlog
	closed   bool

	owned sync.WaitGroup // who uses the socket without the lock
	stop  chan struct{}  // closed when the goroutine has to end
}

func newWriter(path, identifier string) (*writer, error) {
	w := &writer{path: path, constants: newConstants(identifier), records: newRecords(), stop: make(chan struct{})}
	if err := w.socket.open(path); err != nil {
		return nil, fmt.Errorf("connect to the journal at %s: %w", path, err)
	}
	return w, nil
}

// write sends a record of that time, or keeps it for later, or drops it.
func (w *writer) write(b []byte, logged time.Time) error {
	w.mu.Lock()
	if !w.slow && w.send(b) == sent {
		w.mu.Unlock()
		return nil
	}
	return w.writeSlowly(b, logged)
}

// writeSlowly is write where something is in the way. It gives up the lock.
func (w *writer) writeSlowly(b []byte, logged time.Time) error {
	defer func() { w.mu.Unlock() }()
	var begun time.Time
	for {
		if w.closed {
			w.lost++
			return fmt.Errorf("log to the journal: %w", os.ErrClosed)
		}
		outcome := w.flush()
		if outcome == sent {
			outcome = w.send(b)
		}
		switch {
		case outcome == sent:
			return nil
		case outcome == broken:
			w.drop()
			return nil
		case w.keep(b, logged):
			// This gives journald the time to catch up with a program that logs much.
			w.rest(outcome)
			if !w.closed {
				w.flush()
			}
			return nil
		}
		now := time.Now()
		if begun.IsZero() {
			begun = now
		}
		if now.Sub(begun) >= longest || now.Sub(w.progress) >= longest {
			w.drop()
			return nil
		}
		w.rest(outcome) // journald reads: there will be room
	}
}

// rest gives up the lock for a while. Nobody waits for others who rest.
func (w *writer) rest(after result) {
	w.owned.Add(1)
	w.mu.Unlock()
	w.socket.wait(after, patience)
	w.owned.Done()
	w.mu.Lock()
}

// send sends a record, over a new connection if there has to be one.
func (w *writer) send(b []byte) result {
	outcome := w.socket.send(b)
	if outcome == gone {
		if now := time.Now(); now.Sub(w.dialed) >= redialEvery {
			w.dialed = now
			if w.socket.connect(w.path) == nil {
				outcome = w.socket.send(b)
			}
		}
	}
	return outcome
}

// keep puts a record into the backlog if there is room, and sees to it that it leaves.
func (w *writer) keep(b []byte, logged time.Time) bool {
	const field = "LOGGED_AT="
	n := len(b) + len(field) + len(time.RFC3339Nano) + 1
	if w.size+n+overhead > maxWaiting {
		return false
	}
	kept := append(append(make([]byte, 0, n), b...), field...)
	kept = append(logged.AppendFormat(kept, time.RFC3339Nano), '\n')
	w.waiting = append(w.waiting, kept)
	w.size += len(kept) + overhead
	w.later()
	return true
}

// drop counts a record that is lost.
func (w *writer) drop() {
	w.lost++
	w.later()
}

// later has a goroutine do what is left to do, if there is none yet.
func (w *writer) later() {
	w.slow = true
	if w.flushing {
		return
	}
	w.flushing = true
	w.owned.Add(1)
	go func() {
		defer w.owned.Done()
		for w.again() {
		}
	}()
}

// again is one turn of the goroutine: false if it was the last.
func (w *writer) again() bool {
	w.mu.Lock()
	outcome := result(sent)
	if !w.closed {
		outcome = w.flush()
	}
	if outcome == sent {
		w.flushing = false
		w.mu.Unlock()
		return false
	}
	w.mu.Unlock()
	if outcome == full {
		w.socket.wait(full, lookEvery)
		return true
	}
	timer := time.NewTimer(redialEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.stop:
	}
	return true
}

// flush sends what waits, and then how much was lost, as far as it can.
func (w *writer) flush() result {
	for len(w.waiting) > 0 {
		next := w.waiting[0]
		switch outcome := w.send(next); outcome {
		case sent:
			w.hung, w.progress = false, time.Now()
		case broken:
			w.lost++
		case full, gone:
			return outcome
		}
		w.size -= len(next) + overhead
		w.waiting[0] = nil
		w.waiting = w.waiting[1:]
	}
	w.waiting = nil
	if w.lost > w.told {
		if outcome := w.tell(w.lost - w.told); outcome != sent {
			return outcome
		}
		w.told = w.lost
	}
	w.slow = w.closed
	return sent
}

// tell logs how many records were lost. What cannot be sent at all is not tried again.
func (w *writer) tell(n uint64) result {
	r := w.records.get()
	defer w.records.put(r)
	what, them := "records were", "them"
	if n == 1 {
		what, them = "record was", "it"
	}
	entry := zapcore.Entry{
		Level:   zapcore.WarnLevel,
		Message: strconv.FormatUint(n, 10) + " log " + what + " lost: the journal did not take " + them + " in time",
	}
	r.begin(&entry, w.constants)
	r.restore(&record{})
	for _, f := range []zapcore.Field{logevent.RecordsLost.Field(), zap.Uint64("lost", n), zap.Uint64("lost_in_all", w.lost)} {
		r.add(&f)
	}
	r.finish()
	if outcome := w.send(r.buf); outcome != broken {
		return outcome
	}
	return sent
}

// sync waits until journald has taken everything, or until ctx ends, but only a moment
// if somebody has waited in vain and nothing says that journald is back.
func (w *writer) sync(ctx context.Context) error {
	w.mu.Lock()
	hung, before := w.hung, w.progress
	w.mu.Unlock()
	if !hung {
		return w.settle(ctx)
	}
	short, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	err := w.settle(short)
	if err == nil {
		return nil
	}
	w.mu.Lock()
	back := w.progress != before
	w.mu.Unlock()
	if back {
		return w.settle(ctx)
	}
	return err
}

// settle waits until journald has taken everything, or until ctx ends. A timer of Go takes
// a millisecond at least where all else waits too, which is more than journald takes.
func (w *writer) settle(ctx context.Context) error {
	for ask := askFirst; ; ask = min(2*ask, askEvery) {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return nil
		}
		settled := w.flush() == sent && w.socket.taken()
		left := len(w.waiting)
		w.hung = !settled && (w.hung || ctx.Err() != nil)
		w.mu.Unlock()
		switch {
		case settled:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the journal does not take what was logged: %d records wait", left)
		}
		w.socket.wait(gone, ask)
	}
}

func (w *writer) total() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

func (w *writer) close(ctx context.Context) error {
	err := w.sync(ctx)
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed, w.slow = true, true
	w.mu.Unlock()

	close(w.stop)
	w.owned.Wait()

	w.mu.Lock()
	defer w.mu.Unlock()
	left := len(w.waiting)
	w.lost += uint64(left)
	w.waiting, w.size = nil, 0
	w.socket.close()
	if left > 0 {
		return fmt.Errorf("%d log records were lost: %w", left, err)
	}
	return nil
}
