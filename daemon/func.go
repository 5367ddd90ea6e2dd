package daemon

import (
	"context"
	"sync"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Func makes a Program of a function that blocks. It calls ready when it serves, and
// has Config.StartTimeout to do so; it returns when ctx ends, which is when stopping
// begins. Returning nil earlier, also before ready was called, is a job that is
// finished: the manager hears that it was ready, and then that it stops, without a
// drain delay. An error or a panic fails it.
//
// run is called on a goroutine of its own, and ready may be called from any. There
// is no deadline in ctx: a function that still runs a second after the stop deadline
// is given up.
func Func(run func(ctx context.Context, ready func()) error) Program {
	return function(run)
}

type function func(ctx context.Context, ready func()) error

func (f function) Start(ctx context.Context) error {
	var once sync.Once // whichever comes first, ready or the end
	decided := make(chan struct{})
	early := false // it was the end
	var result error
	Go(ctx, func(ctx context.Context) error {
		// On a goroutine of its own, so that this one goes on whatever f does to it.
		end := make(chan error, 1)
		go protect("Func", func() error {
			return f(ctx, func() { once.Do(func() { close(decided) }) })
		}, func(err error) { end <- err })
		err := <-end
		once.Do(func() {
			early, result = true, err
			close(decided)
		})
		if early {
			return nil // Start says it
		}
		f.finish(ctx, err)
		return err
	})
	<-decided
	if early {
		f.finish(ctx, result)
		return result
	}
	return nil
}

// finish ends the run if the work is done, rather than cut short.
func (f function) finish(ctx context.Context, err error) {
	if err == nil && ctx.Err() == nil {
		runctx.FromContext(ctx).Finish("the function has returned")
	}
}

// Stop has nothing to do: the context has ended, and the goroutine is waited for.
func (f function) Stop(context.Context) error { return nil }
