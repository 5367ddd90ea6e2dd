package daemon

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Go implements the function Go.
func (r *run) Go(ctx context.Context, f func(context.Context) error) {
	if !r.tasks.add() {
		r.book.add(zap.WarnLevel, "a goroutine is not started: the last one has been waited for", "")
		return
	}
	ctx, release := r.adopt(ctx)
	go func() {
		defer r.tasks.done()
		defer release()
		protect("a goroutine", func() error { return f(ctx) }, func(err error) { r.goroutineEnded(ctx, err) })
	}()
}

// adopt returns ctx if it belongs to this run. Otherwise it returns a context derived from
// ctx that also ends with the context of the run.
func (r *run) adopt(ctx context.Context) (context.Context, func()) {
	if runctx.FromContext(ctx) == runctx.Run(r) {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(runctx.NewContext(ctx, r))
	stop := context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })
	return ctx, func() { stop(); cancel(nil) }
}

// goroutineEnded handles the end of a goroutine that was given ctx: it fails the run unless
// err is nil or only says that the goroutine was asked to stop.
func (r *run) goroutineEnded(ctx context.Context, err error) {
	how := abrupt(err)
	switch {
	case err == nil:
	case how != "":
		r.fail("a goroutine "+how, err)
	case runctx.Echo(err, ctx, r.ctx):
		r.book.add(zap.DebugLevel, "a goroutine ended with its context", "", zap.Error(err))
	default:
		r.fail("a goroutine failed", err)
	}
}

// Fail implements the function Fail.
func (r *run) Fail(err error) {
	if err == nil {
		err = errors.New("Fail was called without an error")
	}
	r.fail("the program failed", err)
}

// Finish implements the function Finish. Func calls it as well.
func (r *run) Finish(detail string) {
	r.inbox.post(input{kind: lifecycle.Finished, reason: Reason{Trigger: TriggerFinished, Detail: detail}})
}

// Logger implements the function Logger.
func (r *run) Logger() *zap.Logger { return r.log }

// StartArgs implements the function StartArgs.
func (r *run) StartArgs() []string { return slices.Clone(r.args) }
