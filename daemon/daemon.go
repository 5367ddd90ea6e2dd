// Package daemon runs a program as a service: of Windows, under systemd and other
// managers, on a terminal, in a container. Whatever asks it to stop (a signal, a
// console event, a control code, its own failure, a context) takes the same one way
// down.
//
//	type server struct{ … }
//
//	func (s *server) Start(ctx context.Context) error { … } // returns when it serves
//	func (s *server) Stop(ctx context.Context) error { … }  // returns when it has let go
//
//	func main() { daemon.Main(&server{}, daemon.Config{Name: "server"}) }
//
// # The order of calls
//
//  1. Start. Ready is reported when it has returned nil, never before.
//  2. Reload any number of times, if the program is a [Reloader], and Pause and
//     Continue in turn, if it is a [Pauser]; at the same time as anything else, Check
//     if it is a [Checker], and Notify if it is a [Notified].
//  3. The first reason to stop is kept and logged, the manager is told, and
//     nothing else can begin any more.
//  4. After Config.DrainDelay, if there is one, the context that Start got ends.
//     Its cause is the [Reason]. A Reload that is under way gets the same at once,
//     and is waited for.
//  5. Stop, exactly once, if and only if Start returned nil. Its context carries
//     the deadline.
//  6. The goroutines that were started with [Go] are waited for.
//  7. Close, exactly once, if the program is a [Closer] and Start returned nil. Its
//     context has the same deadline.
//  8. The log is flushed, and the manager is told the end with the exit code.
//
// At the deadline the contexts of Stop and Close end. One second later all that still
// runs is given up: what the goroutines are doing goes to the log, and the process exits
// within half a second, whatever the program does. It is a quarter of a second where the
// deadline is that of the trigger, a shutdown of Windows or the end of its console, which
// kills the process within a second after that. Start, Reload, Pause, Continue, Stop and
// Close never run at the same time.
//
// A program ends itself with [Finish] when its work is done, and with [Fail] when it
// cannot go on.
//
// As a service of Windows, a stop that the manager asked for ends with exit code 0 for the
// manager, whatever fails on the way down: after any other code the recovery actions would
// start the service again. The failure is in the log and in what Run returns, and the
// commands stop, status and doctor tell of it. A failure that comes before the stop keeps its
// code.
//
// # The log
//
// Where Config.Logger is nil, [Logger] logs where the host keeps logs:
//
//	systemd (standard error leads to     the journal, by its own protocol: fields are fields,
//	the journal)                         the run's records have MESSAGE_IDs
//	a service of Windows                 the Event Log, with Config.Name as the source, which
//	                                     install registers, and an event id for each event
//	a terminal                           standard error, aligned, in colour unless NO_COLOR is set
//	SysV, OpenRC, rc.d, procd            syslog, facility daemon, in a service that install made
//	anything else: a container, a pipe   standard output, one JSON object a line
//
// A field of a record is a field of the journal by the same name in upper case, with _ for what
// is no letter or digit: request.id is REQUEST_ID. One whose name is systemd's or the record's
// own, or begins with a digit or _, has FIELD_ before it (FIELD_MESSAGE); in JSON such a one is
// field_msg. A line of JSON is shorter than 16 KiB (Config.MaxLogLine); what is cut of a record
// is listed in its field cut. The names in it can be those of ECS, OpenTelemetry or Google Cloud
// ([LogKeys]; operators set LOG_KEYS), and records carry the IDs of a trace (Config.TraceIDs). LOGGED_AT is the time of a record that journald took late, MORE_FIELDS what is
// beyond 900 fields, FULL_MESSAGE a message of more than 4 KiB, of which MESSAGE has the beginning. journalctl shows messages alone: those of warnings, of what is worse and of
// the run's own events have the fields behind them as text. In the Event Log a record is text
// with a field a line, and the fields as JSON; its descriptions come from EventCreate.exe, which
// each Windows has, so that nothing has to be linked or kept for them. On macOS a datagram to
// syslog does not arrive any more since version 12: launchd has the lines in the service's file.
//
// The variable LOG_TARGET has it otherwise: journal, prefixed (lines for the journal, with
// <N> before each), eventlog, terminal, syslog or json. Records that the host does not
// take at once wait in at most 8 MiB of memory, in order, with those of the run ahead. No call
// waits longer than a tenth of a second (at panic level and above a quarter), and none while the
// host takes nothing. On the way down they are sent as long as the host takes them; what is lost
// is counted, and told in the log, or on standard error if the log takes nothing any more. A Logger or a LogAlso of the program's own may hang or panic: the
// way down goes on without it. While Run runs, [slog.Default] and the standard log lead there too, unless the
// program has led them anywhere else before (a Logger must not lead to them in turn); [SlogHandler] is for more loggers. Files are
// daemon/logfile, in Config.LogAlso; who comes from kardianos/service has daemon/servicelog.
//
// Lines of the standard log have no level: they are logged at info, or at that of
// [slog.SetLogLoggerLevel]. What a program prints before it dies is logged whatever the level
// of the log: log.Fatal at fatal, log.Panic at panic, and what is printed while a goroutine
// panics, as net/http does when a handler has panicked, at error. A record at panic or fatal,
// or above slog.LevelError, is written before the call returns, within a quarter of a second.
//
// The level is that of Config.LogLevel, or what the operator has put into the file log-level
// in the configuration folder (see [Directories]) or, where there is none or it is empty, into
// LOG_LEVEL: debug,
// info, warn or error. It is read before Start is called, and before each reload, which also has a log file
// opened anew for logrotate, also of a program that is no Reloader. SIGUSR1 and control 254 of Windows step it towards debug, SIGUSR2
// and control 255 towards error (systemctl kill --kill-whom=main -s USR1 web; sc control web 254).
// With DEBUG_INVOCATION=1, as from systemd's RestartMode=debug, it begins at debug.
//
// The last record of each run, "stopped", is its report: the exit code, what asked it to stop, how
// long it ran and each phase took (start, drain, stop, wait, close), what overran its time, how many
// failures there were, if more than one, and how many records were lost. Its level is info.
//
// A crash that no code can catch (a panic on a goroutine of the program's own, concurrent
// writes to a map) leaves its text in the folder crash in State of a service, for its owner
// only, the newest ten: the next run logs it and cuts it to 1 MiB, and doctor tells of it for a
// week, or until the file is removed or the executable replaced. A run that was killed, or whose
// program has called os.Exit or Fatal, leaves no text, and the next one says so.
package daemon

