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

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// Config configures a run: what the program is called, how long it may take, where it logs,
// how it is installed. Only Name is required.
type Config struct {
	// Name is the name of the service: letters, digits, '.', '_' and '-', beginning with a
	// letter or digit, at most 200 bytes.
	Name string

	// DisplayName is the name for people, Name if empty. Description says in one line what
	// the program does.
	DisplayName, Description string

	// Version is printed by the command version. If empty, it is the version of the main
	// module that Go has built in.
	Version string

	// StartTimeout is how long Start may take, 1 minute if zero. No duration of a Config may
	// be longer than 365 days.
	StartTimeout time.Duration

	// StopTimeout is how long the whole way down may take, including the drain delay. A
	// second later the run gives up, see [Run]. Some triggers allow less, for example
	// closing a console on Windows.
	//
	// If zero, it is 30 seconds, except where a container runtime kills earlier: 25 seconds
	// in Kubernetes (KUBERNETES_SERVICE_HOST is set), whose default grace period is 30
	// seconds, and 8 seconds as PID 1 elsewhere, such as in Docker and podman, whose grace
	// period is 10 seconds. For any other grace period, set StopTimeout to 2 seconds less:
	// terminationGracePeriodSeconds, less what a preStop hook takes, docker stop --timeout,
	// or stop_grace_period. A container with an init of its own, as with docker run --init,
	// is not detected: set StopTimeout to 8 seconds. What install configures does not depend
	// on where install runs.
	StopTimeout time.Duration

	// DrainDelay is how long the program goes on serving after it has begun to stop, if it
	// was ready and has not finished. Meanwhile load balancers learn that it is not ready
	// any more. DrainDelay is a part of StopTimeout. If a trigger, or the default in a
	// container, allows less time, it is cut in proportion.
	//
	// If zero, there is no delay, except in Kubernetes: 5 seconds, at most half of
	// StopTimeout. If a preStop hook waits already, set it to 1 ns, which is no delay.
	DrainDelay time.Duration

	// Logger is used by the program and by this package. If nil, logs go where the host
	// keeps them: see the package documentation. It must not write to the standard log or
	// to slog.Default, because both lead to it.
	Logger *zap.Logger

	// LogAlso gets each record as well, if Logger is nil. With daemon/logfile it is a file
	// in addition to the host's log. It gets no record below the level of the log.
	LogAlso []zapcore.Core

	// LogKeys selects the names in the lines of JSON on standard output, KeysGlidepath if
	// empty. The variable LOG_KEYS overrides it.
	LogKeys logkeys.Keys

	// TraceIDs returns the trace and the span that a context belongs to, as hexadecimal
	// digits, or empty strings. They are added to the records of slog calls with a context
	// (slog.InfoContext), and to records with the field [Trace]: in JSON under the names of
	// LogKeys, in the journal as TRACE_ID and SPAN_ID, elsewhere as trace_id and span_id.
	// With OpenTelemetry:
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

	// MaxLogLine limits the lines of JSON on standard output: each line, including its
	// newline, has fewer bytes. If zero, it is 16 KiB, at which container runtimes split
	// lines. The minimum is 4 KiB. A negative value means no limit.
	//
	// If a record is longer, its longest texts are cut. If that is not enough, whole fields
	// are left out. The field cut lists them, each with the number of its bytes. The time,
	// the level and the message stay; a message is cut at a third of a line.
	MaxLogLine int

	// LogLevel is the level of the log, info if it is the zero value. Before Start, and
	// whenever an operator asks for it, the run sets it to what the operator has configured:
	// see the package documentation. A Logger has a level of its own, which the run can
	// change only if it is this one.
	LogLevel zap.AtomicLevel

	// KeepLevel leaves SIGUSR1 and SIGUSR2, and the controls 254 and 255 of Windows, to the
	// program. Otherwise they change the level of the log.
	KeepLevel bool

	// Host says where the process runs. If empty, it is detected: a Windows service is a
	// process started by the SCM, a systemd service is one that systemd itself has
	// executed (SYSTEMD_EXEC_PID is its own PID), and everything else is HostConsole.
	//
	// A process that a service starts inherits its environment, for example a shell in a
	// terminal that is a service. It also counts as HostConsole: it still reports to
	// NOTIFY_SOCKET, but a second interrupt at its terminal forces it to stop.
	//
	// Set HostSystemd for a program that a unit starts by a wrapper that waits for it, as in
	// ExecStart=sh -c 'prog; true'. Then no signal counts as that of a person, and with
	// NotifyAccess=all the program becomes the main process of the unit. A wrapper that
	// ends in exec needs neither. Set HostConsole to ignore NOTIFY_SOCKET.
	Host Host

	// ReapOrphans makes the run reap descendants of the process whose parents have ended
	// before them. The process becomes a child subreaper (prctl(2)) for the time of the run.
	// Only Linux has this. PID 1 gets orphans anyway and always reaps them: in a container
	// without an init they would stay zombies, until no process can be started any more.
	//
	// The run never takes the status of a child that was started with os/exec or
	// os.StartProcess, however late the program waits for it: package os keeps a pidfd for
	// it, and the run does not reap a process to which a descriptor refers. After Release,
	// or when the os.Process is garbage, a child counts as an orphan. The program has to
	// wait for a child that was started by other means (syscall.ForkExec, C) within a second
	// of its end. An orphan is reaped within a few seconds.
	//
	// Where package os has no pidfds (before Linux 5.4, or where a seccomp filter forbids
	// them), or there is no /proc, nothing is reaped. If this field is set, a warning in the
	// log says so.
	ReapOrphans bool

	// Windows has the settings that only a service of Windows has.
	Windows Windows

	// Service says how the program is installed.
	Service service.Config

	// Args is the part of the command line in which Main looks for a command, for a program
	// that parses flags of its own: flag.Args(), after flag.Parse. The arguments before it
	// are those that an installed service is run with. If nil, Main looks for a command
	// itself.
	Args []string
}

