package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-glidepath/glidepath/daemon"
)

// database stands for one that a worker writes its last batch to.
type database struct {
	mu     sync.Mutex
	closed bool
}

func (d *database) insert() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errors.New("the database is closed")
	}
	fmt.Println("FLUSHED")
	return nil
}

func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Println("CLOSED")
	d.closed = true
	return nil
}

// flushing has a worker that writes when its context has ended, and closes what that
// writes to in Close.
type flushing struct{ db *database }

func (f flushing) Start(ctx context.Context) error {
	daemon.Go(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		return f.db.insert()
	})
	return nil
}

func (f flushing) Stop(context.Context) error  { return nil }
func (f flushing) Close(context.Context) error { return f.db.close() }

// tooEarly closes it in Stop, before the worker has come to write.
type tooEarly struct {
	flushing
	stopped chan struct{}
}

func (t tooEarly) Start(ctx context.Context) error {
	daemon.Go(ctx, func(context.Context) error {
		<-t.stopped
		return t.db.insert()
	})
	return nil
}

func (t tooEarly) Stop(context.Context) error {
	defer close(t.stopped)
	return t.db.close()
}

func (t tooEarly) Close(context.Context) error { return nil }
