// Package queue holds the records of a log that its reader has not taken yet. Every sink
// uses it, so that all of them wait, drop, count and tell in one way.
//
// # What a call does
//
// A record that finds room at once is sent by the call that logs it. Otherwise it is put
// into a backlog of at most 8 MiB, which one goroutine sends in order; the call then gives
// the reader up to 200 µs to catch up. If the backlog is full, the call waits for room, but
// only while the reader makes progress, which means that it has taken something within the
// last 50 ms, and never longer than 50 ms. Otherwise the record is dropped and counted.
// While a reader hangs, no call waits.
//
// Where only a system call that may hang can send a record (see [Options].Blocking), the
// goroutine sends all of them. A call whose record is next waits up to 50 ms for it.
//
// # The run's own records
//
// Records of the run itself, which carry an event, have a lane of their own, ahead of the
// backlog: they are kept although the backlog is full, and they are sent first. One of
// them is RecordsLost: it reports how many records were lost, in the place where they are
// missing, and at most once a second while records keep being lost.
//
// # At the end
//
// [Queue.Drain] waits as long as the reader makes progress. If it gives up it drops the
// backlog, so that what comes next, the run's last records, is not behind it. [Queue.Close]
// sends those. What nobody could be told about by then is in its error.
package queue

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

const (
	// Backlog is how much memory the records that wait may take, in bytes.
	// It is twice what small records should have: each costs as much again.
	Backlog = 8 << 20
	// Lane is the same for the run's own.
	Lane = 256 << 10
	// Stall is how long a reader that takes nothing is waited for at the end.
	Stall = 500 * time.Millisecond

	patience    = 200 * time.Microsecond // how long a call waits whose record is kept
	longest     = 50 * time.Millisecond  // how long it waits for room
	tellEvery   = time.Second            // while records keep being lost
	retryEvery  = 100 * time.Millisecond // when nobody reads
	lookEvery   = 20 * time.Millisecond  // how often the goroutine looks whether it has to end
	askFirst    = 20 * time.Microsecond  // whether the reader has taken everything: mostly it is quick
	askEvery    = 500 * time.Microsecond
	moment      = 5 * time.Millisecond   // for a reader that is known to hang
	late        = 64                     // bytes that Late appends, more or less
	syncTimeout = 250 * time.Millisecond // how long Sync waits
)

// Outcome is the result of sending a record.
type Outcome uint8

const (
	// Taken means that the record is sent.
	Taken Outcome = iota
	// Full means that the reader has no room now.
	Full
	// Gone means that nobody reads now.
	Gone
	// Refused means that this record can never be sent.
	Refused
)

// Output is where a queue sends records. Send, Unread and Close are never called at the
// same time.
type Output interface {
	// Send sends b and does not wait, unless Options.Blocking is set. If the outcome is
	// Full or Gone, the first n bytes were sent; the next call has the rest.
	Send(b []byte) (n int, o Outcome)
	// Wait waits until it may be of use to send again after that outcome, at most for d.
	// Any number of goroutines may call it. After Gone it waits for all of d.
	Wait(after Outcome, d time.Duration)
	// Unread returns a number that falls while the reader reads what was sent, and is 0
	// if it has read everything or if nobody can know. It is not called if
	// Options.Blocking is set.
	Unread() int
	// Close closes the output.
	Close() error
}

// Options of a [Queue].
type Options struct {
	Output Output
	// Reader is who takes the records, as in "the journal".
	Reader string
	// Encode makes a record of the sink in memory of its own.
	Encode func(e zapcore.Entry, fields []zapcore.Field) []byte
	// Blocking says that Send may take any time. Then only the queue's goroutine calls it,
	// and Close, without holding up anybody else.
	Blocking bool
	// Late appends to a record that is sent later than it was logged. It may be nil.
	Late func(b []byte, logged time.Time) []byte
	// End is sent in place of the rest of a record that was sent in part.
	End []byte
}

