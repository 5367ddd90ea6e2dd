package daemon

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// checkBound is how long a Check may take where no watchdog says.
	checkBound = 5 * time.Second

	// maxCheckAge is how long the result of a Check serves those who ask for it one after the
	// other.
	maxCheckAge = time.Second
)

// checks has Check called once at a time. The watchdog, and those who ask for the status,
// share a call that has not returned: one that hangs stays the only one.
type checks struct {
	mu      sync.Mutex
	open    bool // Start has returned, and no Check has panicked
	within  time.Duration
	watched bool // a watchdog acts on the result
	failing bool // the last one has failed
	last    *checking
}

// checking is one call of Check.
type checking struct {
	begun, ended time.Time
	over         chan struct{} // closed when it has returned; what is below is set then
	err          error
	text         string // of err
}

// openChecks lets Check be called from now on. A watchdog waits for half its interval.
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

// check returns the call of Check that goes on, or one that has ended within the time
// that old says, and else begins one. It is nil if Check cannot be called.
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

// checkEnded keeps the result, and logs it when it is another one than before.
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

// finish gives the result to those who wait for it, and reports whether it is another one
// than before. After abrupt there is no further Check.
func (c *checks) finish(now *checking, abrupt bool) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, c.failing = c.failing != (now.err != nil), now.err != nil
	c.open = c.open && !abrupt
	now.ended = time.Now()
	close(now.over)
	return changed
}

// consequence is what follows from a Check that does not pass.
func (c *checks) consequence() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watched {
		return ": the watchdog gets no sign of life"
	}
	return ""
}

// health is what Check says, for those who ask from outside. It waits until ctx ends.
func (r *run) health(ctx context.Context) error {
	c := r.check(maxCheckAge)
	if c == nil {
		return nil
	}
	overdue := time.NewTimer(time.Until(c.begun.Add(checkBound))) // at once, if it hangs since an earlier question
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

// unhealthyError is what was wrong, without the methods of the program's error.
type unhealthyError string

func (u unhealthyError) Error() string { return string(u) }