import "context"

// Program is a long-running program: what you write. Its methods are called on
// goroutines of their own, never two of them at once except Check and Notify. A panic
// in one is a failure of the program, not of the process: the way down is the same. So is
// a method that ends its goroutine (runtime.Goexit).
//
// Further abilities that a program may have are interfaces of their own: [Closer],
// [Reloader], [Pauser], [Checker] and [Notified].
type Program interface {
	// Start returns nil when the program is ready to serve. Work that goes on is
	// done on goroutines, best started with [Go].
	//
	// Its context lives as long as the program is to run, also after Start has
	// returned. It ends the moment stopping begins, or after the drain delay if
	// there is one, with the [Reason] as its cause; it also ends when
	// Config.StartTimeout has passed before Start returned.
	//
	// An error fails the program: Stop and Close are not called, so Start has to let
	// go of what it has taken. If a stop was asked for during Start and the error says
	// only that, in the sense of [Go], the program has stopped as asked.
	Start(ctx context.Context) error

	// Stop ends what Start has begun. It is called exactly once, if and only if
	// Start returned nil, after the context of Start has ended. The goroutines of [Go]
	// may still run: what they use until their end is for the Close of a [Closer].
	//
	// Its context ends at the stop deadline; Stop must not outlive that by more
	// than a second. An error fails the program.
	Stop(ctx context.Context) error
}

// Closer is a Program whose goroutines use something until their end: a database, a
// connection to a broker, a file. Start opens it, Stop has the goroutines come to their
// end, and Close lets go of it when the last of them has returned.
type Closer interface {
	Program

	// Close is called once, if and only if Start returned nil: after Stop and after
	// the last goroutine of [Go], or after Stop alone if there is none. It is not
	// called if what still runs was given up a second after the stop deadline.
	//
	// Its context ends at the stop deadline, which is that of the whole way down; it
	// has ended already if Stop and the goroutines have used all of it. Close must
	// not outlive the deadline by more than a second. An error fails the program. Go
	// starts nothing any more.
	Close(ctx context.Context) error
}

// Reloader is a Program that can read its configuration anew. On Unix, SIGHUP asks
// for it, as do the reload commands of service managers.
type Reloader interface {
	Program

	// Reload is called while the program runs, never before Start has returned nil,
	// and never at the same time as another method except Check and Notify. When it is
	// asked for meanwhile, it is called once more. On an error the program goes on with
	// what it had: the error is logged, and systemctl status shows it. systemctl reload
	// succeeds all the same, for systemd knows no reload that fails. Reload has no
	// deadline of its own; systemd considers one that lasts longer than TimeoutStartSec
	// as failed.
	//
	// Each call has a context of its own, which lives as long as that of Start. But if a
	// Reload is under way when stopping begins, its context ends at that moment, and
	// Stop is called after Reload has returned.
	Reload(ctx context.Context) error
}

// Pauser is a Program that can stop serving for a while and stay in memory. The
// Windows service control manager asks for it (SERVICE_CONTROL_PAUSE and
// SERVICE_CONTROL_CONTINUE). The contexts are as for Reload. For Config.StopTimeout
// the manager hears that the call goes on; then it may take the program for hung.
type Pauser interface {
	Program

	// Pause is called while the program runs; when it is asked for during a Reload,
	// after that. After an error, which is logged, the program goes on running.
	Pause(ctx context.Context) error

	// Continue is called while the program is paused. After an error it stays
	// paused.
	Continue(ctx context.Context) error
}

// Checker is a Program that can tell whether it is alive: whether it works, or has
// to be restarted. It must not depend on anything outside of the program, which a
// restart would not mend.
type Checker interface {
	Program

	// Check returns nil if the program is well, and an error only if a restart would
	// help. It is called from the end of Start until the context of Start ends,
	// beside Reload, Pause and Continue, but never twice at the same time: at half the
	// interval of the manager's watchdog, if that has one (under systemd, WatchdogSec), and
	// when somebody asks with the command status, as a health check of a container does.
	// The manager hears of it only when Check returns nil; it acts, as a rule by ending the
	// process, when it hears nothing for the whole interval. status prints the error. A
	// panic fails the program at once.
	//
	// The context ends after half the interval, after 5 seconds where there is no watchdog,
	// or with that of Start. A Check that ignores it holds up the way down, as a goroutine
	// of Go would.
	Check(ctx context.Context) error
}
