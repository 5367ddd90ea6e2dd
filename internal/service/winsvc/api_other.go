//go:build !windows

package winsvc

import (
	"fmt"
	"runtime"

	"github.com/go-glidepath/glidepath/daemon/service"
)

// nowhere implements api on systems without a service control manager. Its other methods are
// never called, because everything begins with OpenManager.
type nowhere struct{ api }

func system() api { return nowhere{} }

func (nowhere) OpenManager(uint32) (handle, error) {
	return 0, fmt.Errorf("%w: %s has no service control manager", service.ErrNotSupported, runtime.GOOS)
}

func (nowhere) Getenv(string) string { return "" }
