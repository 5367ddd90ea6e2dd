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

// maxFailures is how many failures that the program reports are kept one by one. The
// first is the reason; of a program that goes on failing the rest is counted.
const maxFailures = 16

// failed is a failure of the program as the run keeps it: with all that the loop and the
// hosts ask of it, found out on a goroutine of the program's. The loop keeps the
// deadlines, so it does not call methods of the program's errors, nor unwrap them.
type failed struct {
	err    error // with what was being done
	origin error // as the program has it
	text   string
	stack  string        // of a panic
	how    string        // its code ended if it did not return, see [abrupt]
	code   int           // the exit code
	own    int           // that of the program's own, 0 if there is none
	errno  syscall.Errno // of the system call, 0 if it was none
	echo   bool          // it says only that it was asked to stop
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

// level is that of the record about a Reload, Pause or Continue that fails while the
// program stops.
func (f *failed) level() zapcore.Level {
	if f.echo {
		return zap.DebugLevel
	}
	return zap.WarnLevel
}

// ExitCode is what the program has chosen.
func (f *failed) ExitCode() int { return f.own }

// Is tells what decides the exit code.
func (f *failed) Is(target error) bool {
	return target == ErrConfig && f.code == exitConfig || target == ErrStopTimeout && f.code == exitStopTimeout
}

// As tells what hosts ask for.
func (f *failed) As(target any) bool {
	switch t := target.(type) {
	case *syscall.Errno:
		*t = f.errno
		return f.errno != 0
	case *forcedError: // of another run
		*t = forcedError{f.code - exitSignal, f.text}
		return f.code > exitSignal
	}
	return false
}

// survive calls f, which calls methods of the program's. They may panic, as those of an
// error that is a nil pointer do.
func survive(f func()) {
	defer func() { _ = recover() }()
	f()
}

// failures counts those that the program reports, by [Fail] or by a goroutine that ends
// with an error.
type failures struct{ reported atomic.Int64 }

// admit reports whether one more is kept.
func (f *failures) admit() bool { return f.reported.Add(1) <= maxFailures }

// dropped is how many were only counted.
func (f *failures) dropped() int64 { return max(f.reported.Load()-maxFailures, 0) }

// fail fails the run from any goroutine. It costs next to nothing once enough is known.
func (r *run) fail(what string, err error) {
	if !r.failures.admit() {
		return
	}
	r.inbox.post(input{kind: lifecycle.Failed, reason: failure(what, err), err: newFailed("", err)})
}
