package daemon

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// panicError reports a panic in the program's code.
type panicError struct {
	where string
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic in %s: %v", e.where, e.value) }

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// goexitError reports that the program's code ended the goroutine that it was called on.
type goexitError struct{ where string }

func (e goexitError) Error() string {
	return e.where + " ended its goroutine (runtime.Goexit, which t.FailNow calls)"
}

// stackOf returns the stack of the panic in err, "" if err is not a panic.
func stackOf(err error) string {
	if f, ok := err.(*failed); ok {
		return f.stack
	}
	var p *panicError
	survive(func() { errors.As(err, &p) })
	if p != nil {
		return p.stack
	}
	return ""
}

// abrupt describes how code of the program ended if it did not return. If it returned,
// abrupt returns "".
func abrupt(err error) string {
	ended := false
	survive(func() { ended = errors.As(err, new(goexitError)) })
	switch {
	case stackOf(err) != "":
		return "panicked"
	case ended:
		return "called runtime.Goexit"
	}
	return ""
}

// protect calls f, and then done with the result, even if f panics or ends its goroutine. In
// the latter case protect does not return either, so whatever has to happen afterwards
// belongs in done.
func protect(where string, f func() error, done func(error)) {
	var err error = goexitError{where}
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{where, v, string(debug.Stack())}
		}
		done(err)
	}()
	err = f()
}
