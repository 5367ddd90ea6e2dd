package daemon

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/logevent"
)

// call calls a method of the program on a goroutine of its own.
func (r *run) call(name string, ctx context.Context, f func(context.Context) error, ok, failed lifecycle.Event) {
	r.calling = name
	go protect(name, func() error { return f(ctx) }, func(err error) {
		e := event{kind: ok}
		switch {
		case err != nil && failed == lifecycle.StartFailed && stackOf(err) == "":
			e = event{kind: failed, err: fmt.Errorf("start: %w", err)}
			e.reason = failure("Start failed", e.err)
		case err != nil && failed == lifecycle.StopFailed:
			e = event{kind: failed, err: fmt.Errorf("stop: %w", err)}
		case err != nil && stackOf(err) != "":
			// A panic fails the program, also where an error would not.
			r.inbox.post(event{kind: lifecycle.Failed, reason: failure(name+" panicked", err)})
			e = event{kind: failed}
			if failed != lifecycle.StartFailed {
				e.err = err
			}
		case err != nil:
			e = event{kind: failed, err: err}
		}
		r.inbox.post(e)
	})
}

func (r *run) reload(e event) {
	p, ok := r.program.(Reloader)
	msg := "reloading"
	if !ok {
		msg = "reloading the log, for the program cannot reload"
	}
	r.book.add(zap.InfoLevel, msg, "", zap.String("detail", e.name), logevent.Reloading.Field())
	r.call("Reload", r.again, func(ctx context.Context) error {
		r.readLevel("reload")
		if err := r.book.reopen(); err != nil {
			r.warn("the log is not opened anew", zap.Error(err))
		}
		if !ok {
			return nil
		}
		return p.Reload(ctx)
	}, lifecycle.ReloadDone, lifecycle.ReloadDone)
}

func (r *run) pause(name string, f func(Pauser, context.Context) error, ok, failed lifecycle.Event) {
	p := r.program.(Pauser) // hosts ask only programs that can
	r.call(name, r.again, func(ctx context.Context) error { return f(p, ctx) }, ok, failed)
}
