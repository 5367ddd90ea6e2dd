// Package queue holds the records of a log that its reader has not taken yet. All sinks use
// it, so they wait, drop, count and report in the same way.
//
// # Logging a record
//
// If there is room, the call that logs a record sends it. Otherwise the record goes into a
// backlog of at most 8 MiB, which one goroutine sends in order, and the call gives the
// reader up to 200 µs to catch up. If the backlog is full, the call waits for room for up
// to 50 ms, but only while the reader makes progress: it must have taken something within
// the last 50 ms. Otherwise the record is dropped and counted. While a reader hangs, no
// call waits.
//
// If sending takes a system call that may hang (see [Options].Blocking), the goroutine
// sends all records. The call whose record is next waits for up to 50 ms.
//
// # The run's own records
//
// Records of the run itself carry an event. They have a lane of their own: they are kept
// even if the backlog is full, and they are sent first. One of them is RecordsLost. It
// reports how many records were lost, at the place where they are missing, at most once a
// second while more are lost.
//
// # Ending
//
// [Queue.Drain] waits as long as the reader makes progress. If it gives up, it drops the
// backlog, so that the last records of the run do not wait behind it. [Queue.Close] sends
// those. Its error reports losses that could not be reported otherwise.
package queue

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

const (
	// Backlog is the memory for waiting records, in bytes. It is twice what small records
	// should have, because each takes as much again.
	Backlog = 8 << 20
	// Lane is the memory for waiting records of the run itself, in bytes.
	Lane = 256 << 10
	// Stall is how long Drain and Close wait for a reader that takes nothing.
	Stall = 500 * time.Millisecond

	patience    = 200 * time.Microsecond // how long a call waits after its record was queued
	longest     = 50 * time.Millisecond  // how long a call waits for room
	tellEvery   = time.Second            // how often losses are reported while more occur
	retryEvery  = 100 * time.Millisecond // how often to send again while nobody reads
	lookEvery   = 20 * time.Millisecond  // how often the goroutine checks whether to end
	askFirst    = 20 * time.Microsecond  // the first check whether the reader has taken everything: most are fast
	askEvery    = 500 * time.Microsecond
	moment      = 5 * time.Millisecond   // how long to wait for a reader that is known to hang
	late        = 64                     // about how many bytes Late appends
	syncTimeout = 250 * time.Millisecond // how long Sync waits
)

// Outcome is the result of sending a record.
type Outcome uint8

const (
	// Taken means that the record was sent.
	Taken Outcome = iota
	// Full means that the reader has no room at the moment.
	Full
	// Gone means that nobody reads at the moment.
	Gone
	// Refused means that this record can never be sent.
	Refused
)

// Output sends the records of a queue. Calls of Send, Unread and Close never overlap.
type Output interface {
	// Send sends b without waiting, unless Options.Blocking is set. If the outcome is Full
	// or Gone, it has sent the first n bytes; the next call gets the rest.
	Send(b []byte) (n int, o Outcome)
	// Wait waits for at most d until sending again may succeed after that outcome. After
	// Gone it waits for all of d. Any number of goroutines may call it.
	Wait(after Outcome, d time.Duration)
	// Unread returns a number that falls while the reader reads what was sent. It returns 0
	// if the reader has read everything, or if that cannot be determined. It is not called
	// if Options.Blocking is set.
	Unread() int
	// Close closes the output.
	Close() error
}

// Options configure a [Queue].
type Options struct {
	Output Output
	// Reader names the reader in messages, as in "the journal".
	Reader string
	// Encode encodes a record of the sink itself. It returns memory that is not used again.
	Encode func(e zapcore.Entry, fields []zapcore.Field) []byte
	// Blocking says that Send may take any time. Then only the queue's goroutine calls Send
	// and Close, and nothing else waits for them.
	Blocking bool
	// Late appends the time to a record that is sent later than it was logged. It may be
	// nil.
	Late func(b []byte, logged time.Time) []byte
	// End is sent instead of the rest of a record that was sent in part.
	End []byte
}

