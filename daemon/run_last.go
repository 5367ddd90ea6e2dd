package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// keepEnd writes how the run ends to the folder for crash texts. Commands read it if the
// manager does not know about a failure: after a stop that Windows asked for, Windows is not
// told about any. keepEnd returns at once, so that a disk that hangs does not delay the end,
// and closes kept when the file is written.
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
		_ = output.Keep(e) // the log says the same, if there is one
	}()
	return done
}

// lastRun returns how the last run of the service ended. It returns nil if there was none,
// if it goes on, or if it crashed. An error that matches fs.ErrPermission means that only an
// administrator may read it.
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

// complete adds to s what the state folder knows about the last run and the manager does
// not.
func (h *Handle) complete(s *service.Status) {
	if s.State != service.Stopped && !s.Silent {
		return // it runs, or the manager knows
	}
	e, err := h.lastRun()
	completeFrom(s, h.name, e, err)
}

// completeFrom adds to s what e and err, the result of looking for the last run, say.
func completeFrom(s *service.Status, manager string, e *crash.End, err error) {
	switch {
	case e == nil:
		if manager == "Windows" && errors.Is(err, fs.ErrPermission) && s.ExitCode == 0 {
			s.ExitCode = -1 // Windows is told 0 even if something fails after a stop
		}
		return
	case s.Silent && e.Code == 0:
		s.State = service.Stopped // a job has finished
	case !s.Silent && s.ExitCode < 0 && e.Trigger == string(TriggerFailure):
		s.State, s.Detail = service.Failed, howFailed(e) // the manager cannot tell
	case !s.Silent && e.Code != 0:
		s.LastFailure = howFailed(e)
	}
	s.ExitCode = e.Code
	if s.Since.IsZero() && s.LastFailure == "" { // LastFailure contains the time
		s.Since = e.Ended
	}
}

// finished returns how the last run of the service ended, if it began after begun and ended
// with exit code 0. Otherwise it returns nil.
func (h *Handle) finished(begun time.Time) *crash.End {
	e, _ := h.lastRun()
	if e == nil || e.Code != 0 || e.Began.Before(begun) {
		return nil
	}
	return e
}

// lastWordsSince describes how the last run failed or crashed, if it began after begun.
// Otherwise it returns "".
func (h *Handle) lastWordsSince(begun time.Time) string {
	if e, _ := h.lastRun(); e != nil {
		if e.Began.Before(begun) {
			return ""
		}
		return howFailed(e)
	}
	// The times of filed crashes are in whole seconds.
	if all, _ := h.crashed(); len(all) > 0 && !all[0].Ended.Before(begun.Truncate(time.Second)) {
		return "it has crashed: " + all[0].Summary()
	}
	return ""
}

// finishedInWords describes that a service that was started after begun, and has the status
// s now, has finished meanwhile. It returns "" if it has not.
func (h *Handle) finishedInWords(s service.Status, begun time.Time) string {
	e := h.finished(begun)
	switch {
	case s.State == service.Stopped && s.StartType != service.OnSocket && (e != nil || s.ExitCode == 0 && (s.Since.IsZero() || !s.Since.Before(begun.Truncate(time.Second)))):
		return "finished; "
	case e != nil: // the manager starts it again
		return "finished at " + e.Ended.Local().Format(time.DateTime) + ", exit code 0; now "
	}
	return ""
}

// lastWords returns what a command prints about the last run, "" if there is nothing to say.
func (h *Handle) lastWords(s service.State) string {
	if s != service.Stopped {
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

// howFailed describes how a run failed. It returns "" if it did not.
func howFailed(e *crash.End) string {
	if e == nil || e.Code == 0 {
		return ""
	}
	return fmt.Sprintf("its last run ended at %s with exit code %s: %s", e.Ended.Local().Format(time.DateTime),
		codeInWords(e.Code), oneLine(cmp.Or(e.Error, e.Detail)))
}

// diagnoseLastRun adds a finding if the last run failed and the manager does not consider it
// failed. The finding is a warning if the failure is recent.
func (h *Handle) diagnoseLastRun(s service.Status, now time.Time, add addFinding, call callCommand) {
	e, _ := h.lastRun()
	switch {
	case s.LastFailure == "" || e == nil:
	case now.Sub(e.Ended) > news:
		add(manage.Note, "last run", s.LastFailure, "")
	default:
		add(manage.Warning, "last run", s.LastFailure, remedyFor(e.Code, call))
	}
}
