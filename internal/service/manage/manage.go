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
	"regexp"
	"time"

	"go.uber.org/zap/zapcore"
)

// What callers tell apart.
var (
	// ErrNotInstalled is that the manager knows no such service.
	ErrNotInstalled = errors.New("the service is not installed")

	// ErrNotRunning is that what was asked for needs a service that runs.
	ErrNotRunning = errors.New("the service is not running")

	// ErrNotSupported is that this manager cannot do what was asked for.
	ErrNotSupported = errors.New("not supported here")

	// ErrNoManager is returned where no service manager runs, as in most containers. What
	// wraps it is ErrNotSupported as well.
	ErrNoManager = errors.New("no service manager runs here")

	// ErrPermission is that it needs more rights. What wraps it says which, and how to
	// get them, in one line.
	ErrPermission = errors.New("not permitted")

	// ErrForeign is that a service of this name belongs to something else.
	ErrForeign = errors.New("belongs to another program")

	// ErrUnsafe is an executable, or a folder above it, that others can write: who can
	// replace it would run as the service.
	ErrUnsafe = errors.New("other users can write there")

	// ErrEnded is returned when the service was started and has ended again, and the
	// manager does not know with which exit code.
	ErrEnded = errors.New("it has ended at once")

	// ErrBusy is returned while another command changes the service.
	ErrBusy = errors.New("another command is changing the service")
	// ErrSpec is that the service cannot be installed as it is described.
	ErrSpec = errors.New("the service is described wrongly")
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
	// ErrSpec, ErrForeign or ErrUnsafe for what Apply would refuse; with force, the
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
	Status(ctx context.Context, s Spec) (Status, error)

	// Logs writes what the service has logged to w, the oldest first, in the form that
	// package records has for all managers.
	Logs(ctx context.Context, s Spec, q LogQuery, w io.Writer) error

	// Diagnose looks for what keeps the service from running. It asks the manager and
	// looks at the machine; it changes nothing.
	Diagnose(ctx context.Context, s Spec) []Finding
}

// State is what a service does.
type State string

// The states.
const (
	NotInstalled State = "not installed"
	Stopped      State = "stopped"
	Starting     State = "starting"
	Running      State = "running"
	Reloading    State = "reloading"
	Pausing      State = "pausing"
	Paused       State = "paused"
	Continuing   State = "continuing"
	Stopping     State = "stopping"
	Failed       State = "failed" // stopped, and not as asked; also while it waits for a restart
	Unknown      State = "unknown"
)

// Status is what the manager says of a service.
type Status struct {
	State     State
	PID       int       // 0 if no process runs
	Since     time.Time // when the state began, zero if the manager does not say
	StartType Start     // "" if the manager does not say
	ExitCode  int       // of the last end, where State is Stopped or Failed; -1 if the manager does not say
	Silent    bool      // State is Failed because the service has ended by itself, with whatever exit code
	Detail    string    // in the manager's own words, one line: "Result=watchdog", "code 1066/78"
	Restarts  int       // how often the manager has restarted it since it was started
}

// LogQuery says which records of a log, and how they are written.
type LogQuery struct {
	Lines  int // the last of them; 0 means all
	Follow bool
	JSON   bool                 // an object of JSON a line, else text
	Since  time.Time            // those logged then or later, all if zero
	Level  zapcore.LevelEnabler // those of the levels that it enables, all if nil
	Match  *regexp.Regexp       // those with a message or fields that it matches, all if nil
	PID    int                  // not those of another process, all if 0

	// LastRun chooses, of the last Lines, what the run has logged that has logged last: as
	// text without times and levels.
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
