//go:build linux || freebsd || dragonfly || solaris || aix || windows

package detect

import (
	"fmt"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// machineOnly returns m, or an error if a user's services are asked of it: it has none.
func machineOnly(m manage.Manager, user bool) (manage.Manager, error) {
	if !user {
		return m, nil
	}
	return nil, fmt.Errorf("%w: %s has no per-user services; install it as a service of the machine, without --user", service.ErrNotSupported, m.Name())
}
