package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// Config says what the program is called and how long it may take. Only Name is
// needed.
type Config struct {
	// Name is what the service is called: letters, digits, '.', '_' and '-',
	// beginning with a letter or digit, at most 200 bytes.
	Name string

	// DisplayName is what people read, Name if empty. Description says in one line
	// what the program does.
	DisplayName, Description string

	// Version is what the command version prints; if empty, the version of the
	// main module that Go has built in.
	Version string

	// StartTimeout is how long Start may take, 1 minute if zero. No duration here may
	// be longer than 365 days.
	StartTimeout time.Duration

	// StopTimeout is how long the whole way down may take, the drain delay included. A
	// second later the run gives up, see [Run]. Some triggers allow less, as a console
	// that is closed on Windows.
	//
	// If zero, it is 30 seconds, except where a container runtime kills earlier than
	// that: 25 seconds in Kubernetes (KUBERNETES_SERVICE_HOST is set), whose default
	// grace is 30 seconds, and 8 seconds as PID 1 elsewhere, as in Docker and podman,
	// whose grace is 10 seconds. Set it to 2 seconds less than any other grace:
	// terminationGracePeriodSeconds, less what a preStop hook takes, docker stop
	// --timeout, or stop_grace_period. A container that has an init of its own, as with
	// docker run --init, is not detected: set it to 8 seconds. What install configures a
	// manager for never depends on where install runs.
	StopTimeout time.Duration

	// DrainDelay is how long the program goes on serving after it has begun to
	// stop, if it was ready and has not finished: until those that send it work have
	// heard that it is not ready any more. It is a part of StopTimeout, and cut in proportion where
	// a trigger, or the default in a container, allows less than that. If zero, there is none, but in Kubernetes it
	// is 5 seconds, at most half of StopTimeout; where a preStop hook waits already,
	// 1 ns is none.
	DrainDelay time.Duration

	// Logger is where the program and this package log. If nil, it is where the host
	// keeps logs: see the description of this package. It must lead neither to the
	// standard log nor to slog.Default, which lead to it.
	Logger *zap.Logger

	// LogAlso gets each record as well, where Logger is nil: a file beside what the host
	// keeps, with daemon/logfile. One whose level is lower than that of the log goes by
	// that.
	LogAlso []zapcore.Core

	// LogKeys are the names of what is in a line of JSON on standard output,
	// KeysGlidepath if empty. The variable LOG_KEYS overrides it.
	LogKeys LogKeys

	// TraceIDs returns the trace and the span that a context belongs to, as hexadecimal
	// digits, or empty texts. The records of slog calls with a context have them
	// (slog.InfoContext), and those with the field [Trace]: in JSON by the name of
	// LogKeys, in the journal as TRACE_ID and SPAN_ID, elsewhere as trace_id and span_id.
	// With OpenTelemetry it is
	//
	//	TraceIDs: func(ctx context.Context) (string, string) {
	//		s := trace.SpanContextFromContext(ctx)
	//		if !s.IsValid() {
	//			return "", ""
	//		}
	//		return s.TraceID().String(), s.SpanID().String()
	//	}
	//
	// It is called on the goroutine that logs, and must return at once.
	TraceIDs func(ctx context.Context) (traceID, spanID string)

	// MaxLogLine is the number of bytes that a line of JSON on standard output is shorter
	// than, its newline included: 16 KiB if zero, at which container runtimes split lines,
	// and at least 4 KiB. Lines have no bound if it is negative. The longest texts of a
	// record that is longer are cut, and whole fields left out if that is not enough; the
	// field cut lists them, each with the number of its bytes. The time, the level and the
	// message stay; a message is cut at a third of a line.
	MaxLogLine int

	// LogLevel is the level of the log, info if it is the zero value. The run sets it,
	// from before Start on, to what an operator configures, and whenever it is asked to:
	// see the description of this package. A Logger goes by levels of its own: give it
	// this one, or it stays at those.
	LogLevel zap.AtomicLevel

	// KeepLevel leaves to the program SIGUSR1 and SIGUSR2, and the controls 254 and 255
	// on Windows, which else step the level.
	KeepLevel bool

	// Host is where the process runs. If empty, it is detected: a Windows service is a
	// process started by the SCM, a systemd service is one that systemd itself has
	// executed (SYSTEMD_EXEC_PID is its own PID), and everything else is HostConsole.
	//
	// What a service starts in turn inherits its environment, such as a shell in a
	// terminal that is a service, and counts as HostConsole too: it still reports to
	// NOTIFY_SOCKET, but a second interrupt at its terminal forces it to stop. Set
	// HostSystemd for a program that a unit starts by a wrapper which waits for it, as in
	// ExecStart=sh -c 'prog; true': no signal then counts as that of a person, and with
	// NotifyAccess=all the program becomes the main process of the unit. A wrapper that
	// ends in exec needs neither. Set HostConsole to ignore NOTIFY_SOCKET.
	Host Host

	// ReapOrphans makes the run reap the descendants of the process whose parents have
	// ended before them: the process becomes a child subreaper (prctl(2)) while the run
	// goes on. Only Linux has this. PID 1 is given orphans anyway and always reaps them:
	// in a container without an init they would stay zombies, until there is no room for
	// another process.
	//
	// The status of a child that was started with os/exec or os.StartProcess is never
	// taken, however late the program waits for it: package os keeps a pidfd for it, and
	// nothing that a descriptor of the process refers to is reaped. After Release, or when
	// the os.Process is garbage, a child counts as an orphan. A child that was started by
	// other means (syscall.ForkExec, C) has to be waited for within a second of its end. An
	// orphan is reaped within a few seconds. Where package os has no pidfds (before Linux
	// 5.4, or where a seccomp filter forbids them), or /proc is not there, nothing is
	// reaped; a program that has set this field is warned of that in the log.
	ReapOrphans bool

	// Windows is what there is to say of a service of Windows.
	Windows Windows

	// Service is how the program is installed.
	Service Service

	// Args is the part of the command line in which Main looks for a command, for
	// a program that parses flags of its own: flag.Args(), once flag.Parse has been
	// called. What stands before it is what an installed service is run with. If nil,
	// Main looks for a command itself.
	Args []string
}

