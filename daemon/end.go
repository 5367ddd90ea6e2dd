package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/logevent"
)

// giveUp logs what still runs, and where.
func (r *run) giveUp() {
	r.gaveUp = true
	what := fmt.Sprintf("%d goroutine(s)", r.tasks.running())
	if r.calling != "" {
		what = r.calling + " and " + what
	}
	err := fmt.Errorf("%w: %s still running %s after the program was asked to stop", ErrStopTimeout, what, r.budget+r.grace)
	if r.machine.Outcome() == lifecycle.WasForced {
		err = fmt.Errorf("%s still running %s after the second signal", what, r.grace)
	}
	r.errs = append(r.errs, err)
	r.book.add(zap.ErrorLevel, "giving up", allStacks(), zap.Error(err), logevent.GaveUp.Field())
}

// allStacks is the stack of every goroutine.
func allStacks() string {
	const limit = 8 << 20
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= limit {
			return string(buf[:n])
		}
	}
}

// flush writes the report and flushes the log. One that hangs delays the end only so
// much.
func (r *run) flush() {
	r.book.add(zap.InfoLevel, "stopped", "", r.report()...)
	r.alarms.set(flushTimeout, flushBound)
	r.flushed = time.Now().Add(flushBound)
	r.book.close(func() { r.inbox.post(event{kind: lifecycle.FlushDone}) })
}

// finish tells the hosts the end, the last thing that they hear, and lets go of
// everything.
func (r *run) finish() {
	r.over = true
	r.inbox.close()
	r.alarms.end()
	r.expire(r.reason)
	r.interrupt(r.reason)
	r.checkpoint = 0
	r.tell()
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	for _, h := range r.env.Hosts {
		h.Close(ctx)
	}
	r.sockets.close()
	r.closeLog()
	if r.gaveUp {
		// What still runs cannot be ended in any other way.
		r.env.Exit(ExitCode(r.result()))
	}
}

// result is what Run returns.
func (r *run) result() error {
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}
