package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// logElsewhere is the first message of a run whose log could not be opened as configured.
const logElsewhere = "the log is not where it is wanted"

// start prepares the log, and then calls Start. It runs on the goroutine of Start, so that a
// disk that hangs has the same effect as a Start that hangs.
func (r *run) start(ctx context.Context) error {
	r.readLevel("")
	var version []zap.Field
	if v := r.config.version(); v != "" && v != "(devel)" {
		version = append(version, zap.String("version", v))
	}
	r.book.add(zap.InfoLevel, "starting", "", append(version, logevent.Starting.Field())...)
	for _, err := range r.troubles {
		r.warn(logElsewhere, zap.Error(err))
	}
	for _, what := range r.ignored {
		r.warn("ignored in Service.EnvironmentFile", zap.String("what", what))
	}
	r.catchCrashes()
	return r.program.Start(ctx)
}

// closeLog restores the standard log and closes the file for crashes. If a disk or a log of
// the program hangs, closeLog stops waiting for it, and the run goes on to its end.
func (r *run) closeLog() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// If the file stays, the next run reports that this one ended without a report.
		_ = r.crash.Load().Close()
		if r.restore != nil {
			r.restore()
		}
	}()
	bound := time.NewTimer(max(min(shortGrace, r.guard.remaining()/2), 0))
	defer bound.Stop()
	select {
	case <-done:
	case <-bound.C:
	}
}