// Windows is the part of Config that means something only to a service of Windows.
type Windows struct {
	// Preshutdown has the service told of a shutdown of the system by
	// SERVICE_CONTROL_PRESHUTDOWN, before others are stopped, instead of by
	// SERVICE_CONTROL_SHUTDOWN. The system waits for it, 10 s if the service is not
	// configured otherwise (SERVICE_PRESHUTDOWN_INFO): it is for programs that would
	// lose data. PreshutdownTimeout is what install configures; StopTimeout and 2 s if
	// zero.
	Preshutdown        bool
	PreshutdownTimeout time.Duration

	// KeepDirectory leaves the working directory of a service what the service control
	// manager has made it, System32. Without it, it is the executable's folder from
	// before Start on.
	KeepDirectory bool

	// KeepChildren leaves processes that the service has started running when it ends, as
	// systemd does with KillMode=process. Without it, they are killed when the process of
	// the service ends, however that ends: from before Start on it is in a job object with
	// JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE. A process that is to outlive the service, such as
	// an updater, or the command restart of the service itself, can also be started with
	// CREATE_BREAKAWAY_FROM_JOB. Programs that the
	// service control manager runs as a recovery action are not among them.
	KeepChildren bool

	// Dependencies are services that install has started before this one, and groups,
	// with a + before the name, of which one member has to run. They come beside
	// Service.Dependencies.
	Dependencies []string

	// SecurityDescriptor is who may do what with the service, as SDDL. If empty, Windows
	// has its own: administrators everything, users look at it. One that does not give
	// administrators everything, (A;;GA;;;BA), keeps them from installing it again and
	// from uninstalling it.
	SecurityDescriptor string
}

const (
	defaultStartTimeout = time.Minute
	defaultStopTimeout  = 30 * time.Second

	maxName    = 200
	maxTimeout = 365 * 24 * time.Hour
)

// complete checks c and fills in the defaults, for a run at this place.
func (c Config) complete(p Program, at place) (Config, error) {
	if err := c.check(p); err != nil {
		return c, err
	}
	if c.DisplayName == "" {
		c.DisplayName = c.Name
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = defaultStartTimeout
	}
	c.StopTimeout, c.DrainDelay = budgets(c.StopTimeout, c.DrainDelay, at)
	return c, nil
}

func (c Config) check(p Program) error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...)))
	}
	if f, ok := p.(function); p == nil || ok && f == nil {
		wrong("Program", "is nil: give Run the program that it is to run")
	}
	if why := badName(c.Name); why != "" {
		wrong("Config.Name", "%s", why)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"Config.StartTimeout", c.StartTimeout},
		{"Config.StopTimeout", c.StopTimeout},
		{"Config.DrainDelay", c.DrainDelay},
	} {
		if d.value < 0 || d.value > maxTimeout {
			wrong(d.field, "is %s: want a positive duration of at most %s, or zero for the default", d.value, maxTimeout)
		}
	}
	if c.MaxLogLine > 0 && c.MaxLogLine < 4<<10 {
		wrong("Config.MaxLogLine", "is %d: want at least 4096 bytes, zero for 16 KiB, or a negative number for no bound", c.MaxLogLine)
	}
	if all := logtext.AllKeys(); c.LogKeys != "" && !slices.Contains(all, c.LogKeys) {
		wrong("Config.LogKeys", "is %q: want one of %s, or nothing for %s", c.LogKeys, strings.Trim(fmt.Sprint(all), "[]"), KeysGlidepath)
	}
	switch c.Host {
	case "", HostConsole, HostSystemd, HostSCM:
	default:
		wrong("Config.Host", "is %q: want %q, %q or %q, or nothing, and it is found out", c.Host, HostConsole, HostSystemd, HostSCM)
	}
	stop := c.StopTimeout
	if stop == 0 {
		stop = defaultStopTimeout
	}
	if stop > 0 && c.DrainDelay >= stop {
		wrong("Config.DrainDelay", "is %s, but it is a part of Config.StopTimeout, which is %s: nothing would be left for Stop", c.DrainDelay, stop)
	}
	return errors.Join(errs...)
}

// badName says what is wrong with a service's name. What it lets through is legal
// for every manager: as a unit, a service key, a label, a file's name.
func badName(name string) string {
	switch {
	case name == "":
		return `is empty: want a name for the service, such as "web"`
	case len(name) > maxName:
		return fmt.Sprintf("has %d bytes: want at most %d", len(name), maxName)
	}
	for i, r := range name {
		alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		switch {
		case i == 0 && !alphanumeric:
			return fmt.Sprintf("is %q: want a letter or a digit at its beginning", name)
		case !alphanumeric && r != '.' && r != '_' && r != '-':
			return fmt.Sprintf("is %q: %q is not legal everywhere; want letters, digits, '.', '_' and '-'", name, r)
		}
	}
	return ""
}
