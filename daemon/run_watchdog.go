package daemon

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/host"
)

// feedWatchdog sends the host a sign of life at half the interval of its watchdog. It sends
// none while Check fails or hangs.
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
				return // the program is stopping, or Check has panicked
			}
			select {
			case <-c.over:
				well = c.err == nil
			case <-r.ctx.Done():
				return // the run waits for the Check itself
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

// watchdogOf returns h as a Watchdog, and whether it expects signs of life.
func watchdogOf(h host.Host) (host.Watchdog, bool) {
	w, ok := h.(host.Watchdog)
	return w, ok && w.Interval() > 0
}
