package queue

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Lost returns how many records were lost so far.
func (q *Queue) Lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.losses.Total()
}

// Untold returns how many of the lost records no record has reported yet.
func (q *Queue) Untold() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.losses.Untold()
}

// Waiting returns how many records wait to be sent.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting()
}

// Sync waits until everything logged so far is taken, for at most a quarter of a second, or
// 5 ms if the reader is known to hang. It drops nothing.
func (q *Queue) Sync() error {
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeout)
	defer cancel()
	return q.settle(ctx, syncTimeout)
}

// Drain waits until everything logged so far is taken, until ctx ends, or until the reader
// has taken nothing for [Stall]. In the latter two cases it drops the backlog, counts it as
// lost and returns the cause.
func (q *Queue) Drain(ctx context.Context) error {
	err := q.settle(ctx, Stall)
	if err == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.discard()
	}
	return err
}

// Close sends the waiting records and the report about lost ones, until ctx ends or the
// reader has taken nothing for [Stall]. Then it closes the output. If no record could
// report a loss, the error says how many records were lost, and why. If the goroutine hangs
// in a call, it ends when that call returns. A second Close does nothing.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if q.closing {
		q.mu.Unlock()
		return nil
	}
	q.closing, q.slow = true, true // from here on, nothing is added
	q.mu.Unlock()
	why := q.settle(ctx, Stall)

	q.mu.Lock()
	q.closed = true
	for _, l := range []*lane{&q.own, &q.backlog} {
		for l.len() > 0 {
			it := l.pop() // a record that is being sent may arrive, but nobody will know
			q.drop(&it)
		}
	}
	untold := q.losses.Untold()
	q.mu.Unlock()

	close(q.stop)
	q.owned.Wait()
	var err error
	if q.Blocking {
		err = q.awaitEnd(ctx, why != nil)
	} else {
		err = q.Output.Close()
	}
	switch {
	case untold == 0:
		return err
	case why == nil:
		return fmt.Errorf("%s", Message(q.Reader, untold))
	}
	return fmt.Errorf("%s: %w", Message(q.Reader, untold), why)
}

// awaitEnd waits for the goroutine of a blocking output. hangs says that settle has already
// given up on it.
func (q *Queue) awaitEnd(ctx context.Context, hangs bool) error {
	const short = 4 * moment // if nothing hangs, this is enough to finish a call
	wait := Stall
	if hangs {
		wait = short
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-q.ended:
		return nil
	case <-ctx.Done():
		timer.Reset(min(wait, short))
	case <-timer.C:
		return fmt.Errorf("%s hangs", q.Reader)
	}
	select {
	case <-q.ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("%s hangs: %w", q.Reader, context.Cause(ctx))
	}
}

// settle waits until everything logged so far is taken, until ctx ends, or until the reader
// has taken nothing for the duration stall. It waits through the output, because a Go timer
// takes a millisecond on an idle machine, which is more than most readers need.
func (q *Queue) settle(ctx context.Context, stall time.Duration) error {
	q.mu.Lock()
	defer func() { q.mu.Unlock() }()
	begun := time.Now()
	last, upTo := begun, q.seq
	if q.stuck {
		last = q.progress
	}
	if q.closing {
		upTo = math.MaxUint64 // include the report about losses
	}
	taken, unread := q.taken, q.unread()
	for ask := askFirst; !q.closed; ask = min(2*ask, askEvery) {
		_ = q.flush()
		now, left := time.Now(), q.unread()
		if !q.holds(upTo) && (left == 0 || q.waiting() > 0) {
			// If newer records wait, the program logs faster than the reader reads, so
			// Unread will never be 0.
			q.stuck = false
			return nil
		}
		if q.taken != taken || left < unread {
			last = now
		}
		taken, unread = q.taken, left
		ended := ctx.Err() != nil
		if now.Sub(begun) >= moment && (ended || now.Sub(last) >= stall) {
			q.stuck, q.progress = true, last
			if ended {
				return fmt.Errorf("%d records wait: %w", q.waiting(), context.Cause(ctx))
			}
			return fmt.Errorf("%d records wait, and %s has taken nothing for %s", q.waiting(), q.Reader, now.Sub(last).Round(time.Millisecond))
		}
		q.yield(Gone, ask)
	}
	return nil
}

func (q *Queue) unread() int {
	if q.closed || q.Blocking {
		return 0
	}
	return q.Output.Unread()
}

// holds reports whether a record with a number up to upTo waits.
func (q *Queue) holds(upTo uint64) bool {
	return q.own.holds(upTo) || q.backlog.holds(upTo) || q.losses.Due()
}

func (q *Queue) waiting() int { return q.own.len() + q.backlog.len() }

// discard drops the backlog, except a record that is being sent. If a record was sent in
// part, it queues the End for it.
func (q *Queue) discard() {
	l := &q.backlog
	keep := 0
	if q.begun == l {
		keep = 1
		if it := l.head(); !q.busy {
			q.drop(it)
			it.b, it.tells, it.void = q.End, 0, true
		}
	}
	for i := l.first + keep; i < len(l.items); i++ {
		q.drop(&l.items[i])
		l.size -= l.items[i].cost
		l.items[i] = item{}
	}
	l.items = l.items[:l.first+keep]
	var announced uint64
	for _, it := range q.own.items[q.own.first:] {
		announced = max(announced, it.tells)
	}
	if q.losses.Withdraw(announced); q.losses.Due() {
		q.announce(&q.own)
		q.later()
	}
}

// drop counts a record as lost.
func (q *Queue) drop(it *item) {
	if it.tells == 0 && !it.void {
		q.losses.Add(1)
	}
	it.alert.tell()
	it.alert = nil
}
