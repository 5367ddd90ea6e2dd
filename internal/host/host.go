// Package host is what a run knows of where it runs. A host turns what its
// manager says into requests, and the states of the run into what its manager
// wants to hear. Hosts never talk to the program, the program never to hosts.
package host

import (
	"context"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Host is a manager, a terminal, a source of signals or of orphans. Open, Tell and Close are
// called on one goroutine, and return at once, except that Close waits for the manager,
// and Tell for up to a tenth of a second where s.Precedes.
type Host interface {
	// Open begins to listen. It is called once, before Start.
	Open(Run)

	// Tell says which state the run is in: at each change, and in Starting, Stopping,
	// Pausing and Continuing again at least once a second with a higher checkpoint.
	Tell(Status)

	// Close is called once, after Stopped was told. When it returns, the manager
	// has heard all, or ctx is done, and nothing of the host is left.
	Close(ctx context.Context)
}

// Watchdog is a Host that wants to hear that the program is well.
type Watchdog interface {
	Host

	// Interval is how long the manager waits between two signs of life before it
	// acts. 0 means that it does not wait for any.
	Interval() time.Duration

	// Alive passes on one sign of life. It may be called on any goroutine, beside
	// all other methods, and returns at once.
	Alive()
}

// Signals is a Host whose requests come as signals. The run receives them itself,
// on the goroutine that calls the other methods: nothing lies between a signal and
// what follows from it.
type Signals interface {
	Host

	// C is where they come from, once the host is open.
	C() <-chan os.Signal

	// On says what a signal asks for, if it asks for anything.
	On(os.Signal) (Request, bool)
}

// Starter is a Host whose manager may give arguments to a start.
type Starter interface {
	Host

	// Args is what they are, once the host exists.
	Args() []string
}

// Run is the run as its hosts see it. Its functions may be called on any goroutine
// and return at once.
type Run struct {
	Post   func(Request)
	Notify func(Event) bool // hand e to the program; false if it cannot take it now
	Warn   func(msg string, fields ...zap.Field)
	Debug  func(msg string, fields ...zap.Field)

	// Check has the program say what is wrong with it: nil if it is well, if it cannot
	// tell, or if it is not its time to. Unlike the others it waits, but not longer than ctx.
	Check func(ctx context.Context) error

	CanPause, CanNotify bool // the program is a Pauser, a Notified

	Preshutdown bool // PRESHUTDOWN instead of SHUTDOWN, where there is such a thing

	KeepChildren bool // processes that this one has started may outlive it, where that is not so in any case

	LevelControls bool // SIGUSR1 and SIGUSR2, and user-defined controls, step the level of the log
}

// Action is what is asked for.
type Action uint8

// The actions.
const (
	Stop        Action = iota
	Reload             // read the configuration anew
	Pause              // stop serving, stay in memory
	Continue           // serve again
	Force              // do not wait any longer
	MoreVerbose        // log more, by one level
	LessVerbose        // log less
)

// Request is what a host asks of the run.
type Request struct {
	Action  Action
	Trigger string        // one of the triggers, for Stop
	Detail  string        // what it was in the words of the platform: "SIGTERM"
	Hint    string        // for Stop: what a person may want to know
	Budget  time.Duration // for Stop: how long there is at the most; 0 means as configured
	Signal  int           // for Force: the exit code is 128 + Signal
}

// The triggers that hosts know. Package daemon gives them their public names.
const (
	TriggerStop         = "stop"
	TriggerShutdown     = "shutdown"
	TriggerPreshutdown  = "preshutdown"
	TriggerInterrupt    = "interrupt"
	TriggerTerminate    = "terminate"
	TriggerHangup       = "hangup"
	TriggerConsoleClose = "console close"
)

// Kind is what an event is about.
type Kind uint8

// The kinds.
const (
	SessionChange Kind = iota
	PowerEvent
	TimeChange
	UserControl
)

// Event is something that has happened on the system. Package daemon makes one of
// its public types of it.
type Event struct {
	Kind     Kind
	Code     uint32    // the type of a session or power event, the code of a user-defined control
	Session  uint32    // of a session event
	New, Old time.Time // of a time change

	// Done, if not nil, is called when the program has returned from it, or will never
	// see it. It returns at once. What was not taken was not handed over.
	Done func()
}

// Status is the run as its managers may know it.
type Status struct {
	State      lifecycle.State
	Checkpoint uint32        // rises while the state is pending, 0 in others
	Left       time.Duration // in pending states: until they end by themselves, at the latest
	Reason     string        // in Stopping and Stopped: why
	Trigger    string        // in Stopping and Stopped: one of the triggers, that of the first reason
	Err        error         // in Running: how the last reload failed; in Stopping and Stopped: how the run has failed
	Code       int           // in Stopped: the exit code
}

// Socket is a descriptor that a manager has handed over.
type Socket struct {
	Name string // as the manager calls it; several may have the same
	File *os.File
}

// Env is where a run runs. Tests have one of their own.
type Env struct {
	Hosts []Host
	Exit  func(code int)
	Own   bool   // the process is the run's: what it says and logs, and what is left of it
	SCM   bool   // the service control manager of Windows has started it
	Dir   string // what the working directory is to be, "" if it stays

	Managed bool // systemd has started it, and waits for as long as its unit says

	Sockets []Socket // the run's from now on
	Untaken error    // why what was handed over was not taken

	// Folder is below what the program has its folders; nil means where the machine
	// has them. It is called when the program asks for them.
	Folder func() string
}

// Close closes what nobody has asked for.
func (e Env) Close() {
	for _, s := range e.Sockets {
		_ = s.File.Close()
	}
}

// Enter changes to the working directory.
func (e Env) Enter() error {
	if e.Dir == "" {
		return nil
	}
	return os.Chdir(e.Dir)
}

type envKey struct{}

// NewContext returns a context under which a run uses env.
func NewContext(ctx context.Context, env Env) context.Context {
	return context.WithValue(ctx, envKey{}, env)
}

// FromContext returns what NewContext has put into ctx.
func FromContext(ctx context.Context) (Env, bool) {
	env, ok := ctx.Value(envKey{}).(Env)
	return env, ok
}
