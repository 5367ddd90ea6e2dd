package runctx

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"syscall"
)

// Echo reports whether err only says that its goroutine was asked to stop. ctx is the
// context that the goroutine was given, run that of the whole run. Echo returns true if err
// is, or wraps nothing except,
//
//   - the error or the cause of one of the two contexts that has ended, or an error that
//     errors.Is matches with it, such as that of an interrupted dial;
//   - once run has ended, [http.ErrServerClosed] or [net.ErrClosed];
//   - once run has ended, a child process that was ended by SIGKILL, SIGTERM or SIGINT:
//     os/exec reports that instead of the context's error, and a service manager or a
//     terminal signals the children as well. Windows cannot tell a killed process from
//     one that exited with 1, so Echo returns false there.
//
// If one of these is joined with, or wrapped together with, another error, Echo returns
// false: the other error must be reported.
//
// If a method of err panics, Echo returns false.
func Echo(err error, ctx, run context.Context) (echoes bool) {
	defer func() {
		if recover() != nil {
			echoes = false
		}
	}()
	e := echo{down: run.Err() != nil}
	for _, c := range []context.Context{ctx, run} {
		if c.Err() != nil {
			e.ends = append(e.ends, c.Err(), context.Cause(c))
		}
	}
	return err != nil && len(e.ends) > 0 && e.onlyEchoes(err)
}

type echo struct {
	ends []error // the errors and causes of the contexts that have ended
	down bool    // the run's context has ended
}

// onlyEchoes reports whether all errors in the tree of err are echoes.
func (e echo) onlyEchoes(err error) bool {
	if e.isEcho(err) {
		return true
	}
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		inner := w.Unwrap()
		return inner != nil && e.onlyEchoes(inner)
	case interface{ Unwrap() []error }:
		for _, inner := range w.Unwrap() {
			if !e.onlyEchoes(inner) {
				return false
			}
		}
		return len(w.Unwrap()) > 0
	}
	return false
}

// isEcho reports whether err itself is an echo, whatever it wraps.
func (e echo) isEcho(err error) bool {
	also, _ := err.(interface{ Is(error) bool })
	for _, end := range e.ends {
		if Same(err, end) || also != nil && also.Is(end) {
			return true
		}
	}
	return e.down && (Same(err, http.ErrServerClosed) || Same(err, net.ErrClosed) || killed(err))
}

// killed reports whether err says that a signal to stop ended a child process.
func killed(err error) bool {
	child, ok := err.(interface{ Sys() any }) // an *exec.ExitError, through its os.ProcessState
	if !ok {
		return false
	}
	status, ok := child.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return false
	}
	switch status.Signal() {
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT:
		return true
	}
	return false
}

// Same reports whether a and b are the same error. The errors may be incomparable.
func Same(a, b error) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
