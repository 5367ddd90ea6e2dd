package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// giveUp logs what still runs, and where.
func (r *run) giveUp() {
	r.gaveUp = true
	what := fmt.Sprintf("%d goroutines", r.tasks.running())
	if r.calling != "" {
		what = r.calling + " and " + what
	}
	err := fmt.Errorf("%w: %s still running %s after the program was asked to stop", ErrStopTimeout, what, r.budget+grace)
	if r.machine.Outcome() == lifecycle.WasForced {
		err = fmt.Errorf("%s still running %s after the second signal", what, grace)
	}
	r.errs = append(r.errs, err)
	r.book.add(zap.ErrorLevel, "giving up", allStacks(), zap.Error(err))
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

// flush writes the last line and flushes the log, on a goroutine of its own: a log
// that hangs delays the end only so much.
func (r *run) flush() {
	level, err := zap.InfoLevel, r.result()
	if code := ExitCode(err); code != 0 && len(r.errs) == 1 {
		level = zap.DebugLevel // its one line says it all
	}
	r.book.add(level, "stopped", "", zap.Int("code", ExitCode(err)))
	r.flushTimeout.set(flushBound)
	go func() {
		r.book.close()
		r.inbox.post(event{kind: lifecycle.FlushDone})
	}()
}

// finish tells the hosts the end, the last thing that they hear, and lets go of
// everything.
func (r *run) finish() {
	r.over = true
	r.inbox.close()
	for _, a := range []*alarm{&r.startTimeout, &r.drainDelay, &r.deadline, &r.graceOver, &r.ticker, &r.flushTimeout} {
		a.stop()
	}
	r.expire(r.reason)
	r.checkpoint = 0
	r.tell()
	ctx, cancel := context.WithTimeout(context.Background(), closeBound)
	defer cancel()
	for i := len(r.env.Hosts) - 1; i >= 0; i-- {
		r.env.Hosts[i].Close(ctx)
	}
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
