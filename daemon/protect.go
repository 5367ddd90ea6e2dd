package daemon

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// panicError is a panic in the program's code.
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

// stackOf returns the stack of the panic in err, "" if it is of none.
func stackOf(err error) string {
	var p *panicError
	if errors.As(err, &p) {
		return p.stack
	}
	return ""
}

// protect calls f, and then done with what came of it, even if f panics or ends
// its goroutine.
func protect(where string, f func() error, done func(error)) {
	err := fmt.Errorf("%s has ended its goroutine (runtime.Goexit, as FailNow of a test does)", where)
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{where, v, string(debug.Stack())}
		}
		done(err)
	}()
	err = f()
}
