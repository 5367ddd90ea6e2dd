package daemon

import (
	"reflect"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// noteEvent stores and logs the details of e. before is the machine before e.
func (r *run) noteEvent(before lifecycle.Machine, fx lifecycle.Effects, e input) {
	switch e.kind {
	case lifecycle.StartOK:
		if before.State() != lifecycle.Starting {
			break
		}
		r.book.add(zap.InfoLevel, "ready", "", zap.Duration("took", time.Since(r.begun).Round(time.Microsecond)), logevent.Ready.Field())
		if left := r.sockets.names(); left != nil {
			r.book.add(zap.WarnLevel, "nobody has asked for what the manager has handed over: is it another name?", "", zap.Strings("sockets", left))
		}
	case lifecycle.StartCancelled:
		if before.State() == lifecycle.Stopping && r.calling == "Start" {
			r.book.add(zap.DebugLevel, "Start failed, as it was asked to stop", "", zap.Error(e.err))
		}
	case lifecycle.ReloadDone:
		r.reloadErr = nil
		if e.err != nil {
			r.reloadErr = e.err
		}
		switch {
		case e.err != nil && before.State() == lifecycle.Reloading:
			r.book.add(zap.ErrorLevel, "reload failed; going on as before", stackOf(e.err), zap.Error(e.err), logevent.ReloadFailed.Field())
		case e.err != nil && e.err.how == "":
			r.book.add(e.err.level(), "reload failed, as the program stops", "", zap.Error(e.err), logevent.ReloadFailed.Field())
		case e.err == nil && r.calling != "":
			r.book.add(zap.InfoLevel, "reloaded", "", logevent.Reloaded.Field())
		}
	case lifecycle.PauseOK:
		r.book.add(zap.InfoLevel, "paused", "", logevent.Paused.Field())
	case lifecycle.ContinueOK:
		r.book.add(zap.InfoLevel, "continued", "", logevent.Continued.Field())
	case lifecycle.PauseFailed, lifecycle.ContinueFailed:
		switch {
		case e.err == nil || e.err.how != "" && before.State() == lifecycle.Stopping: // logged elsewhere
		case before.State() != lifecycle.Stopping:
			r.book.add(zap.ErrorLevel, r.calling+" failed; going on as before", stackOf(e.err), zap.Error(e.err))
		default:
			r.book.add(e.err.level(), r.calling+" failed, as the program stops", "", zap.Error(e.err))
		}
	case lifecycle.Forced:
		if before.Outcome() != lifecycle.WasForced && r.machine.Outcome() == lifecycle.WasForced {
			forced := forcedError{e.signal, e.name}
			r.errs = append(r.errs, forced)
			r.guard.code.Store(int64(ExitCode(forced)))
			r.book.add(zap.WarnLevel, "not waiting any longer", "", zap.String("detail", e.name))
		}
	}
	switch e.kind {
	case lifecycle.StartOK, lifecycle.StartFailed, lifecycle.StartCancelled, lifecycle.ReloadDone,
		lifecycle.PauseOK, lifecycle.PauseFailed, lifecycle.ContinueOK, lifecycle.ContinueFailed,
		lifecycle.StopOK, lifecycle.StopFailed, lifecycle.CloseOK, lifecycle.CloseFailed:
		r.calling = ""
	}
}

// keepReason stores e as the reason to stop, logs it, and sets the budgets.
func (r *run) keepReason(e input) {
	r.reason, r.budget, r.grace = e.reason, r.config.StopTimeout, grace
	if e.budget > 0 {
		r.budget = min(r.budget, e.budget)
		r.grace = min(grace, e.budget-r.budget+shortGrace)
		r.guard.set(time.Now().Add(e.budget + 2*shortGrace))
	}
	r.guard.set(time.Now().Add(r.budget + r.grace + endBound)) // first, because everything else may block
	r.reasonText = r.reason.say(e.err)
	if r.reason.Trigger != TriggerFailure {
		msg := "stopping"
		if e.hint != "" {
			msg += "; " + e.hint
		}
		r.book.add(zap.InfoLevel, msg, "", append(reasonFields(r.reason), logevent.Stopping.Field())...)
		return
	}
	r.errs = append(r.errs, e.err)
	r.book.add(zap.ErrorLevel, r.reason.Detail, e.err.stack,
		zap.String("trigger", string(r.reason.Trigger)), zap.Error(e.err), logevent.Failed.Field())
}

// logLateReason logs another request to stop, at debug level. The first interrupt from a
// terminal is logged at info level: the line tells the user why the program is stopping
// already, and how to force the end.
func (r *run) logLateReason(e input) {
	if e.hint == "" {
		r.book.add(zap.DebugLevel, "asked to stop again", "", reasonFields(e.reason)...)
		return
	}
	r.book.add(zap.InfoLevel, "stopping already; "+e.hint, "",
		append(reasonFields(r.reason), zap.Duration("for", time.Since(r.asked).Round(time.Millisecond)))...)
}

// addError adds a failure that followed the first reason to the result.
func (r *run) addError(e input) {
	if e.err == nil {
		return
	}
	for _, err := range r.errs {
		if kept, ok := err.(*failed); ok && runctx.Same(e.err.origin, kept.origin) {
			return // passed to Fail and returned as well
		}
	}
	what := "failed while stopping"
	if e.kind == lifecycle.Failed {
		what = e.reason.Detail
	}
	r.errs = append(r.errs, e.err)
	r.book.add(zap.ErrorLevel, what, e.err.stack, zap.Error(e.err), logevent.Failed.Field())
}

// failure returns the Reason for the failure err. what says what failed.
func failure(what string, err error) Reason {
	return Reason{Trigger: TriggerFailure, Detail: what, Err: comparableError(err)}
}

// comparableError returns err, or an error that wraps it if err cannot be compared: the
// Reason that contains it is compared with the errors that goroutines return.
func comparableError(err error) error {
	if err == nil || reflect.ValueOf(err).Comparable() {
		return err
	}
	return &uncomparable{err}
}

type uncomparable struct{ error }

func (e *uncomparable) Unwrap() error { return e.error }

func reasonFields(reason Reason) []zap.Field {
	fields := []zap.Field{zap.String("trigger", string(reason.Trigger)), zap.String("detail", reason.Detail)}
	if reason.Err != nil {
		fields = append(fields, zap.NamedError("cause", reason.Err))
	}
	return fields
}
