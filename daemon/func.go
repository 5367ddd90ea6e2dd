package daemon

import (
	"context"
	"sync"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Func makes a Program from a function that blocks. The function calls ready when it
// serves, within Config.StartTimeout, and returns when ctx ends, which is when stopping
// begins. A function that returns nil earlier, even before it calls ready, is a job that is
// finished: the manager is told that it was ready and then that it stops, without a drain
// delay. An error or a panic fails the program.
//
// The function is called on a goroutine of its own; ready may be called from any goroutine.
// ctx has no deadline: the run gives up a function that still runs a second after the stop
// deadline.
func Func(run func(ctx context.Context, ready func()) error) Program {
	return function(run)
}

type function func(ctx context.Context, ready func()) error

func (f function) Start(ctx context.Context) error {
	var once sync.Once // whichever comes first, ready or the end
	decided := make(chan struct{})
	early := false // the function ended before ready was called
	var result error
	Go(ctx, func(ctx context.Context) error {
		// f gets a goroutine of its own, so that this one goes on even if f ends its goroutine.
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
			return nil // Start returns the error
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

// finish ends the run if the work is done. It does nothing if the work was cut short.
func (f function) finish(ctx context.Context, err error) {
	if err == nil && ctx.Err() == nil {
		runctx.FromContext(ctx).Finish("the function has returned")
	}
}

// Stop has nothing to do: the context has ended, and the run waits for the goroutine.
func (f function) Stop(context.Context) error { return nil }
