package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

// runs returns the modes that call daemon.Run themselves. The process exits with the
// code of what they return.
func runs(n int) map[string]func(daemon.Config) error {
	return map[string]func(daemon.Config) error{
		"runexit":    runExit,
		"runhang":    runHang,
		"runctx":     runContext,
		"runpipe":    func(c daemon.Config) error { return runPipe(n, c) },
		"failafter":  failAfter,
		"twice":      twice,
		"concurrent": concurrent,
		"nested":     nested,
		"selfstop":   selfStop,
		"cancelled":  cancelled,
		"deadline":   deadline,
		"cause":      cause,
		"logger":     ownLogger,
		"keeplevel":  keepLevel,
	}
}

// returned says what Run has returned.
func returned(err error) error {
	fmt.Fprintln(os.Stderr, "RETURNED", err)
	return err
}

func runExit(c daemon.Config) error {
	return returned(daemon.Run(context.Background(), program{start: says("STARTED", nil)}, c))
}

func runHang(c daemon.Config) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return returned(daemon.Run(ctx, program{start: says("STARTED", nil), stop: forever}, stopSoon(cancel, c)))
}

// stopSoon has cancel called when the run is ready.
func stopSoon(cancel func(), c daemon.Config) daemon.Config {
	time.AfterFunc(100*time.Millisecond, cancel)
	return c
}

func runContext(c daemon.Config) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	return returned(daemon.Run(ctx, program{}, stopSoon(func() { cancel(errors.New("done with it")) }, c)))
}

// runPipe logs much where nobody reads.
func runPipe(n int, c daemon.Config) error {
	return returned(daemon.Run(context.Background(), program{start: func(ctx context.Context) error {
		for range n {
			daemon.Logger(ctx).Info("line")
		}
		fmt.Fprintln(os.Stderr, "STARTED")
		return nil
	}}, c))
}

// failAfter does what a run can be asked for when it is over.
func failAfter(c daemon.Config) error {
	var kept context.Context
	err := daemon.Run(context.Background(), program{start: func(ctx context.Context) error {
		kept = ctx
		return fails(errors.New("first"))(ctx)
	}}, c)
	daemon.Fail(kept, errors.New("late"))
	daemon.Finish(kept)
	daemon.Go(kept, func(context.Context) error {
		fmt.Println("GO RUNS AFTER THE END")
		return nil
	})
	daemon.Logger(kept).Error("logged after the end")
	fmt.Println("CAUSE", context.Cause(kept))
	return returned(err)
}

func twice(c daemon.Config) error {
	for i := range 2 {
		p := program{start: says(fmt.Sprint("STARTED ", i), nil)}
		if err := daemon.Run(context.Background(), p, c); err != nil {
			return returned(err)
		}
	}
	return returned(nil)
}

// concurrent begins a run while another goes on, which stays what it is.
func concurrent(c daemon.Config) error {
	started, first := make(chan struct{}), make(chan error, 1)
	go func() {
		first <- daemon.Run(context.Background(), program{start: func(context.Context) error {
			close(started)
			return nil
		}}, c)
	}()
	<-started
	fmt.Println("THE SECOND", daemon.Run(context.Background(), program{start: says("STARTED", nil)}, c))
	return returned(<-first)
}

// nested runs another program within the first.
func nested(c daemon.Config) error {
	return returned(daemon.Run(context.Background(), worker(func(ctx context.Context) error {
		return daemon.Run(ctx, program{start: says("STARTED", nil)}, daemon.Config{Name: "inner"})
	}), c))
}

func selfStop(c daemon.Config) error {
	return returned(daemon.Run(context.Background(), program{start: func(ctx context.Context) error {
		return daemon.Run(ctx, program{start: says("STARTED", nil)}, c)
	}}, c))
}

type key struct{}

// cancelled hands a context to Run that has ended already.
func cancelled(c daemon.Config) error {
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), key{}, "value"))
	mine := errors.New("my cause")
	cancel(mine)
	return returned(daemon.Run(ctx, program{
		start: func(ctx context.Context) error {
			<-ctx.Done()
			var r daemon.Reason
			why := context.Cause(ctx)
			fmt.Println("START", ctx.Value(key{}), errors.As(why, &r), r.Trigger, errors.Is(why, mine))
			return nil
		},
		stop: func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			fmt.Println("STOP", ctx.Value(key{}), ctx.Err(), bounded)
			return nil
		},
	}, c))
}

// deadline hands a context with a deadline to Run, which is a time to stop at.
func deadline(c daemon.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	return returned(daemon.Run(ctx, program{start: func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		fmt.Println("DEADLINE", bounded)
		return nil
	}}, c))
}

// cause says what causes say on the way down, which begins with a drain delay.
func cause(c daemon.Config) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	var start context.Context
	return returned(daemon.Run(ctx, program{
		start: func(ctx context.Context) error {
			start = ctx
			return nil
		},
		stop: func(ctx context.Context) error {
			fmt.Println("START", context.Cause(start), "STOP", context.Cause(ctx))
			<-ctx.Done()
			fmt.Println("LATE", context.Cause(ctx))
			return nil
		},
	}, stopSoon(func() {
		cancel(errors.New("C"))
		time.Sleep(100 * time.Millisecond)
		fmt.Println("DRAINING", start.Err(), context.Cause(start))
	}, c)))
}

// ownLogger has a log whose level nobody can change.
func ownLogger(c daemon.Config) error {
	l, err := zap.NewProduction()
	if err != nil {
		return err
	}
	c.Logger = l
	return returned(daemon.Run(context.Background(), program{}, c))
}

func keepLevel(c daemon.Config) error {
	c.KeepLevel = true
	return returned(daemon.Run(context.Background(), program{}, c))
}
