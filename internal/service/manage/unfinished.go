package manage

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// ErrAsked is wrapped by the error of a verb that no longer waits for a service to stop,
// and that the service has been asked to: it stops some time later, and its manager may
// not tell that until then.
var ErrAsked = errors.New("it was asked to stop")

// againTimeout bounds how long a service that should not have been stopped is waited for.
// It does not depend on the context of the verb, which may have ended.
const againTimeout = 30 * time.Second

// Unfinished is a verb of several steps that failed, or was interrupted, and what has
// become of the service. The text of the error is that of Err and of Left.
type Unfinished struct {
	Err         error
	Before, Now service.Status
	Again       error // why a service that ran before could not be started again
}

func (u *Unfinished) Error() string { return u.Err.Error() + "; " + u.Left() }

func (u *Unfinished) Unwrap() error { return u.Err }

// Left says what has become of the service, in one line.
func (u *Unfinished) Left() string {
	if u.Now.State == service.NotInstalled {
		return "the service itself is removed"
	}
	var parts []string
	ran := runs(u.Before) && u.Before.State != service.Starting
	switch {
	case ran && waits(u.Now):
		parts = append(parts, "the service was stopped, and is started when somebody connects")
	case ran && !runs(u.Now):
		text := "the service ran before, and is " + string(u.Now.State) + " now"
		switch {
		case errors.Is(u.Again, context.DeadlineExceeded):
			text += ": it was asked to start again"
		case u.Again != nil:
			text += ": it could not be started again: " + strings.Join(strings.Fields(u.Again.Error()), " ")
		}
		parts = append(parts, text)
	case ran && u.Now.State == service.Starting:
		parts = append(parts, "the service was stopped, and is starting again")
	case ran && u.Before.PID != u.Now.PID:
		parts = append(parts, "the service was stopped, and runs again")
	case waits(u.Before) && !waits(u.Now) && !runs(u.Now):
		parts = append(parts, "the service does not listen any more")
	}
	if u.Disabled() {
		parts = append(parts, "it does not start by itself any more")
	}
	if len(parts) == 0 {
		return "nothing has changed"
	}
	return strings.Join(parts, ", and ")
}

// Stopped reports whether the service ran before, or listened, and does not now.
func (u *Unfinished) Stopped() bool {
	return u.Now.State != service.NotInstalled && (runs(u.Before) || waits(u.Before)) && !runs(u.Now) && !waits(u.Now)
}

// Disabled reports whether the service started by itself before, and does not now.
func (u *Unfinished) Disabled() bool {
	return u.Now.State != service.NotInstalled && ByItself(u.Before.StartType) && !ByItself(u.Now.StartType)
}

// ByItself reports whether a service is started without somebody asking for it.
func ByItself(s service.StartType) bool {
	return s == service.Automatic || s == service.Delayed || s == service.OnSocket
}

// runs reports whether a service does what it is for, or is about to.
func runs(s service.Status) bool {
	switch s.State {
	case service.Starting, service.Running, service.Reloading, service.Pausing, service.Paused, service.Continuing:
		return true
	}
	return false
}

// Listening is the detail of a stopped service that its manager listens for.
const Listening = "listening"

func waits(s service.Status) bool {
	return s.State == service.Stopped && s.StartType == service.OnSocket && strings.HasPrefix(s.Detail, Listening)
}

// Remove is m.Remove, and starts the service again if that fails after it was stopped.
// The error is an [*Unfinished] then.
func Remove(ctx context.Context, m Manager, s Spec, purge bool) (removed []string, err error) {
	before, unknown := m.Status(ctx, s)
	if removed, err = m.Remove(ctx, s, purge); err == nil || unknown != nil {
		return removed, err
	}
	if u := unfinished(ctx, m, s, before, err, true); u != nil {
		err = u
	}
	return removed, err
}

// Restart is m.Restart, and starts the service if that is interrupted after it was
// stopped. If it fails and the service does not run any more, the error is an
// [*Unfinished].
func Restart(ctx context.Context, m Manager, s Spec) error {
	before, unknown := m.Status(ctx, s)
	err := m.Restart(ctx, s)
	if err == nil || unknown != nil {
		return err
	}
	if u := unfinished(ctx, m, s, before, err, ctx.Err() != nil); u != nil && (u.Stopped() || u.Again != nil) {
		err = u
	}
	return err
}

// unfinished sees to it that a service that ran before runs again, if it is to, and says
// what has become of it. It returns nil where nothing can have changed, or nobody knows.
func unfinished(ctx context.Context, m Manager, s Spec, before service.Status, err error, again bool) *Unfinished {
	if before.State == service.NotInstalled {
		return nil
	}
	for _, refused := range []error{service.ErrPermission, service.ErrForeign, ErrConfig, service.ErrNotSupported, service.ErrNotInstalled} {
		if errors.Is(err, refused) {
			return nil
		}
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), againTimeout)
	defer cancel()
	u := &Unfinished{Err: err, Before: before}
	var unknown error
	if u.Now, unknown = m.Status(late, s); unknown != nil {
		return nil
	}
	asked := errors.Is(err, ErrAsked) && runs(before) && u.Now.State != service.NotInstalled
	if !again || !asked && !u.Stopped() {
		return u
	}
	start := m.Start
	if asked { // it waits for the end of the old process first
		start = m.Restart
	}
	u.Again = start(late, s)
	if u.Now, unknown = m.Status(late, s); unknown != nil {
		u.Now = service.Status{State: service.Unknown, StartType: before.StartType}
	}
	return u
}
