package queue

import "time"

// later has the goroutine do what is left to do.
func (q *Queue) later() {
	q.slow = true
	switch {
	case q.Blocking:
		select {
		case q.wake <- struct{}{}:
		default: // it has been woken already
		}
	case !q.working:
		q.working = true
		q.owned.Add(1)
		go q.work()
	}
}

// work is the goroutine of an output that does not block. It ends when nothing waits.
func (q *Queue) work() {
	defer q.owned.Done()
	for {
		q.mu.Lock()
		before := q.taken
		outcome := Taken
		if !q.closed {
			outcome = q.flush()
		}
		if outcome == Taken {
			q.working = false
			q.mu.Unlock()
			return
		}
		idle := q.taken == before
		q.mu.Unlock()
		q.pause(outcome, idle)
	}
}

// pause waits until it may be of use to send again. idle says that the last try was of no
// use.
func (q *Queue) pause(after Outcome, idle bool) {
	if after == Full && !q.Blocking {
		if idle {
			q.Output.Wait(Gone, time.Millisecond) // some outputs say that there is room when there is none
		}
		q.Output.Wait(Full, lookEvery)
		return
	}
	timer := time.NewTimer(retryEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-q.stop:
	}
}

// serve is the goroutine of an output that blocks. It ends after Close, as soon as the
// call that it is in does.
func (q *Queue) serve() {
	defer close(q.ended)
	for q.serveNext() {
	}
	_ = q.Output.Close() // nobody could do anything about an error
}

// serveNext sends one record. It reports false when the queue is closed.
func (q *Queue) serveNext() bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	l := q.next()
	if l == nil {
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-q.stop:
		}
		return true
	}
	part := q.begun
	q.begun, q.busy = l, true
	b := l.head().b
	q.mu.Unlock()

	n, outcome := q.Output.Send(b)

	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.begun, q.busy = part, false
	if q.settled(l, n, outcome); outcome == Full || outcome == Gone {
		l.head().alert.tell()
		l.head().alert = nil
		q.mu.Unlock()
		q.pause(outcome, true)
		return true
	}
	q.mu.Unlock()
	return true
}

// waiter is a call that waits until the goroutine has sent its record.
type waiter struct {
	sent  chan struct{}
	timer *time.Timer
}

func (q *Queue) newWaiter() *waiter {
	if w := q.waiter; w != nil {
		q.waiter = nil
		return w
	}
	w := &waiter{sent: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

func (w *waiter) tell() {
	if w != nil {
		w.sent <- struct{}{} // once for each record
	}
}

// await waits for w, at most for d. It gives up the lock meanwhile.
func (q *Queue) await(w *waiter, d time.Duration) {
	q.mu.Unlock()
	w.timer.Reset(d)
	select {
	case <-w.sent:
		w.timer.Stop()
		q.mu.Lock()
		q.waiter = w
	case <-w.timer.C:
		q.mu.Lock()
	}
}

// release tells the call that a record is done with, and keeps its memory for another.
func (q *Queue) release(it *item) {
	const small = 4 << 10
	if it.alert.tell(); q.Blocking && cap(it.b) <= small {
		q.spare = it.b
	}
}
