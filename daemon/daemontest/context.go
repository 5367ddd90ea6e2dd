// Package daemontest has doubles for tests of programs that are written for package
// daemon.
package daemontest

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Context returns a context like the one that a Program gets, for a test that calls
// the methods of a Program itself, or a function that uses daemon.Go, daemon.Fail
// or daemon.Logger.
//
// It logs to t. When the test ends the context is cancelled, with a daemon.Reason as
// its cause, and the goroutines of daemon.Go are waited for. A failure of one of
// them, then too, or a call of daemon.Fail, is an error of the test.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	d := &double{t: t, log: zaptest.NewLogger(t)}
	ctx = runctx.NewContext(ctx, d)
	t.Cleanup(func() {
		cancel(daemon.Reason{Trigger: daemon.TriggerCancelled, Detail: "the test has ended"})
		d.goroutines.Wait()
	})
	return ctx
}

// double stands in for a run.
type double struct {
	t          testing.TB
	log        *zap.Logger
	goroutines sync.WaitGroup
}

func (d *double) Go(ctx context.Context, f func(context.Context) error) {
	d.goroutines.Go(func() {
		if err := f(ctx); err != nil && !runctx.Consequence(ctx, err) {
			d.t.Errorf("a goroutine failed: %v", err)
		}
	})
}

func (d *double) Fail(err error) { d.t.Errorf("daemon.Fail: %v", err) }

func (d *double) Finish() {}

func (d *double) Logger() *zap.Logger { return d.log }

func (d *double) StartArgs() []string { return nil }
