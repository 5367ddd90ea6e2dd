//go:build !windows

package scm

import (
	"errors"
	"runtime"
)

// Detect returns nil, or an error if the process is forced to be a service.
func Detect(forced bool) (*Host, error) {
	if forced {
		return nil, errors.New(runtime.GOOS + " has no service control manager")
	}
	return nil, nil
}
