package runctx

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"syscall"
)

// Echo reports whether err says only that its goroutine was asked to stop. ctx is the
// context that the goroutine was given, run that of the whole run. An error says that if
// it is, or wraps nothing but,
//
//   - the error or the cause of one of the two contexts that has ended, or an error that
//     errors.Is takes for one of them, as that of a dial which was cut off;
//   - on the way down, that is once run has ended: [http.ErrServerClosed] and
//     [net.ErrClosed];
//   - on the way down, a child process that SIGKILL, SIGTERM or SIGINT has ended: os/exec
//     reports that in place of the context's error, and a service manager or a terminal
//     signals the children as well. Windows does not tell a process that was killed from
//     one that exited with 1, so there it is no echo.
//
// An error joined to one of these, or one that wraps it together with another, is
// something that somebody has to be told.
//
// The methods of err may panic: then it is none.
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
	return err != nil && len(e.ends) > 0 && e.only(err)
}

type echo struct {
	ends []error // the errors and causes of the contexts that have ended
	down bool    // the run's has
}

// only reports whether there is nothing but echoes in the tree of err.
func (e echo) only(err error) bool {
	if e.is(err) {
		return true
	}
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		inner := w.Unwrap()
		return inner != nil && e.only(inner)
	case interface{ Unwrap() []error }:
		for _, inner := range w.Unwrap() {
			if !e.only(inner) {
				return false
			}
		}
		return len(w.Unwrap()) > 0
	}
	return false
}

// is reports whether err itself is an echo, whatever it wraps.
func (e echo) is(err error) bool {
	also, _ := err.(interface{ Is(error) bool })
	for _, end := range e.ends {
		if Same(err, end) || also != nil && also.Is(end) {
			return true
		}
	}
	return e.down && (Same(err, http.ErrServerClosed) || Same(err, net.ErrClosed) || killed(err))
}

// killed reports whether err is that of a child which a signal to stop has ended.
func killed(err error) bool {
	child, ok := err.(interface{ Sys() any }) // an *exec.ExitError, by its os.ProcessState
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

// Same reports whether a and b are one error. Errors need not be comparable.
func Same(a, b error) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
