package daemon_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

type worker struct{ db *sql.DB }

func (w *worker) Start(ctx context.Context) (err error) {
	if w.db, err = sql.Open("postgres", "dbname=orders"); err != nil {
		return err
	}
	daemon.Go(ctx, w.work)
	return nil
}

func (w *worker) work(ctx context.Context) error {
	for ctx.Err() == nil {
		// An order that has begun is finished, even if the program is asked to stop.
		if _, err := w.db.ExecContext(context.WithoutCancel(ctx), "SELECT ship_next_order()"); err != nil {
			return err // the program fails
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done(): // it is time to stop
		}
	}
	return nil
}

func (w *worker) Stop(context.Context) error { return nil } // the context of work has ended

func (w *worker) Close(context.Context) error { return w.db.Close() } // work has returned

// A worker uses a database until its last moment, so it is a [daemon.Closer]: Close is
// called when the goroutine has returned.
func Example_worker() {
	daemon.Main(&worker{}, daemon.Config{Name: "shipping"})
}
