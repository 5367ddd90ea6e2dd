// Worker writes a line to a file every second, and a last line on the way down.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

type worker struct{ out *os.File }

// Start returns when the program is ready to serve.
func (w *worker) Start(ctx context.Context) (err error) {
	if w.out, err = os.CreateTemp("", "worker-*.txt"); err != nil {
		return err
	}
	daemon.Logger(ctx).Info("working, see " + w.out.Name())
	daemon.Go(ctx, w.work) // if it returns an error, the program fails
	return nil
}

func (w *worker) work(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
			if _, err := fmt.Fprintln(w.out, n); err != nil {
				return err
			}
		case <-ctx.Done(): // stopping has begun; the file is still open
			_, err := fmt.Fprintln(w.out, "done")
			return err
		}
	}
}

// Stop is called once, if Start returned nil. It has nothing to do: the context of work
// has ended.
func (w *worker) Stop(context.Context) error { return nil }

// Close is called when Stop and work have returned, so nothing uses the file any more.
func (w *worker) Close(context.Context) error { return w.out.Close() }

func main() { daemon.Main(&worker{}, daemon.Config{Name: "worker"}) }
