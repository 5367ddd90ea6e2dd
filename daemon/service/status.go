package service

import "time"

// Status is what the service manager, and the process itself, report about a service.
type Status struct {
	State State

	PID       int       // 0 if no process runs
	Since     time.Time // when the service entered this state; zero if unknown
	StartType StartType // "" if the manager does not report it
	ExitCode  int       // of the last run, in states Stopped and Failed; -1 if unknown
	Detail    string    // the manager's own words on one line, such as "Result=watchdog"; "" if none
	Restarts  int       // restarts by the manager since the service was last started

	// Silent is true in state Failed if the manager knows only that the process ended by
	// itself, with whatever exit code.
	Silent bool

	// LastFailure says, in state Stopped, how the last run failed if the manager does not
	// know: Windows is not told about failures after a stop that it asked for. It is empty if
	// the run did not fail, or if the caller may not read the service's state folder.
	LastFailure string

	// Unhealthy says what is wrong with a program that runs: the error of its Check, or that
	// the process does not answer. It is empty if nothing is wrong, or if the process could
	// not be asked; processes answer on Linux and Windows.
	Unhealthy string
}

// State is the state of a service.
type State string

// The states. A service that waits for a restart after a failure is Failed.
const (
	NotInstalled State = "not installed"
	Stopped      State = "stopped"
	Starting     State = "starting"
	Running      State = "running"
	Reloading    State = "reloading"
	Pausing      State = "pausing"
	Paused       State = "paused"
	Continuing   State = "continuing"
	Stopping     State = "stopping"
	Failed       State = "failed" // it ended, and not because it was asked to
	Unknown      State = "unknown"
)
