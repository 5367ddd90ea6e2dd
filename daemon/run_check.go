package daemon

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// checkBound limits the time of a Check if there is no watchdog.
	checkBound = 5 * time.Second

	// maxCheckAge limits how long the result of a Check answers further questions.
	maxCheckAge = time.Second
)

// checks makes sure that at most one call of Check runs at a time. The watchdog and status
// requests share a call that has not returned, so a Check that hangs is not called again.
type checks struct {
	mu      sync.Mutex
	open    bool // Start has returned and no Check has panicked
	within  time.Duration
	watched bool // a watchdog acts on the result
	failing bool // the last call failed
	last    *checking
}

// checking describes one call of Check.
type checking struct {
	begun, ended time.Time
	over         chan struct{} // closed when it has returned and the fields below are set
	err          error
	text         string // the text of err
}

// openChecks allows calls of Check from now on. With a watchdog, each may take half its
// interval.
func (r *run) openChecks() {
	within, watched := checkBound, false
	for _, h := range r.env.Hosts {
		if w, ok := watchdogOf(h); ok {
			within, watched = w.Interval()/2, true
		}
	}
	r.checks.mu.Lock()
	defer r.checks.mu.Unlock()
	r.checks.open, r.checks.within, r.checks.watched = true, within, watched
}

// check returns the current call of Check, or the last one if it ended less than old ago. If
// there is neither, it begins a call. It returns nil if Check cannot be called.
func (r *run) check(old time.Duration) *checking {
	p, ok := r.program.(Checker)
	c := &r.checks
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ok || !c.open || r.ctx.Err() != nil {
		return nil
	}
	if c.last != nil && (c.last.ended.IsZero() || time.Since(c.last.ended) < old) {
		return c.last
	}
	if !r.tasks.add() {
		return nil
	}
	c.last = &checking{begun: time.Now(), over: make(chan struct{})}
	go r.callCheck(p, c.last, c.within)
	return c.last
}

func (r *run) callCheck(p Checker, now *checking, within time.Duration) {
	defer r.tasks.done()
	ctx, cancel := context.WithTimeout(r.ctx, within)
	defer cancel()
	slow := time.AfterFunc(within, func() {
		r.book.add(zap.WarnLevel, "Check has not returned"+r.checks.consequence(), "", zap.Duration("after", within))
	})
	protect("Check", func() error { return p.Check(ctx) }, func(err error) {
		slow.Stop()
		r.checkEnded(now, err)
	})
}

// checkEnded stores the result of a call, and logs it if it differs from the previous one.
func (r *run) checkEnded(now *checking, err error) {
	how := abrupt(err)
	if err != nil {
		now.text = newFailed("", err).text
	}
	now.err = err
	if how != "" {
		r.fail("Check "+how, err)
	}
	switch changed := r.checks.finish(now, how != ""); {
	case !changed || how != "" || r.ctx.Err() != nil:
	case err != nil:
		r.book.add(zap.WarnLevel, "Check fails"+r.checks.consequence(), "", zap.Error(err))
	default:
		r.book.add(zap.InfoLevel, "Check passes again", "")
	}
}

// finish wakes the goroutines that wait for the result, and reports whether it differs from
// the previous one. If the call ended abruptly, Check is not called again.
func (c *checks) finish(now *checking, abrupt bool) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, c.failing = c.failing != (now.err != nil), now.err != nil
	c.open = c.open && !abrupt
	now.ended = time.Now()
	close(now.over)
	return changed
}

// consequence returns a note for the log on what follows from a failing Check.
func (c *checks) consequence() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watched {
		return ": the watchdog gets no sign of life"
	}
	return ""
}

// health returns the result of Check for requests from outside the process. It waits for
// the result until ctx ends.
func (r *run) health(ctx context.Context) error {
	c := r.check(maxCheckAge)
	if c == nil {
		return nil
	}
	overdue := time.NewTimer(time.Until(c.begun.Add(checkBound))) // fires at once if the call has hung since an earlier request
	defer overdue.Stop()
	select {
	case <-c.over:
	case <-overdue.C:
	case <-ctx.Done():
	}
	select {
	case <-c.over:
		if c.err == nil {
			return nil
		}
		return unhealthyError(c.text)
	default:
		return unhealthyError(fmt.Sprintf("Check has not returned after %s", time.Since(c.begun).Round(time.Second)))
	}
}

// unhealthyError holds the text of an error from Check, without the methods of that error.
type unhealthyError string

func (u unhealthyError) Error() string { return string(u) }
