// Package talk is what the tests of the command line and the program that they install
// say to one another. The tests tell it in its environment what it is, as another
// program would have it compiled in; the program writes what it has got into files in
// its state directory.
package talk

import "time"

// Variable is the environment variable with a [Setup], as JSON. The program hands it
// on to the service that it installs: in the environment, or, on Windows, as the first
// argument, with SetupFlag before it, for the service control manager of Wine passes no
// environment on.
const (
	Variable  = "ECHO_SETUP"
	SetupFlag = "--setup="
)

// Setup is what the program is.
type Setup struct {
	Name        string
	Description string `json:",omitempty"`
	Parser      Parser

	// These are fields of service.Config.
	Arguments   []string          `json:",omitempty"`
	Environment map[string]string `json:",omitempty"`
	Directory   string            `json:",omitempty"`

	EnvironmentFile string `json:",omitempty"`

	Account   string   `json:",omitempty"`
	Template  bool     `json:",omitempty"`
	Sockets   []Socket `json:",omitempty"`
	StartType string   `json:",omitempty"`
	Never     bool     `json:",omitempty"` // Recovery.Never

	// What it does.
	StopTimeout time.Duration `json:",omitempty"` // Config.StopTimeout
	FailStart   string        `json:",omitempty"` // "error", "config", "panic", or the exit code of the process
	Finishes    bool          `json:",omitempty"` // as soon as it has started
	HangInStop  bool          `json:",omitempty"` // for longer than it has time
	CrashAfter  time.Duration `json:",omitempty"` // exit code 9, so long after Start
	NoReload    bool          `json:",omitempty"` // it is no Reloader
	Pauses      bool          `json:",omitempty"` // it is a Pauser
	Talks       bool          `json:",omitempty"` // each reload logs a [Talk] too
}

// Talk is what a talkative program logs, at each level and in this order. The last has a
// field "text" with the [Lines], and one "long" with as many x as Long says.
var Talk = []string{"talks debug", "talks info", "talks warn", "talks error"}

// Lines are lines that no log may take for others.
const Lines = "one\n<0>two\n\tthree"

// Long is more than a syslogd with little memory takes at once.
const Long = 1500

// Socket is a service.Socket. The program greets who connects with the socket's name
// and its own PID, in one line.
type Socket struct{ Name, Network, Address string }

// Parser is what looks at the command line before daemon.Main does.
type Parser string

// The parsers.
const (
	Flag Parser = "flag" // package flag: -word VALUE, as often as one likes, and -quiet
	Own  Parser = "own"  // of the program itself: KEY=VALUE
	None Parser = "none" // nothing does: Config.Args is nil
)

// Given is what the service has got. It is in the file [GivenFile] in its state
// directory from before Start returns.
type Given struct {
	Args []string          // with the executable
	Env  map[string]string // all of it
	Dir  string            // where it runs
	PID  int
	UID  int    // -1 on Windows
	User string // as the system calls it
	Quit bool   // Stop has returned

	Reloads int // of this process
	Stops   int // how often Stop was called, over the life of the state directory
}

// GivenFile is the file with the [Given].
const GivenFile = "given.json"
