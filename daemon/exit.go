package daemon

import (
	"errors"
	"fmt"
)

// What a caller of Run may want to tell apart.
var (
	// ErrConfig is the configuration being wrong. Return an error that wraps it
	// from Start where the configuration of your own program is: its exit code
	// tells the manager that another try is of no use.
	ErrConfig = errors.New("the configuration is wrong")

	// ErrStopTimeout is something still running a second after the stop deadline.
	ErrStopTimeout = errors.New("gave up at the stop deadline")
)

// The exit codes that are the same everywhere.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitConfig      = 78 // EX_CONFIG of sysexits
	exitStopTimeout = 124
	exitSignal      = 128 // plus the signal's number
)

// ExitCode is the exit code for what Run has returned:
//
//	  0  nil: stopped as asked
//	  1  failed
//	 78  the configuration is wrong: errors.Is(err, ErrConfig)
//	124  gave up at the stop deadline: errors.Is(err, ErrStopTimeout)
//	128+n  forced by a second signal n
//
// When an error is several of these, the one further down decides.
func ExitCode(err error) int {
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
	return exitFailure
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
