// Package manage defines what all service managers have in common: the [Manager] interface,
// the [Spec] that describes a service to one, and the [Plan] of an installation.
//
// A Manager compares a Spec with what is installed and returns a Plan, which can be shown
// before anything changes. Packages systemd, winsvc, script and kardianos implement Manager;
// package detect finds the one that runs this machine.
package manage

import (
	"context"
	"errors"
	"io"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// Errors of managers, in addition to those of package daemon/service.
var (
	// ErrNoManager is returned if no service manager runs, as in most containers. Errors
	// that wrap it also wrap service.ErrNotSupported.
	ErrNoManager = errors.New("no service manager runs here")

	// ErrEnded is returned by Start if the service ended again and the manager does not
	// know its exit code.
	ErrEnded = errors.New("it has ended at once")

	// ErrConfig is returned if the service cannot be installed as it is described. Package
	// daemon exports it as daemon.ErrConfig.
	ErrConfig = errors.New("the configuration is wrong")
)

// Manager installs and controls services on this machine. Its methods may be called from any
// goroutine. When ctx ends they return; the service manager continues with what it was asked
// to do.
//
// Methods that install nothing use only Name, Version, WorkingDirectory, Template, Instance
// and User of a Spec.
type Manager interface {
	// Name returns the name of the service manager: "systemd", "Windows".
	Name() string

	// Plan compares s with what is installed and changes nothing. It returns ErrConfig,
	// service.ErrForeign or service.ErrUnsafe if Apply would refuse; with force, the last
	// two become warnings of the plan. It needs no more rights than Status.
	Plan(ctx context.Context, s Spec, force bool) (*Plan, error)

	// Apply carries out a plan of this manager completely. If it fails, it undoes
	// everything. It does not start the service.
	Apply(ctx context.Context, p *Plan) error

	// Remove stops the service, waits until it has stopped, and removes what Apply created.
	// With purge it also removes the directories that did not exist before Apply, and the
	// account. It returns what was removed, once the name is free again. If the service is
	// not installed and nothing is left to purge, it returns service.ErrNotInstalled. If it
	// can see that something cannot be removed, it fails before it stops anything. If it
	// fails later, it restores what it removed, but the service may have stopped; the
	// function Remove starts it again.
	Remove(ctx context.Context, s Spec, purge bool) (removed []string, err error)

	// These methods return nil once the service is in the state that they name. Starting a
	// service that runs, and stopping one that does not, does nothing. Start and Restart
	// also return nil if the service has ended with exit code 0, as a job does.
	Start(ctx context.Context, s Spec) error
	Stop(ctx context.Context, s Spec) error
	Restart(ctx context.Context, s Spec) error
	Reload(ctx context.Context, s Spec) error
	Pause(ctx context.Context, s Spec) error
	Continue(ctx context.Context, s Spec) error

	// Status needs no rights. For a service that is not installed it returns the state
	// service.NotInstalled, and no error.
	Status(ctx context.Context, s Spec) (service.Status, error)

	// Logs writes the service's log to w, oldest records first, in the form of package
	// records.
	Logs(ctx context.Context, s Spec, q LogQuery, w io.Writer) error

	// Diagnose looks for what keeps the service from running. It queries the manager and
	// inspects the machine, and changes nothing.
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

// Finding is the result of one check of Diagnose.
type Finding struct {
	Level  Level
	What   string // what was checked: "unit file", "account"
	Detail string // the result, on one line
	Remedy string // what to do about it, on one line; "" if nothing
}

// Level says how serious a finding is.
type Level uint8

// The levels.
const (
	OK      Level = iota // as it should be
	Note                 // worth knowing
	Warning              // may keep the service from running, or from being safe
	Problem              // keeps the service from running
)
