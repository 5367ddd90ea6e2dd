package daemon

import (
	"errors"
	"fmt"
)

var (
	// ErrConfig indicates an invalid configuration. Return an error that wraps it
	// from Start if the configuration of your own program is invalid: its exit code
	// tells the manager not to try again.
	ErrConfig = errors.New("the configuration is wrong")

	// ErrStopTimeout indicates that something still ran when the grace after the stop
	// deadline was over. It stands in the log and decides the exit code, 124. Run does
	// not return it to a program, for it exits the process then; in a test,
	// daemontest.Drive does.
	ErrStopTimeout = errors.New("gave up at the stop deadline")
)

// The exit codes that are the same everywhere.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitBusy        = 75 // EX_TEMPFAIL of sysexits, of commands alone
	exitConfig      = 78 // EX_CONFIG of sysexits
	exitStopTimeout = 124
	exitSignal      = 128 // plus the signal's number

	maxOwn = 125 // of the program's own: a shell has its own meanings for those above
)

// ExitCode returns the exit code for what Run has returned:
//
//	  0  nil: stopped as asked
//	  1  failed
//	  n  failed with an error that has a method ExitCode() int, which returns n
//	 78  the configuration is wrong: errors.Is(err, ErrConfig)
//	124  gave up at the stop deadline: errors.Is(err, ErrStopTimeout)
//	  2  the command line is wrong; only Main and the commands exit with it
//	128+n  forced by a second signal n
//
// When an error is several of these, the one further down decides. An exit code of the
// program's own is from 1 to 125, except 2, 78 and 124, which are taken; an error with
// any other counts as 1. Where several errors have one, that of the first counts. An
// *exec.ExitError has none: how a child ended is not how its parent does, unless the
// program says so by an error of its own. An error whose methods panic counts as 1. As a
// Windows service, the code is the service-specific exit code.
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

// ownCode returns the exit code that the program has chosen in the tree of err.
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

func chosen(code int) (int, bool) {
	switch code {
	case exitUsage, exitConfig, exitStopTimeout:
		return 0, false
	}
	return code, 1 <= code && code <= maxOwn
}

// forcedError is a second signal that did not want to wait for the way down.
type forcedError struct {
	signal int
	name   string
}

func (e forcedError) Error() string {
	return fmt.Sprintf("a second signal (%s) cut the way down short", e.name)
}

// usageError is a command line that is wrong. Run never returns one.
type usageError string

func (e usageError) Error() string { return string(e) }
