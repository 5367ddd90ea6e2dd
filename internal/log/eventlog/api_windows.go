package eventlog

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// system calls the Event Log of this machine.
type system struct{}

func (system) register(source string) (uintptr, error) {
	name, err := windows.UTF16PtrFromString(source)
	if err != nil {
		return 0, err
	}
	handle, err := windows.RegisterEventSource(nil, name)
	return uintptr(handle), err
}

func (system) report(handle uintptr, r *record) error {
	err := windows.ReportEvent(windows.Handle(handle), r.kind, 0, r.id, 0, uint16(r.count), 0, &r.strings[0], nil)
	if err != nil && refused(err) {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

func (system) deregister(handle uintptr) error {
	return windows.DeregisterEventSource(windows.Handle(handle))
}

// refused reports whether err concerns the record. Other errors, such as
// RPC_S_SERVER_UNAVAILABLE, would occur with any record.
func refused(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_PARAMETER) || errors.Is(err, windows.RPC_S_INVALID_BOUND) ||
		errors.Is(err, windows.RPC_X_BAD_STUB_DATA) || errors.Is(err, windows.ERROR_NOT_ENOUGH_MEMORY)
}
