package manage

import (
	"context"
	"errors"
)

// ErrNeeded indicates that services which run need the one that was to stop.
var ErrNeeded = errors.New("services that run need it")

// Dependents are the services that need another one.
type Dependents struct {
	// Running are those that run, each before those that it needs itself, which is an order
	// to stop them in.
	Running []string

	// Stopped are those that do not.
	Stopped []string

	// Along says that the manager by itself stops those that run along with the service,
	// and starts them again when it restarts the service.
	Along bool
}

// Needed is a [Manager] that knows which services need another one. It can stop and start
// each by its name, as a Spec that has nothing else except User.
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