// Queue sends records in order. Its methods may be called from any goroutine.
type Queue struct {
	Options

	mu       sync.Mutex
	slow     bool  // there is more to do than to send the next record
	own      lane  // of the run's records
	backlog  lane  // of all others
	begun    *lane // whose first record was sent in part, or is being sent: nothing may come before it
	busy     bool  // the goroutine is sending it
	seq      uint64
	taken    uint64 // records, to see that there is progress
	losses   Losses
	toldAt   time.Time // when the last record about losses was made
	progress time.Time // when the reader has taken something, or began to have something to take
	stuck    bool      // a wait for it was in vain, and it has taken nothing since
	working  bool      // there is a goroutine
	closing  bool      // nothing is added any more
	closed   bool      // nor sent
	spare    []byte    // for the next record
	waiter   *waiter   // for the next call

	owned sync.WaitGroup // whoever uses the output without the lock
	wake  chan struct{}  // for the goroutine
	stop  chan struct{}  // closed when it has to end
	ended chan struct{}  // closed when it has ended, if the output is blocking
}

// New returns a queue. Close it when nobody logs any more.
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

// Write sends a record that was logged at that time, or keeps it for later, or drops it.
// own says that it is the run's. After Close it does nothing.
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

// writeSlowly is Write when something is in the way. It gives up the lock.
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
			q.progress = now // until now it has taken everything
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
		q.yield(outcome, patience) // the reader reads: there will be room
	}
	if !since.IsZero() {
		q.losses.Add(1)
	}
}

// lively reports whether the reader has taken something lately.
func (q *Queue) lively(now time.Time) bool { return now.Sub(q.progress) < longest }

// send sends a record with nothing before it.
func (q *Queue) send(b []byte) Outcome {
	n, outcome := q.Output.Send(b)
	if n > 0 && (outcome == Full || outcome == Gone) {
		q.rest(b[n:])
		return Taken
	}
	return outcome
}

// rest keeps the rest of a record that was sent in part, when nothing else waits.
func (q *Queue) rest(b []byte) {
	q.progress, q.stuck = time.Now(), false
	q.seq++
	q.own.push(item{b: append([]byte(nil), b...), seq: q.seq})
	q.begun = &q.own
	q.later()
}

// room returns the lane that a record of n bytes goes to, nil if there is no room. In a
// lane that is empty there is always room, so that no record is too large.
func (q *Queue) room(n int, own bool) *lane {
	switch {
	case own && (q.own.fits(n+late) || q.own.len() == 0):
		return &q.own
	case q.backlog.fits(n+late) || q.backlog.len() == 0:
		return &q.backlog
	}
	return nil
}

// keep puts a record into a lane, after a record about what is missing before it.
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

// linger gives the reader time to catch up with a program that logs much.
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

// yield gives up the lock for a while. Nobody waits for others who do.
func (q *Queue) yield(after Outcome, d time.Duration) {
	q.owned.Add(1)
	q.mu.Unlock()
	q.wait(after, d)
	q.owned.Done()
	q.mu.Lock()
}

// wait waits for the output, at most for d.
func (q *Queue) wait(after Outcome, d time.Duration) {
	if q.Blocking {
		time.Sleep(d)
		return
	}
	q.Output.Wait(after, d)
}

// lose counts a record that is lost.
func (q *Queue) lose() {
	q.losses.Add(1)
	q.later()
}

// next returns the lane whose first record is to be sent next, nil if nothing waits.
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

// announce puts a record about the losses into a lane.
func (q *Queue) announce(l *lane) {
	e, fields, upTo := q.losses.Announce(q.Reader)
	q.toldAt = e.Time
	q.seq++
	l.push(item{b: q.Encode(e, fields), seq: q.seq, tells: upTo})
}

// flush sends what waits, as far as it can. It returns Taken if nothing waits any more.
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

// settled notes the outcome for the first record of a lane.
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
		if outcome == Taken { // otherwise the next one would be refused too
			q.losses.Told(it.tells)
		}
	case outcome == Refused && !it.void:
		q.losses.Add(1)
	}
	q.progress, q.stuck = time.Now(), false
	q.taken++
	q.release(&it)
}
