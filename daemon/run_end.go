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

// giveUp logs what still runs, and where.
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
		// Their stacks may take all the time that is left.
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

// flush has the log end with the report. It goes on as long as somebody reads and the
// budget allows.
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
		case <-kept: // before the manager is told the end, and whoever waits for that looks
		case <-bound.C:
		}
		return nil
	}, func(error) { r.inbox.post(input{kind: lifecycle.FlushDone}) })
}

// boundFlush has the log given up if it hangs longer than it may: after bound for what
// waits, and as long as the report takes.
func (r *run) boundFlush(bound time.Duration) {
	left := r.guard.remaining()
	r.alarms.set(flushTimeout, min(bound+2*flushBound, left-min(left/8, shortGrace/2)))
}

// shortenFlush shortens the time that the log has, where somebody asks for that meanwhile.
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

// countFailures adds to the result what was only counted.
func (r *run) countFailures() {
	n := r.failures.dropped()
	if n == 0 {
		return
	}
	err := fmt.Errorf("%d more failure(s), of which only the number is known", n)
	r.errs = append(r.errs, err)
	r.book.add(zap.ErrorLevel, "the program has failed more often than is listed", "", zap.Int64("failures", n), logevent.Failed.Field())
}

// endLog writes what waits, then the report as the last record, and lets go of the log.
// What was lost, and is not told in the log itself, is told on standard error.
func (r *run) endLog(draining context.Context, report []zap.Field) {
	if r.sink != nil {
		_ = r.sink.Drain(draining) // what is lost then is in the report
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

// writeBriefly writes text where nobody may read: it does not wait for long.
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

// finish tells the hosts the end, the last thing that they are told, and lets go of
// everything.
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
		// What still runs cannot be ended in any other way.
		r.env.Exit(ExitCode(r.failure()))
	}
}

// result is what Run returns: the program's errors as it has them.
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

// failure is the result for the loop and the hosts, which call no method of the program's
// errors.
func (r *run) failure() error {
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}
