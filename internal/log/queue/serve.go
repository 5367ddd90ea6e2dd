package queue

import "time"

// later makes the goroutine do the rest of the work.
func (q *Queue) later() {
	q.slow = true
	switch {
	case q.Blocking:
		select {
		case q.wake <- struct{}{}:
		default: // it will wake up anyway
		}
	case !q.working:
		q.working = true
		q.owned.Add(1)
		go q.work()
	}
}

// work runs on the goroutine of an output that does not block. It ends when no record
// waits.
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

// pause waits until sending again may succeed. idle says that the last attempt sent
// nothing.
func (q *Queue) pause(after Outcome, idle bool) {
	if after == Full && !q.Blocking {
		if idle {
			q.Output.Wait(Gone, time.Millisecond) // some outputs report room when there is none
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

// serve runs on the goroutine of a blocking output. It ends after Close, once its current
// call returns.
func (q *Queue) serve() {
	defer close(q.ended)
	for q.serveNext() {
	}
	_ = q.Output.Close() // nobody could act on an error
}

// serveNext sends one record. It returns false when the queue is closed.
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

// waiter lets a call wait until the goroutine has sent its record.
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
		w.sent <- struct{}{} // sent once for each record
	}
}

// await waits for w for at most d. It unlocks q.mu meanwhile.
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

// release tells the waiting call that its record was sent, and keeps the record's memory
// for reuse.
func (q *Queue) release(it *item) {
	const small = 4 << 10
	if it.alert.tell(); q.Blocking && cap(it.b) <= small {
		q.spare = it.b
	}
}
