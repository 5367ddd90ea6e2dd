// Package control is what the tests and their agent, which runs on Windows, say to
// one another: one net/rpc service, Manager, over the agent's standard input and
// output.
package control

import "time"

// Service is what CreateService makes a service of.
type Service struct {
	Name, Path string
	Args       []string
}

// Start is a call of StartService.
type Start struct {
	Name string
	Args []string
}

// Control is a call of ControlService.
type Control struct {
	Name string
	Code uint32
}

// Answer is what a call of the manager has come to: the Win32 error, 0 for none, and
// the status that it has returned.
type Answer struct {
	Errno  uint32
	Status Status
}

// Status is SERVICE_STATUS_PROCESS.
type Status struct {
	State, Accepted        uint32
	ExitCode, SpecificCode uint32
	CheckPoint             uint32
	WaitHint               time.Duration
	PID                    uint32
}

// Await is a wait for a state.
type Await struct {
	Name  string
	State uint32
	Bound time.Duration
}

// Storm sends controls, one after the other, round and round.
type Storm struct {
	Name  string
	Codes []uint32
	Times int
}

// Stormed is how a storm went.
type Stormed struct {
	Took   []time.Duration // how long each call of ControlService took
	Errnos map[uint32]int  // how often which one came
}

// Preshutdown sets SERVICE_PRESHUTDOWN_INFO.
type Preshutdown struct {
	Name    string
	Timeout time.Duration
}
