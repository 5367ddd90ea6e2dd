package daemon

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// feedWatchdog gives the host a sign of life at half the interval of its watchdog, as
// long as the program is well. A Check that fails, or that hangs, withholds it.
func (r *run) feedWatchdog(w host.Watchdog) {
	defer r.tasks.done()
	every := w.Interval() / 2
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	_, checks := r.program.(Checker)
	for {
		well := true
		if checks {
			c := r.check(0)
			if c == nil {
				return // the way down has begun, or Check has panicked
			}
			select {
			case <-c.over:
				well = c.err == nil
			case <-r.ctx.Done():
				return // the Check itself is waited for
			}
		}
		if r.ctx.Err() != nil {
			return
		}
		if well {
			w.Alive()
		}
		select {
		case <-ticks.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// watchdogOf returns h if it waits for signs of life.
func watchdogOf(h host.Host) (host.Watchdog, bool) {
	w, ok := h.(host.Watchdog)
	return w, ok && w.Interval() > 0
}
