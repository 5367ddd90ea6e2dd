//go:build !windows

package daemon

import (
	"errors"
	"syscall"
)

// addressInUse reports whether err means that the address is in use.
func addressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