// Windows configures a service of Windows. Other systems ignore it.
type Windows struct {
	// Preshutdown requests SERVICE_CONTROL_PRESHUTDOWN at a shutdown of the system, which
	// arrives before other services are stopped, instead of SERVICE_CONTROL_SHUTDOWN. The
	// system waits for the service as long as Service.Windows.PreshutdownTimeout. It is for
	// programs that would lose data otherwise.
	Preshutdown bool

	// KeepDirectory leaves the working directory at System32, where the service control
	// manager starts a service. Otherwise the run changes to the folder of the executable
	// before Start.
	KeepDirectory bool

	// KeepChildren leaves processes that the service has started running when it ends, as
	// systemd does with KillMode=process. Otherwise they are killed when the process of the
	// service ends, for whatever reason: before Start the run puts the process into a job
	// object with JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE. To let a single process outlive the
	// service, such as an updater or the command restart of the service itself, start it
	// with CREATE_BREAKAWAY_FROM_JOB. Programs that the service control manager runs as a
	// recovery action are not affected.
	KeepChildren bool
}

const (
	defaultStartTimeout = time.Minute
	defaultStopTimeout  = 30 * time.Second

	maxName    = 200
	maxTimeout = 365 * 24 * time.Hour
)

// complete checks c and fills in the defaults for a run at this place.
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

// check returns an error for every field that is wrong, joined.
func (c Config) check(p Program) error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s %s", ErrConfig, field, fmt.Sprintf(format, args...)))
	}
	if f, ok := p.(function); p == nil || ok && f == nil {
		wrong("Program", "is nil: pass the program to run")
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
		wrong("Config.LogKeys", "is %q: want one of %s, or nothing for %s", c.LogKeys, strings.Trim(fmt.Sprint(all), "[]"), logkeys.Glidepath)
	}
	switch c.Host {
	case "", HostConsole, HostSystemd, HostSCM:
	default:
		wrong("Config.Host", "is %q: want %q, %q or %q, or nothing to detect it", c.Host, HostConsole, HostSystemd, HostSCM)
	}
	stop := c.StopTimeout
	if stop == 0 {
		stop = defaultStopTimeout
	}
	if stop > 0 && c.DrainDelay >= stop {
		wrong("Config.DrainDelay", "is %s: want less than Config.StopTimeout, which is %s and includes it", c.DrainDelay, stop)
	}
	return errors.Join(errs...)
}

// badName returns what is wrong with the name of a service, "" if nothing is. Every manager
// accepts the names that pass: as a unit, a service key, a label, a file name.
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
			return fmt.Sprintf("is %q: want a letter or a digit at the beginning", name)
		case !alphanumeric && r != '.' && r != '_' && r != '-':
			return fmt.Sprintf("is %q: some managers do not allow %q; want letters, digits, '.', '_' and '-'", name, r)
		}
	}
	return ""
}
