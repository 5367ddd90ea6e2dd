package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/daemon"
)

// multitudes do something n times.
func multitudes(n int) map[string]daemon.Program {
	return map[string]daemon.Program{
		"failloop":  worker(failLoop),
		"failstorm": program{start: failStorm(n)},
		"manyfail":  program{start: goMany(n, failsAtTheEnd)},
		"manystuck": program{start: goMany(n, func(int) call { return stuck })},
		"busy":      program{start: goMany(n, func(int) call { return spin })},
		"recursego": worker(nest(n)),
	}
}

// failLoop is a loop that does not look at its context.
func failLoop(ctx context.Context) error {
	for {
		daemon.Fail(ctx, errors.New("accept: use of closed network connection"))
	}
}

func failStorm(n int) call {
	return func(ctx context.Context) error {
		for i := range n {
			daemon.Fail(ctx, fmt.Errorf("failure %d", i))
		}
		return nil
	}
}

func goMany(n int, f func(i int) call) call {
	return func(ctx context.Context) error {
		for i := range n {
			daemon.Go(ctx, f(i))
		}
		return nil
	}
}

// failsAtTheEnd is a connection that breaks when the program stops.
func failsAtTheEnd(i int) call {
	return func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("read tcp 10.0.0.1:80->10.0.0.2:%d: use of closed network connection", i)
	}
}

func stuck(context.Context) error { select {} }

// spin leaves the processor to nobody.
func spin(ctx context.Context) error {
	turns := 0
	for ctx.Err() == nil {
		turns++
	}
	return nil
}

// nest starts a goroutine at the end of each, n deep.
func nest(n int) call {
	return func(ctx context.Context) error {
		<-ctx.Done()
		if n == 0 {
			fmt.Println("DEEPEST")
			return nil
		}
		daemon.Go(ctx, nest(n-1))
		return nil
	}
}
