//go:build !windows

package scm

import (
	"errors"
	"runtime"
)

// Detect finds no service control manager.
func Detect(forced bool) (*Host, error) {
	if forced {
		return nil, errors.New("there is no service control manager on " + runtime.GOOS)
	}
	return nil, nil
}
