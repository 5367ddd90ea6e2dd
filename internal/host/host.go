// Package host defines what a run knows about its surroundings. A host translates what its
// manager says into requests, and the states of the run into messages to the manager. Hosts
// never talk to the program, and the program never talks to hosts.
package host

import (
	"context"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Host represents a manager, a terminal, a source of signals or of orphans. Open, Tell and
// Close are called on one goroutine. They return at once, with two exceptions: Close waits
// for the manager, and Tell waits for it for up to a tenth of a second if s.Precedes returns
// true.
type Host interface {
	// Open makes the host begin to listen. It is called once, before Start.
	Open(Run)

	// Tell reports the state of the run. It is called at each change, and in Starting,
	// Stopping, Pausing and Continuing also at least once a second with a higher checkpoint.
	Tell(Status)

	// Close releases the host. It is called once, after Tell of Stopped. It waits until the
	// manager has been told everything or ctx is done. When it returns, no goroutine and no
	// descriptor of the host is left.
	Close(ctx context.Context)
}

// Watchdog is a Host that expects signs of life from the program.
type Watchdog interface {
	Host

	// Interval returns the longest time between two signs of life before the manager acts.
	// It returns 0 if the manager expects none.
	Interval() time.Duration

	// Alive sends one sign of life. It may be called on any goroutine, concurrently with
	// all other methods, and returns at once.
	Alive()
}

// Signals is a Host whose requests come as signals. The run receives them itself, on the
// goroutine that calls the other methods, so that nothing delays its reaction to a signal.
type Signals interface {
	Host

	// C returns the channel that delivers the signals once the host is open.
	C() <-chan os.Signal

	// RequestFor returns the request that a signal stands for, if any.
	RequestFor(os.Signal) (Request, bool)
}

// Starter is a Host whose manager may pass arguments to a start.
type Starter interface {
	Host

	// Args returns the arguments. It may be called as soon as the host exists.
	Args() []string
}

// Run gives a host access to the run. Its functions may be called on any goroutine and,
// except Check, return at once.
type Run struct {
	Post   func(Request)
	Notify func(Event) bool // passes an event to the program; returns false if the program cannot take it now
	Warn   func(msg string, fields ...zap.Field)
	Debug  func(msg string, fields ...zap.Field)

	// Check asks the program whether it is healthy, and waits for the answer until ctx ends.
	// It returns nil if the program is healthy, cannot tell, or cannot be asked now.
	Check func(ctx context.Context) error

	CanPause, CanNotify bool // the program is a Pauser, a Notified

	Preshutdown bool // accept PRESHUTDOWN instead of SHUTDOWN, on Windows

	KeepChildren bool // let child processes outlive this one where the host would end them

	LevelControls bool // let SIGUSR1, SIGUSR2 and user-defined controls change the log level
}

// Action identifies what a request asks for.
type Action uint8

// The actions.
const (
	Stop        Action = iota
	Reload             // read the configuration again
	Pause              // stop serving, stay in memory
	Continue           // serve again
	Force              // stop without waiting any longer
	MoreVerbose        // log more, by one level
	LessVerbose        // log less, by one level
)

// Request holds what a host asks of the run.
type Request struct {
	Action  Action
	Trigger string        // for Stop: one of the triggers
	Detail  string        // the cause in the platform's own words: "SIGTERM"
	Hint    string        // for Stop: advice for a person at the terminal
	Budget  time.Duration // for Stop: the most time that it may take; 0 means as configured
	Signal  int           // for Force: the exit code is 128 + Signal
}

// The triggers of hosts. Package daemon defines their public names.
const (
	TriggerStop         = "stop"
	TriggerShutdown     = "shutdown"
	TriggerPreshutdown  = "preshutdown"
	TriggerInterrupt    = "interrupt"
	TriggerTerminate    = "terminate"
	TriggerHangup       = "hangup"
	TriggerConsoleClose = "console close"
)

// Kind identifies what an event is about.
type Kind uint8

// The kinds.
const (
	SessionChange Kind = iota
	PowerEvent
	TimeChange
	UserControl
)

// Event describes something that happened on the system. Package daemon translates it into
// one of its public types.
type Event struct {
	Kind     Kind
	Code     uint32    // the type of a session or power event, the code of a user-defined control
	Session  uint32    // the ID of the session, for a session event
	New, Old time.Time // the times of a time change

	// Done, if not nil, is called after the program has handled the event, or when it is
	// certain that the program will never get it. It returns at once. It is not called for
	// an event that Run.Notify refused.
	Done func()
}

// Status describes the run for its managers.
type Status struct {
	State      lifecycle.State
	Checkpoint uint32        // rises while the state is pending, 0 in other states
	Left       time.Duration // in pending states: the most time until they end
	Reason     string        // in Stopping and Stopped: why the run stops
	Trigger    string        // in Stopping and Stopped: the trigger of the first reason
	Err        error         // in Running: how the last reload failed; in Stopping and Stopped: how the run failed
	Code       int           // in Stopped: the exit code
}

// Socket holds a descriptor that a manager has passed to this process.
type Socket struct {
	Name string // the manager's name for it; several may have the same
	File *os.File
}

// Env describes the surroundings of a run. Tests provide their own.
type Env struct {
	Hosts []Host
	Exit  func(code int)
	Own   bool   // the process belongs to the run: its standard error, its log and its crash text
	SCM   bool   // the Windows service control manager started the process
	Dir   string // the working directory to change to, "" to keep the current one

	Managed bool // systemd started the process, and waits as long as its unit says

	Sockets []Socket // passed by the manager; the run owns them
	Untaken error    // why the descriptors that the manager passed were not accepted

	// Folder returns the folder below which the program has all its folders. If it is nil,
	// they are in the usual places. It is called when the program asks for them.
	Folder func() string
}

// Close closes the sockets.
func (e Env) Close() {
	for _, s := range e.Sockets {
		_ = s.File.Close()
	}
}

// Enter changes to the working directory Dir.
func (e Env) Enter() error {
	if e.Dir == "" {
		return nil
	}
	return os.Chdir(e.Dir)
}

type envKey struct{}

// NewContext returns a context that makes a run use env.
func NewContext(ctx context.Context, env Env) context.Context {
	return context.WithValue(ctx, envKey{}, env)
}

// FromContext returns the Env that NewContext put into ctx.
func FromContext(ctx context.Context) (Env, bool) {
	env, ok := ctx.Value(envKey{}).(Env)
	return env, ok
}
