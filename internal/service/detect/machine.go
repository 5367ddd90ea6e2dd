//go:build linux || freebsd || dragonfly || solaris || aix || windows

package detect

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service"
)

// machineOnly returns an error if a user's services are asked of a manager that has none.
func machineOnly(manager string, user bool) error {
	if !user {
		return nil
	}
	return fmt.Errorf("%w: %s has no per-user services; install it as a service of the machine, without --user", service.ErrNotSupported, manager)
}
