package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// echoes are what errors look like when a program is asked to stop, and what else there
// may be then.
func echoes() map[string]daemon.Program {
	return map[string]daemon.Program{
		"dial":          worker(dial),
		"execctx":       worker(child),
		"timeoutctx":    worker(cutOff),
		"timeoutmissed": worker(missed),
		"stopgo":        program{stop: goUntil},
		"starterr":      program{start: failsWhenAsked(fmt.Errorf("the data base is corrupt: %w", daemon.ErrConfig))},
		"goerr":         worker(failsWhenAsked(fmt.Errorf("the data base is corrupt"))),
	}
}

// dial is what a loop that connects again and again ends with.
func dial(ctx context.Context) error {
	<-ctx.Done()
	_, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:1")
	return err
}

// child is a process that ends with the context.
func child(ctx context.Context) error {
	return exec.CommandContext(ctx, "sleep", "100").Run()
}

// cutOff has a deadline of its own, before which the stop comes.
func cutOff(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	<-ctx.Done()
	return ctx.Err()
}

// missed has a deadline of its own, which has passed when the stop comes.
func missed(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	<-short.Done()
	<-ctx.Done()
	return short.Err()
}

// goUntil starts, in Stop, what goes on until the deadline of Stop.
func goUntil(ctx context.Context) error {
	daemon.Go(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	return nil
}

func failsWhenAsked(err error) call {
	return func(ctx context.Context) error {
		fmt.Println("WAITS")
		<-ctx.Done()
		return err
	}
}
