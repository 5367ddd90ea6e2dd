//go:build !windows

package daemon

import (
	"errors"
	"syscall"
)

// addressInUse reports whether listening failed for somebody else does already.
func addressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
