//go:build linux || freebsd || dragonfly || solaris || aix || windows

package detect

import (
	"fmt"

	"github.com/go-glidepath/glidepath/internal/service"
)

// machineOnly is the answer of a manager that has no services of users.
func machineOnly(manager string, user bool) error {
	if !user {
		return nil
	}
	return fmt.Errorf("%w: %s has no services of users; install it as a service of the machine, without --user", service.ErrNotSupported, manager)
}
