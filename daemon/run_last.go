package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/service"
)

// keepEnd files how the run ends, where the texts of crashes are, for who asks when the
// manager knows nothing of a failure: Windows is told none after a stop that it asked for.
// It returns at once; kept is closed when that is done. A disk that hangs must not delay
// the end.
func (r *run) keepEnd() (kept <-chan struct{}) {
	done := make(chan struct{})
	output := r.crash.Load()
	if output == nil {
		close(done)
		return done
	}
	err := r.failure()
	e := crash.End{
		Version: r.config.version(), Began: r.begun, Ended: time.Now(), Code: ExitCode(err),
		Trigger: string(r.reason.Trigger), Detail: r.reason.Detail,
	}
	if err != nil {
		e.Error = err.Error()
	}
	go func() {
		defer close(done)
		_ = output.Keep(e) // the log has the same, as far as there is one
	}()
	return done
}

// lastRun returns how the service's last run ended; nil if it has not run, goes on, or
// crashed. An error that is fs.ErrPermission says that only an administrator may know.
func (h *Handle) lastRun() (*crash.End, error) {
	var last *crash.End
	var errs []error
	for _, dir := range h.crashDirs() {
		e, err := crash.Last(dir, h.spec.Name)
		if errs = append(errs, err); e != nil && (last == nil || e.Ended.After(last.Ended)) {
			last = e
		}
	}
	return last, errors.Join(errs...)
}

// complete adds to s what the state folder knows of the last run and the manager does
// not. silent says that the service has ended by itself, and the manager does not know how.
func (h *Handle) complete(s *Status, silent bool) {
	if s.State != StateStopped && !silent {
		return // it runs, or the manager knows
	}
	e, err := h.lastRun()
	s.complete(h.name, silent, e, err)
}

// complete is that of a Handle, for what there is to know of the last run.
func (s *Status) complete(manager string, silent bool, e *crash.End, err error) {
	switch {
	case e == nil:
		if manager == "Windows" && errors.Is(err, fs.ErrPermission) && s.ExitCode == 0 {
			s.ExitCode = -1 // Windows is told 0, whatever fails after a stop
		}
		return
	case silent && e.Code == 0:
		s.State = StateStopped // a job has finished
	case !silent && e.Code != 0:
		s.LastFailure = howFailed(e)
	}
	s.ExitCode = e.Code
	if s.Since.IsZero() && s.LastFailure == "" { // which has the time
		s.Since = e.Ended
	}
}

// finished returns how the service's last run ended, if it began after begun and ended
// with exit code 0; else nil.
func (h *Handle) finished(begun time.Time) *crash.End {
	e, _ := h.lastRun()
	if e == nil || e.Code != 0 || e.Began.Before(begun) {
		return nil
	}
	return e
}

// lastWordsSince says how the last run failed or crashed, if it began after begun; else "".
func (h *Handle) lastWordsSince(begun time.Time) string {
	if e, _ := h.lastRun(); e != nil {
		if e.Began.Before(begun) {
			return ""
		}
		return howFailed(e)
	}
	// The times of what is filed are in seconds.
	if all, _ := h.crashed(); len(all) > 0 && !all[0].Ended.Before(begun.Truncate(time.Second)) {
		return "it has crashed: " + all[0].Summary()
	}
	return ""
}

// finishedInWords says that a service which was started after begun, and is in state s now,
// has finished meanwhile. It returns "" if it has not.
func (h *Handle) finishedInWords(s Status, begun time.Time) string {
	e := h.finished(begun)
	switch {
	case s.State == StateStopped && (s.ExitCode == 0 || e != nil):
		return "finished; "
	case e != nil: // the manager starts it again
		return "finished at " + e.Ended.Local().Format(time.DateTime) + ", exit code 0; now "
	}
	return ""
}

// lastWords are what a command says of the last run, "" if there is nothing to say.
func (h *Handle) lastWords(s State) string {
	if s != StateStopped {
		return ""
	}
	e, err := h.lastRun()
	return lastWords(h.name, e, err)
}

func lastWords(manager string, e *crash.End, err error) string {
	if manager == "Windows" && errors.Is(err, fs.ErrPermission) {
		return "only an administrator can see whether its last run failed"
	}
	return howFailed(e)
}

// howFailed says how a run failed, "" if it did not.
func howFailed(e *crash.End) string {
	if e == nil || e.Code == 0 {
		return ""
	}
	return fmt.Sprintf("its last run ended at %s with exit code %s: %s", e.Ended.Local().Format(time.DateTime),
		codeInWords(e.Code), oneLine(cmp.Or(e.Error, e.Detail)))
}

// diagnoseLastRun tells of a last run that failed and that the manager does not call one:
// as a warning if it is news.
func (h *Handle) diagnoseLastRun(s Status, now time.Time, add addFinding, call callCommand) {
	e, _ := h.lastRun()
	switch {
	case s.LastFailure == "" || e == nil:
	case now.Sub(e.Ended) > news:
		add(service.Note, "last run", s.LastFailure, "")
	default:
		add(service.Warning, "last run", s.LastFailure, remedyFor(e.Code, call))
	}
}
