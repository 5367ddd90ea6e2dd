package main

import (
	"context"
	"fmt"

	"github.com/go-glidepath/glidepath/daemon"
)

// call is a method of a program.
type call = func(ctx context.Context) error

// program is a Program of two functions, each of which may be missing.
type program struct{ start, stop call }

func (p program) Start(ctx context.Context) error { return perhaps(ctx, p.start) }
func (p program) Stop(ctx context.Context) error  { return perhaps(ctx, p.stop) }

func perhaps(ctx context.Context, f call) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// Each of these has one ability more.
type (
	reloader struct {
		program
		reload call
	}
	checker struct {
		program
		check call
	}
	closer struct {
		program
		close call
	}
)

func (p reloader) Reload(ctx context.Context) error { return p.reload(ctx) }
func (p checker) Check(ctx context.Context) error   { return p.check(ctx) }
func (p closer) Close(ctx context.Context) error    { return p.close(ctx) }

// worker is a program that does nothing but f, on a goroutine.
func worker(f call) program {
	return program{start: func(ctx context.Context) error {
		daemon.Go(ctx, f)
		return nil
	}}
}

// fails returns a call of Fail.
func fails(err error) call {
	return func(ctx context.Context) error {
		daemon.Fail(ctx, err)
		return nil
	}
}

// says returns a call that says that it is made, and what it returns.
func says(what string, err error) call {
	return func(context.Context) error {
		fmt.Println(what)
		return err
	}
}

// forever never returns, whatever its context does.
func forever(context.Context) error {
	fmt.Println("HANGS")
	select {}
}

// until waits for the end of its context.
func until(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
