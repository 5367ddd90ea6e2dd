//go:build !windows

package winsvc

import (
	"fmt"
	"runtime"

	"github.com/go-glidepath/glidepath/internal/service"
)

// nowhere is where there is no service control manager. Everything begins with
// connecting to it.
type nowhere struct{ api }

func system() api { return nowhere{} }

func (nowhere) OpenManager(uint32) (handle, error) {
	return 0, fmt.Errorf("%w: %s is no Windows", service.ErrNotSupported, runtime.GOOS)
}

func (nowhere) Getenv(string) string { return "" }
