package service

import "errors"

// Errors that callers may tell apart with errors.Is.
var (
	// ErrNotInstalled is returned when the service is not installed.
	ErrNotInstalled = errors.New("the service is not installed")

	// ErrNotRunning is returned when an operation needs a service that runs.
	ErrNotRunning = errors.New("the service is not running")

	// ErrNotSupported is returned when the service manager of this machine, or the program,
	// does not support an operation, or no service manager runs.
	ErrNotSupported = errors.New("not supported here")

	// ErrPermission is returned when an operation needs more privileges. The error that
	// wraps it says which, and how to get them, on one line.
	ErrPermission = errors.New("not permitted")

	// ErrForeign is returned when a service, or a folder, of this name belongs to another
	// program.
	ErrForeign = errors.New("belongs to another program")

	// ErrBusy is returned while another process installs or uninstalls the same service.
	ErrBusy = errors.New("another command is changing the service")

	// ErrUnsafe is returned when other users can write to the executable, or to a folder
	// above it: they could have the service run their own code.
	ErrUnsafe = errors.New("other users can write there")
)
