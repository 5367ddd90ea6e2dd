package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
)

// watch gives the host a sign of life at half the interval of its watchdog, as
// long as the program is well. A Check that fails, or that hangs, withholds it.
func (r *run) watch(w host.Watchdog) {
	defer r.tasks.done()
	every := w.Interval() / 2
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	well := true
	for {
		err := r.check(every)
		if r.ctx.Err() != nil || abrupt(err) != "" {
			return
		}
		switch {
		case err == nil:
			w.Alive()
			if !well {
				r.book.add(zap.InfoLevel, "Check passes again", "")
			}
		case well:
			r.book.add(zap.WarnLevel, "Check fails: the watchdog gets no sign of life", "", zap.Error(err))
		}
		well = err == nil
		select {
		case <-ticks.C:
		case <-r.ctx.Done():
		}
		if r.ctx.Err() != nil {
			return
		}
	}
}

func (r *run) check(within time.Duration) (err error) {
	p, ok := r.program.(Checker)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.ctx, within)
	defer cancel()
	slow := time.AfterFunc(within, func() {
		r.book.add(zap.WarnLevel, "Check has not returned: the watchdog gets no sign of life", "", zap.Duration("after", within))
	})
	defer slow.Stop()
	protect("Check", func() error { return p.Check(ctx) }, func(e error) {
		err = e
		if how := abrupt(e); how != "" {
			r.fail("Check "+how, e)
		}
	})
	return err
}
