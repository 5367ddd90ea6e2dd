package daemon

import (
	"context"
	"time"
)

// setDeadline begins the budget for stopping, or replaces it with a shorter one. A Stop or
// Close that is already running keeps its context, which then ends before its deadline.
func (r *run) setDeadline(budget time.Duration) {
	r.until = time.Now().Add(budget)
	r.alarms.set(stopDeadline, budget)
	if r.calling == "Stop" || r.calling == "Close" {
		return
	}
	if r.expire != nil {
		r.expire(r.reason)
	}
	ctx, expire := context.WithCancelCause(context.WithoutCancel(r.ctx))
	ctx, cancel := context.WithDeadlineCause(ctx, r.until, r.reason)
	r.stopCtx = ctx
	r.expire = func(cause error) { expire(cause); cancel() }
}

// drainShare returns the drain delay for budget. If a trigger allows less time than
// Config.StopTimeout, the delay shrinks in proportion.
func (r *run) drainShare(budget time.Duration) time.Duration {
	share := float64(budget) / float64(r.config.StopTimeout)
	return time.Duration(float64(r.config.DrainDelay) * share)
}

// shortenDeadline shortens the remaining time if a later trigger allows less than the first.
func (r *run) shortenDeadline(e input) {
	if e.budget == 0 {
		return
	}
	left := time.Until(r.until)
	if left > e.budget {
		left = e.budget
		r.setDeadline(left)
		if drain, set := r.alarms.remaining(drainDelay); set {
			r.alarms.set(drainDelay, min(drain, r.drainShare(left)))
		}
	}
	r.grace = min(r.grace, e.budget-left+shortGrace)
	r.guard.set(time.Now().Add(e.budget + 2*shortGrace))
	r.guard.set(r.until.Add(r.grace + endBound))
}
