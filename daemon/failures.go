package daemon

import (
	"fmt"
	"sync/atomic"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// maxFailures is how many failures that the program reports are kept one by one. The
// first is the reason; of a program that goes on failing the rest is counted.
const maxFailures = 16

// failed is a failure of the program as the run keeps it: with its text, which was made
// on a goroutine of the program's. The loop keeps the deadlines, so it does not call
// methods of the program's errors.
type failed struct {
	err    error // with what was being done
	origin error // as the program has it
	text   string
	stack  string // of a panic
	echo   bool   // it says only that it was asked to stop
}

func newFailed(doing string, origin error) *failed {
	err := origin
	if doing != "" {
		err = fmt.Errorf("%s: %w", doing, origin)
	}
	return &failed{err: err, origin: origin, text: fmt.Sprint(err), stack: stackOf(origin)}
}

func (f *failed) Error() string { return f.text }
func (f *failed) Unwrap() error { return f.err }

// failures counts those that the program reports, by [Fail] or by a goroutine that ends
// with an error.
type failures struct{ reported atomic.Int64 }

// admit reports whether one more is kept.
func (f *failures) admit() bool { return f.reported.Add(1) <= maxFailures }

// more is how many were only counted.
func (f *failures) more() int64 { return max(f.reported.Load()-maxFailures, 0) }

// fail fails the run from any goroutine. It costs next to nothing once enough is known.
func (r *run) fail(what string, err error) {
	if !r.failures.admit() {
		return
	}
	r.inbox.post(event{kind: lifecycle.Failed, reason: failure(what, err), err: newFailed("", err)})
}
