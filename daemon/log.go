package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// logElsewhere is what a run says first where there is no log as it should be.
const logElsewhere = "the log is not where it is wanted"

// start sees to the log, and then calls Start: a disk that hangs is to be no more than a
// Start that hangs.
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

// closeLog gives back the standard log, and lets go of what only a crash needs. A disk,
// or a log of the program's, that hangs there keeps what it has, and the run goes on to
// its end.
func (r *run) closeLog() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A file that stays has the next run say that this one ended without a word.
		_ = r.crash.Load().Close()
		if r.restore != nil {
			r.restore()
		}
	}()
	bound := time.NewTimer(max(min(shortGrace, r.guard.left()/2), 0))
	defer bound.Stop()
	select {
	case <-done:
	case <-bound.C:
	}
}
