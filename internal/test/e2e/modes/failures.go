package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

func failures() map[string]daemon.Program {
	return map[string]daemon.Program{
		"failnil":      worker(fails(nil)),
		"failcanceled": worker(fails(context.Canceled)),
		"failreason":   worker(fails(daemon.Reason{Trigger: daemon.TriggerFinished})),
		"failconfig":   program{start: fails(fmt.Errorf("x: %w", daemon.ErrConfig))},
		"goconfig":     worker(func(context.Context) error { return fmt.Errorf("x: %w", daemon.ErrConfig) }),
		"stopfail":     program{stop: fails(errors.New("failed in stop"))},
		"stoperr":      program{start: fails(errors.New("first")), stop: says("STOPPED", errors.New("second"))},
		"baderr":       program{start: failsBadly},
		"slowerr":      program{start: fails(slowError{})},
		"code":         program{start: fails(codeError(42))},
		"startcode":    program{start: says("STARTED", fmt.Errorf("x: %w", codeError(43)))},
		"stopcode":     program{stop: says("STOPPED", codeError(44))},
		"takencode":    program{start: fails(codeError(124))},
		"childcode":    worker(childFails),
	}
}

// codeError is an error with an exit code of the program's own.
type codeError int

func (c codeError) Error() string { return fmt.Sprint("code ", int(c)) }
func (c codeError) ExitCode() int { return int(c) }

// badError is an error that cannot be printed, nor compared.
type badError struct{ _ []int }

func (badError) Error() string { panic("Error panics") }

func failsBadly(ctx context.Context) error {
	daemon.Fail(ctx, badError{})
	daemon.Fail(ctx, badError{})
	return badError{}
}

// slowError is an error whose text takes longer than anything may.
type slowError struct{}

func (slowError) Error() string {
	fmt.Println("HANGS")
	time.Sleep(time.Hour)
	return "slow"
}

// childFails is a child process that ends with a code which is not for its parent.
func childFails(ctx context.Context) error {
	return exec.CommandContext(ctx, "sh", "-c", "exit 7").Run()
}
