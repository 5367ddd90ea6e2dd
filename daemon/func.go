package daemon

import (
	"context"
	"sync"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Func makes a Program of a function that blocks. It calls ready when it serves, and
// has Config.StartTimeout to do so; it returns when ctx ends, which is when stopping
// begins. Returning nil earlier, also before ready was called, is a job that is
// finished: the program stops as asked. An error or a panic fails it.
//
// run is called on a goroutine of its own, and ready may be called from any. There
// is no deadline in ctx: a function that still runs a second after the stop deadline
// is given up.
func Func(run func(ctx context.Context, ready func()) error) Program {
	return function(run)
}

type function func(ctx context.Context, ready func()) error

func (f function) Start(ctx context.Context) error {
	ready := make(chan struct{})
	returned := make(chan error, 1) // before ready was called
	begun := func() bool {
		select {
		case <-ready:
			return true
		default:
			return false
		}
	}
	Go(ctx, func(ctx context.Context) (err error) {
		protect("Func", func() error {
			return f(ctx, sync.OnceFunc(func() { close(ready) }))
		}, func(e error) { err = e })
		if !begun() {
			// Start has yet to return, and is the one to say how it went.
			returned <- err
			return nil
		}
		f.finish(ctx, err)
		return err
	})
	select {
	case <-ready:
		return nil
	case err := <-returned:
		f.finish(ctx, err)
		return err
	}
}

// finish ends the run if the work is done, rather than cut short.
func (f function) finish(ctx context.Context, err error) {
	if err == nil && ctx.Err() == nil {
		runctx.FromContext(ctx).Finish()
	}
}

// Stop has nothing to do: the context has ended, and the goroutine is waited for.
func (f function) Stop(context.Context) error { return nil }
