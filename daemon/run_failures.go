package daemon

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// maxFailures limits the failures that are kept one by one. The first is the reason to
// stop. If the program keeps failing, further failures are only counted.
const maxFailures = 16

// failed holds a failure of the program and everything that the loop and the hosts need to
// know about it. newFailed determines that on a goroutine of the program: the loop keeps the
// deadlines, so it must neither call methods of the program's errors nor unwrap them.
type failed struct {
	err    error // origin, wrapped with what was being done
	origin error // the program's error
	text   string
	stack  string        // the stack of a panic
	how    string        // how the code ended if it did not return, see [abrupt]
	code   int           // the exit code
	own    int           // the exit code that the program chose, 0 if none
	errno  syscall.Errno // the error of a system call, 0 if none
	echo   bool          // the error only says that the program was asked to stop
}

func newFailed(doing string, origin error) *failed {
	err := origin
	if doing != "" {
		err = fmt.Errorf("%s: %w", doing, origin)
	}
	f := &failed{err: err, origin: origin, text: fmt.Sprint(err), stack: stackOf(origin), how: abrupt(origin), code: ExitCode(err)}
	survive(func() {
		f.own, _ = ownCode(err)
		errors.As(err, &f.errno)
	})
	return f
}

func (f *failed) Error() string { return f.text }

// level returns the log level for a Reload, Pause or Continue that fails while the program
// stops.
func (f *failed) level() zapcore.Level {
	if f.echo {
		return zap.DebugLevel
	}
	return zap.WarnLevel
}

// ExitCode returns the exit code that the program chose.
func (f *failed) ExitCode() int { return f.own }

// Is matches the errors that decide the exit code.
func (f *failed) Is(target error) bool {
	return target == ErrConfig && f.code == exitConfig || target == ErrStopTimeout && f.code == exitStopTimeout
}

// As finds the errors that hosts ask for.
func (f *failed) As(target any) bool {
	switch t := target.(type) {
	case *syscall.Errno:
		*t = f.errno
		return f.errno != 0
	case *forcedError: // from another run
		*t = forcedError{f.code - exitSignal, f.text}
		return f.code > exitSignal
	}
	return false
}

// survive calls f, which calls methods of the program's errors, and recovers from a panic:
// the methods of an error that is a nil pointer may panic.
func survive(f func()) {
	defer func() { _ = recover() }()
	f()
}

// failures counts the failures that the program reports by calling [Fail], or by returning
// an error from a goroutine.
type failures struct{ reported atomic.Int64 }

// admit counts a failure and reports whether to keep it.
func (f *failures) admit() bool { return f.reported.Add(1) <= maxFailures }

// dropped returns the number of failures that were only counted.
func (f *failures) dropped() int64 { return max(f.reported.Load()-maxFailures, 0) }

// fail fails the run. It may be called on any goroutine, and is cheap once maxFailures are
// kept.
func (r *run) fail(what string, err error) {
	if !r.failures.admit() {
		return
	}
	r.inbox.post(input{kind: lifecycle.Failed, reason: failure(what, err), err: newFailed("", err)})
}
