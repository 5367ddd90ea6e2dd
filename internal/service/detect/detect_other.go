//go:build !(linux || darwin || freebsd || dragonfly || solaris || aix || windows)

package detect

import (
	"fmt"
	"runtime"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func find(manage.Machine, bool, []Extra) (manage.Manager, error) {
	return nil, fmt.Errorf("%w: Glidepath supports no service manager of %s; have the system's own run the program in the foreground", service.ErrNotSupported, runtime.GOOS)
}
