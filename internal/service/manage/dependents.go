package manage

import (
	"context"
	"errors"
)

// ErrNeeded is returned if running services need the one that was to stop.
var ErrNeeded = errors.New("services that run need it")

// Dependents lists the services that need another one.
type Dependents struct {
	// Running lists those that run, each before the ones that it needs itself: the order in
	// which they can be stopped.
	Running []string

	// Stopped lists those that do not run.
	Stopped []string

	// Along is true if the manager itself stops the running ones together with the service,
	// and starts them again when it restarts the service.
	Along bool
}

// Needed is a [Manager] that can tell which services need another one. Its Stop and Start
// accept a Spec with only Name and User set.
type Needed interface {
	Manager

	// Dependents needs no rights.
	Dependents(ctx context.Context, s Spec) (Dependents, error)
}

// RemovalChecker is a [Manager] that can tell in advance why Remove would refuse. Those that
// stop the services that need another one look before they stop anything; a manager of
// which the caller stops them is asked first.
type RemovalChecker interface {
	// CheckRemoval returns the error with which Remove would refuse to begin. It changes
	// nothing, and needs the rights of Remove.
	CheckRemoval(ctx context.Context, s Spec) error
}
