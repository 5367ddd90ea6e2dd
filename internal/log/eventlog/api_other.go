//go:build !windows

package eventlog

import "errors"

// system always fails: only Windows has an Event Log.
type system struct{}

func (system) register(string) (uintptr, error) { return 0, errors.ErrUnsupported }

func (system) report(uintptr, *record) error { return errors.ErrUnsupported }

func (system) deregister(uintptr) error { return errors.ErrUnsupported }
