package daemon

import (
	"errors"
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

var (
	// ErrConfig indicates an invalid configuration. Return an error that wraps it from
	// Start if the configuration of your own program is invalid: its exit code tells the
	// manager not to try again.
	ErrConfig = manage.ErrConfig

	// ErrStopTimeout indicates that something still ran a second after the stop deadline.
	// It is in the log and makes the exit code 124. Run does not return it, because it
	// exits the process then; in a test, daemontest.Drive returns it.
	ErrStopTimeout = errors.New("gave up at the stop deadline")
)

// The exit codes that are the same everywhere.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitBusy        = 75 // EX_TEMPFAIL of sysexits, only of commands
	exitConfig      = 78 // EX_CONFIG of sysexits
	exitStopTimeout = 124
	exitSignal      = 128 // plus the signal's number

	maxOwn = 125 // the highest code that a program may choose: shells use those above for themselves
)

// ExitCode returns the exit code for an error that Run has returned: 0 for nil, which means
// that the program stopped as asked, and 1 for most errors. The [table of exit codes] lists
// the others.
//
// A program chooses the exit code by an error with a method ExitCode() int, which may return
// 1 to 125, except 2, 78 and 124, which have a meaning of their own. Any other value counts
// as 1. If several errors have such a method, the first one counts. An [*os/exec.ExitError]
// does not count: the exit code of a child is not that of its parent.
//
// A second signal n (128+n), [ErrStopTimeout] (124) and [ErrConfig] (78) replace the code of
// the program, in this order. An error whose methods panic counts as 1. A service of Windows
// reports the code as its service-specific exit code.
//
// [table of exit codes]: https://github.com/go-glidepath/glidepath/blob/main/daemon/docs/reference.md#exit-codes
func ExitCode(err error) int {
	code := exitFailure
	survive(func() { code = exitCode(err) })
	return code
}

func exitCode(err error) int {
	var forced forcedError
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &forced):
		return exitSignal + forced.signal
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, ErrStopTimeout):
		return exitStopTimeout
	case errors.Is(err, ErrConfig):
		return exitConfig
	}
	if code, ok := ownCode(err); ok {
		return code
	}
	return exitFailure
}

// ownCode returns the exit code that the program has chosen, from the tree of err.
func ownCode(err error) (code int, ok bool) {
	c, has := err.(interface{ ExitCode() int })
	if _, child := err.(interface{ Pid() int }); has && !child { // os.ProcessState has both
		return chosen(c.ExitCode())
	}
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		return ownCode(w.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range w.Unwrap() {
			if code, ok := ownCode(e); ok {
				return code, true
			}
		}
	}
	return 0, false
}

// chosen reports whether a program may choose the exit code.
func chosen(code int) (int, bool) {
	switch code {
	case exitUsage, exitConfig, exitStopTimeout:
		return 0, false
	}
	return code, 1 <= code && code <= maxOwn
}

// forcedError is returned when a second signal cut the way down short.
type forcedError struct {
	signal int
	name   string
}

func (e forcedError) Error() string {
	return fmt.Sprintf("a second signal (%s) cut the way down short", e.name)
}

// usageError describes a wrong command line. Run never returns one.
type usageError string

func (e usageError) Error() string { return string(e) }
