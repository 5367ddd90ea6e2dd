package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// giveUp logs what still runs, with its stacks.
func (r *run) giveUp() {
	r.gaveUp = true
	what := fmt.Sprintf("%d goroutine(s)", r.tasks.running())
	if r.calling != "" {
		what = r.calling + " and " + what
	}
	after := r.until.Add(r.grace).Sub(r.asked).Round(10 * time.Millisecond)
	err := fmt.Errorf("%w: %s still running %s after the program was asked to stop", ErrStopTimeout, what, after)
	if r.machine.Outcome() == lifecycle.WasForced {
		err = fmt.Errorf("%s still running %s after the second signal", what, r.grace)
	}
	r.errs = append(r.errs, err)
	fields := []zap.Field{zap.Error(err), logevent.GaveUp.Field()}
	many := manyGoroutines()
	if many {
		// Collecting the stacks may take all the remaining time.
		r.book.add(zap.ErrorLevel, "giving up", "", fields...)
	}
	if r.stacks == nil {
		r.stacks = lookAtStacks()
	}
	parts := stacks(r.stacks, min(stacksBound, r.guard.remaining()*7/10))
	for i, part := range parts {
		if i == 0 && !many {
			r.book.add(zap.ErrorLevel, "giving up", part, fields...)
			continue
		}
		r.book.add(zap.ErrorLevel, fmt.Sprintf("giving up: stacks, part %d of %d", i+1, len(parts)), part)
	}
}

// flush writes the report as the last record of the log, on a new goroutine. It continues
// while something reads the log and the budget allows it.
func (r *run) flush() {
	r.countFailures()
	r.guard.code.Store(int64(ExitCode(r.failure())))
	deadline := time.Now().Add(flushBound)
	switch {
	case r.gaveUp:
		deadline = time.Now().Add(r.guard.remaining() / 2)
	case r.sink != nil && r.until.After(deadline):
		deadline = r.until
	}
	r.boundFlush(time.Until(deadline))
	ctx, cancel := context.WithCancel(context.Background())
	r.draining = time.AfterFunc(time.Until(deadline), cancel)
	report, kept := r.report(), r.keepEnd()
	go protect("the log", func() error {
		defer cancel()
		r.endLog(ctx, report)
		bound := time.NewTimer(min(shortGrace, r.guard.remaining()/2))
		defer bound.Stop()
		select {
		case <-kept: // before the manager learns of the end: a caller that waits for it reads the file then
		case <-bound.C:
		}
		return nil
	}, func(error) { r.inbox.post(input{kind: lifecycle.FlushDone}) })
}

// boundFlush gives up on the log if it hangs: bound for the waiting records plus the time
// that the report may take.
func (r *run) boundFlush(bound time.Duration) {
	left := r.guard.remaining()
	r.alarms.set(flushTimeout, min(bound+2*flushBound, left-min(left/8, shortGrace/2)))
}

// shortenFlush shortens the time for the log if e asks for a faster end meanwhile.
func (r *run) shortenFlush(e input) {
	switch {
	case e.kind == lifecycle.Forced:
	case e.kind == lifecycle.StopAsked && e.budget > 0:
		r.guard.set(time.Now().Add(e.budget + 2*shortGrace))
	default:
		return
	}
	if time.Until(r.until) > e.budget {
		r.until = time.Now().Add(e.budget)
		r.draining.Reset(e.budget)
		r.boundFlush(e.budget)
	}
}

// countFailures adds the failures that were only counted to the result.
func (r *run) countFailures() {
	n := r.failures.dropped()
	if n == 0 {
		return
	}
	err := fmt.Errorf("%d more failure(s), which were only counted", n)
	r.errs = append(r.errs, err)
	r.book.add(zap.ErrorLevel, "the program has failed more often than is listed", "", zap.Int64("failures", n), logevent.Failed.Field())
}

// endLog writes the waiting records, then the report as the last one, and closes the log.
// Losses that the log itself cannot report go to standard error.
func (r *run) endLog(draining context.Context, report []zap.Field) {
	if r.sink != nil {
		_ = r.sink.Drain(draining) // the report counts what is lost here
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(flushBound, r.guard.remaining()/2))
	defer cancel()
	if n := r.lost(); n > 0 {
		report = append(report, zap.Uint64("lost", n))
	}
	err := r.book.close(ctx, zap.InfoLevel, "stopped", append(report, logevent.Stopped.Field())...)
	if r.sink != nil {
		err = errors.Join(err, r.sink.Close(ctx))
	}
	if err != nil && r.env.Own {
		writeBriefly(r.stderr, fmt.Sprintf("<4>%s: %s\n", r.config.Name, oneLine(err.Error())))
	}
}

// writeBriefly writes text to out, and waits at most 50 ms: nothing may be reading.
func writeBriefly(out io.Writer, text string) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(out, text)
	}()
	bound := time.NewTimer(50 * time.Millisecond)
	defer bound.Stop()
	select {
	case <-written:
	case <-bound.C:
	}
}

// finish tells the hosts that the run has stopped, which is the last thing they are told,
// and releases everything.
func (r *run) finish() {
	r.ended = true
	r.inbox.close()
	r.alarms.stopTimer()
	r.draining.Stop()
	r.expire(r.reason)
	if r.interrupt != nil {
		r.interrupt(r.reason)
	}
	r.checkpoint = 0
	r.tell()
	ctx, cancel := context.WithTimeout(context.Background(), min(closeBound, r.guard.remaining()/2))
	defer cancel()
	for _, h := range r.env.Hosts {
		h.Close(ctx)
	}
	r.sockets.close()
	r.closeLog()
	r.leave()
	r.guard.stop()
	if r.gaveUp {
		// Nothing else ends what still runs.
		r.env.Exit(ExitCode(r.failure()))
	}
}

// result returns the error that Run returns: the program's own errors.
func (r *run) result() error {
	errs := make([]error, len(r.errs))
	for i, err := range r.errs {
		errs[i] = err
		if f, ok := err.(*failed); ok {
			errs[i] = f.err
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// failure returns the error for the loop and the hosts, which must not call methods of the
// program's errors.
func (r *run) failure() error {
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}