// Queue sends records in order. Its methods may be called from any goroutine.
type Queue struct {
	Options

	mu       sync.Mutex
	slow     bool  // sending the next record is not enough
	own      lane  // records of the run
	backlog  lane  // all other records
	begun    *lane // the lane whose first record is being sent or was sent in part: nothing may be sent before the rest
	busy     bool  // the goroutine is sending the first record of begun
	seq      uint64
	taken    uint64 // counts records, to detect progress
	losses   Losses
	toldAt   time.Time // when the last report about losses was made
	progress time.Time // when the reader last took something, or the queue began to fill
	stuck    bool      // waiting for the reader was in vain, and it has taken nothing since
	working  bool      // a goroutine is running
	closing  bool      // nothing is added any more
	closed   bool      // nothing is sent any more
	spare    []byte    // memory for the next record
	waiter   *waiter   // reused by the next call

	owned sync.WaitGroup // goroutines and calls that use the output without the lock
	wake  chan struct{}  // wakes the goroutine
	stop  chan struct{}  // closed to end the goroutine
	ended chan struct{}  // closed when the goroutine of a blocking output has ended
}

// New returns a queue. Close it after the last record was logged.
func New(o Options) *Queue {
	q := &Queue{
		Options: o, own: lane{limit: Lane}, backlog: lane{limit: Backlog},
		stop: make(chan struct{}), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if o.Blocking {
		q.slow, q.working = true, true
		go q.serve()
	}
	return q
}

// Write sends a record that was logged at that time, queues it, or drops it. own says that
// it is a record of the run itself. After Close, Write does nothing.
func (q *Queue) Write(b []byte, logged time.Time, own bool) {
	q.mu.Lock()
	if !q.slow {
		n, outcome := q.Output.Send(b)
		if outcome == Taken || n > 0 {
			if outcome == Refused {
				q.lose()
			} else if outcome != Taken {
				q.rest(b[n:])
			}
			q.mu.Unlock()
			return
		}
	}
	q.writeSlowly(b, logged, own)
}

// writeSlowly completes Write when the record cannot be sent at once. It unlocks q.mu.
func (q *Queue) writeSlowly(b []byte, logged time.Time, own bool) {
	defer func() { q.mu.Unlock() }()
	var since time.Time
	for !q.closing {
		outcome := q.flush()
		if outcome == Taken {
			outcome = q.send(b)
		}
		switch outcome {
		case Taken:
			return
		case Refused:
			q.lose()
			return
		}
		now := time.Now()
		alone := q.waiting() == 0
		if alone && !q.stuck {
			q.progress = now // so far, it has taken everything
		}
		if l := q.room(len(b), own); l != nil {
			it := q.keep(l, b, logged)
			q.linger(it, outcome, alone)
			return
		}
		if since.IsZero() {
			since = now
		}
		if now.Sub(since) >= longest || !q.lively(now) {
			q.lose()
			return
		}
		q.yield(outcome, patience) // the reader makes progress: there will be room
	}
	if !since.IsZero() {
		q.losses.Add(1)
	}
}

// lively reports whether the reader has taken something lately.
func (q *Queue) lively(now time.Time) bool { return now.Sub(q.progress) < longest }

// send sends a record when no other waits.
func (q *Queue) send(b []byte) Outcome {
	n, outcome := q.Output.Send(b)
	if n > 0 && (outcome == Full || outcome == Gone) {
		q.rest(b[n:])
		return Taken
	}
	return outcome
}

// rest queues the rest of a record that was sent in part, when no other waits.
func (q *Queue) rest(b []byte) {
	q.progress, q.stuck = time.Now(), false
	q.seq++
	q.own.push(item{b: append([]byte(nil), b...), seq: q.seq})
	q.begun = &q.own
	q.later()
}

// room returns the lane for a record of n bytes, nil if there is no room. An empty lane
// accepts any record, so no record is too large.
func (q *Queue) room(n int, own bool) *lane {
	switch {
	case own && (q.own.fits(n+late) || q.own.len() == 0):
		return &q.own
	case q.backlog.fits(n+late) || q.backlog.len() == 0:
		return &q.backlog
	}
	return nil
}

// keep adds a record to a lane. If records were lost before it, it adds the report about
// them first.
func (q *Queue) keep(l *lane, b []byte, logged time.Time) *waiter {
	if q.losses.Due() && l == &q.backlog && time.Since(q.toldAt) >= tellEvery {
		q.announce(l)
	}
	kept := q.spare[:0]
	if q.spare = nil; q.Late == nil {
		kept = append(kept, b...)
	} else {
		kept = q.Late(append(make([]byte, 0, len(b)+late), b...), logged)
	}
	q.seq++
	it := item{b: kept, seq: q.seq}
	if q.Blocking {
		it.alert = q.newWaiter()
	}
	l.push(it)
	q.later()
	return it.alert
}

// linger gives the reader time to catch up with a program that logs a lot.
func (q *Queue) linger(w *waiter, after Outcome, alone bool) {
	switch {
	case !q.lively(time.Now()):
	case q.Blocking:
		wait := patience
		if alone {
			wait = longest
		}
		q.await(w, wait)
	default:
		if q.yield(after, patience); !q.closed {
			q.flush()
		}
	}
}

// yield unlocks q.mu while it waits, so that waiting calls do not block each other.
func (q *Queue) yield(after Outcome, d time.Duration) {
	q.owned.Add(1)
	q.mu.Unlock()
	q.wait(after, d)
	q.owned.Done()
	q.mu.Lock()
}

// wait waits for the output for at most d.
func (q *Queue) wait(after Outcome, d time.Duration) {
	if q.Blocking {
		time.Sleep(d)
		return
	}
	q.Output.Wait(after, d)
}

// lose counts a lost record.
func (q *Queue) lose() {
	q.losses.Add(1)
	q.later()
}

// next returns the lane whose first record to send next, nil if no record waits.
func (q *Queue) next() *lane {
	switch {
	case q.begun != nil:
		return q.begun
	case q.own.len() > 0:
		return &q.own
	case q.backlog.len() > 0:
		return &q.backlog
	case q.losses.Due():
		q.announce(&q.own)
		return &q.own
	}
	return nil
}

// announce adds a report about the losses to a lane.
func (q *Queue) announce(l *lane) {
	e, fields, upTo := q.losses.Announce(q.Reader)
	q.toldAt = e.Time
	q.seq++
	l.push(item{b: q.Encode(e, fields), seq: q.seq, tells: upTo})
}

// flush sends the waiting records as far as possible. It returns Taken if none is left.
func (q *Queue) flush() Outcome {
	if q.Blocking {
		return Full
	}
	for l := q.next(); l != nil; l = q.next() {
		n, outcome := q.Output.Send(l.head().b)
		if q.settled(l, n, outcome); outcome == Full || outcome == Gone {
			return outcome
		}
	}
	q.slow = q.closing
	return Taken
}

// settled processes the outcome of sending the first record of a lane.
func (q *Queue) settled(l *lane, n int, outcome Outcome) {
	if outcome == Full || outcome == Gone {
		if n > 0 {
			l.head().b = l.head().b[n:]
			q.begun, q.progress, q.stuck = l, time.Now(), false
			q.taken++
		}
		return
	}
	q.begun = nil
	it := l.pop()
	switch {
	case it.tells > 0:
		if outcome == Taken { // otherwise the next report would be refused too
			q.losses.Told(it.tells)
		}
	case outcome == Refused && !it.void:
		q.losses.Add(1)
	}
	q.progress, q.stuck = time.Now(), false
	q.taken++
	q.release(&it)
}
