package main

import (
	"context"
	"fmt"

	"github.com/go-glidepath/glidepath/daemon"
)

func functions() map[string]daemon.Program {
	return map[string]daemon.Program{
		"shortjob":   daemon.Func(shortJob),
		"funcready2": daemon.Func(readyOften),
		"funcstored": daemon.Func(readyTooLate),
	}
}

// shortJob ends by itself.
func shortJob(_ context.Context, ready func()) error {
	fmt.Println("STARTED")
	ready()
	return nil
}

func readyOften(ctx context.Context, ready func()) error {
	ready()
	ready()
	go ready()
	<-ctx.Done()
	ready()
	go ready()
	return nil
}

// readyTooLate says that it is ready only when it has returned.
func readyTooLate(ctx context.Context, ready func()) error {
	go func() {
		<-ctx.Done()
		ready()
	}()
	return nil
}
