package daemon

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Go is for the program: see the function Go.
func (r *run) Go(ctx context.Context, f func(context.Context) error) {
	if !r.tasks.add() {
		return
	}
	go func() {
		defer r.tasks.done()
		protect("a goroutine", func() error { return f(ctx) }, func(err error) {
			switch {
			case err == nil:
			case stackOf(err) != "":
				r.fail("a goroutine panicked", err)
			case runctx.Consequence(ctx, err):
				r.book.add(zap.DebugLevel, "a goroutine ended with its context", "", zap.Error(err))
			default:
				r.fail("a goroutine failed", err)
			}
		})
	}()
}

// Fail is for the program: see the function Fail.
func (r *run) Fail(err error) {
	if err == nil {
		err = errors.New("Fail was called without an error")
	}
	r.fail("the program failed", err)
}

func (r *run) fail(what string, err error) {
	r.inbox.post(event{kind: lifecycle.Failed, reason: failure(what, err)})
}

// Finish is for Func.
func (r *run) Finish() {
	r.inbox.post(event{kind: lifecycle.Finished, reason: Reason{Trigger: TriggerFinished, Detail: "the function has returned"}})
}

// Logger is for the program: see the function Logger.
func (r *run) Logger() *zap.Logger { return r.log }

// StartArgs is for the program: see the function StartArgs.
func (r *run) StartArgs() []string { return slices.Clone(r.args) }
