// Package manage is what a service is to a service manager: what it is told to
// install, and what it says of it.
//
// A [Spec] says what is wanted. A [Manager] compares it with what is installed, which
// makes a [Plan]; what it would do is looked at before anything is done. The packages
// below this one are the managers; package local knows which one runs this machine.
package manage

import (
	"context"
	"errors"
	"io"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// Errors of managers, in addition to those of package daemon/service.
var (
	// ErrNoManager is returned where no service manager runs, as in most containers. What
	// wraps it is service.ErrNotSupported as well.
	ErrNoManager = errors.New("no service manager runs here")

	// ErrEnded is returned when the service was started and has ended again, and the
	// manager does not know with which exit code.
	ErrEnded = errors.New("it has ended at once")

	// ErrConfig is returned when the service cannot be installed as it is described. It is
	// daemon.ErrConfig.
	ErrConfig = errors.New("the configuration is wrong")
)

// Manager is a service manager of this machine. Its methods may be called from any
// goroutine, and end with ctx: what they have asked the manager for goes on then.
//
// Only Name, Version, Directory, Template and User of a Spec matter to the methods
// that install nothing; all take the whole.
type Manager interface {
	// Name is what people call it: "systemd", "Windows".
	Name() string

	// Plan compares s with what is installed, and changes nothing. It fails with
	// ErrConfig, ErrForeign or ErrUnsafe for what Apply would refuse; with force, the
	// last two are warnings of the plan. It needs no more rights than Status.
	Plan(ctx context.Context, s Spec, force bool) (*Plan, error)

	// Apply does what a plan of this manager says: all of it, or, when it fails,
	// nothing. It does not start the service.
	Apply(ctx context.Context, p *Plan) error

	// Remove stops the service, waits for that, and removes what Apply has made, and
	// with purge the directories that were not there before Apply, and the account, too. It
	// returns when the name is free again, with what was removed. A service that is not
	// installed is ErrNotInstalled, unless there is something left to purge. It fails before
	// it stops anything if it can see that something cannot be removed. When it fails later,
	// what it took away is back, and the service has perhaps stopped: see the function Remove.
	Remove(ctx context.Context, s Spec, purge bool) (removed []string, err error)

	// Each of these returns nil when the service is in the state that it names. Start of
	// a service that runs, and Stop of one that does not, do nothing. Start and Restart
	// return nil as well when the service has ended with exit code 0: a job has finished.
	Start(ctx context.Context, s Spec) error
	Stop(ctx context.Context, s Spec) error
	Restart(ctx context.Context, s Spec) error
	Reload(ctx context.Context, s Spec) error
	Pause(ctx context.Context, s Spec) error
	Continue(ctx context.Context, s Spec) error

	// Status needs no rights. A service that is not installed is no error.
	Status(ctx context.Context, s Spec) (service.Status, error)

	// Logs writes what the service has logged to w, the oldest first, in the form that
	// package records has for all managers.
	Logs(ctx context.Context, s Spec, q LogQuery, w io.Writer) error

	// Diagnose looks for what keeps the service from running. It asks the manager and
	// looks at the machine; it changes nothing.
	Diagnose(ctx context.Context, s Spec) []Finding
}

// LogQuery selects records of a log and their form.
type LogQuery struct {
	service.LogOptions
	PID int // no records of other processes, unless 0

	// LastRun selects, of the last Lines, the records of the run that logged last, as text
	// without times and levels.
	LastRun bool
}

// Finding is one thing that Diagnose has looked at.
type Finding struct {
	Level  Level
	What   string // what was looked at: "unit file", "account"
	Detail string // what was found, one line
	Remedy string // what to do about it, one line; "" if nothing
}

// Level is how bad a finding is.
type Level uint8

// The levels.
const (
	OK      Level = iota // as it should be
	Note                 // worth knowing
	Warning              // may keep it from running, or from being safe
	Problem              // keeps it from running
)
