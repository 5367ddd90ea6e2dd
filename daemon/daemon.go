// Package daemon runs a program as a service: of Windows, under systemd and other service
// managers, on a terminal, in a container. Whatever asks it to stop (a signal, a console
// event, a control code, its own failure, a context) takes the same one way down.
//
// # Three programs
//
// A server begins to listen in Start, serves on a goroutine, and finishes its requests in
// Stop:
//
//	type server struct{ http http.Server }
//
//	func (s *server) Start(ctx context.Context) error {
//		listener, err := daemon.Listen(ctx, "http", "tcp", "127.0.0.1:8080")
//		if err != nil {
//			return err
//		}
//		daemon.Go(ctx, func(context.Context) error {
//			if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
//				return err // the program fails
//			}
//			return nil
//		})
//		return nil // it serves
//	}
//
//	func (s *server) Stop(ctx context.Context) error {
//		return s.http.Shutdown(ctx) // returns when the last request is answered
//	}
//
//	func main() { daemon.Main(&server{}, daemon.Config{Name: "web"}) }
//
// A worker uses a database until its last moment, so it is a [Closer]: Close is called when
// the goroutine has returned.
//
//	type worker struct{ db *sql.DB }
//
//	func (w *worker) Start(ctx context.Context) (err error) {
//		if w.db, err = sql.Open("postgres", "dbname=orders"); err != nil {
//			return err
//		}
//		daemon.Go(ctx, w.work) // work returns when ctx ends
//		return nil
//	}
//
//	func (w *worker) Stop(context.Context) error { return nil } // the context of work has ended
//
//	func (w *worker) Close(context.Context) error { return w.db.Close() } // work has returned
//
//	func main() { daemon.Main(&worker{}, daemon.Config{Name: "shipping"}) }
//
// A job is a function that returns when its work is done:
//
//	func backup(ctx context.Context, ready func()) error {
//		ready()
//		dump := exec.CommandContext(ctx, "pg_dump", "--file=orders.sql", "orders")
//		dump.Stderr = os.Stderr
//		return dump.Run() // nil: the work is done, and the program stops with exit code 0
//	}
//
//	func main() { daemon.Main(daemon.Func(backup), daemon.Config{Name: "backup"}) }
//
// [Main] also has the commands that install and operate the service: install, start, stop,
// status, logs, doctor and others. [Run] runs the program without them. [Commands] mounts
// them in a command line of your own, and [Manage] offers the same as an API.
//
// # The order of calls
//
//  1. Start. Ready is reported when it has returned nil, never before.
//  2. Reload any number of times, if the program is a [Reloader], and Pause and Continue
//     in turn, if it is a [Pauser]. At the same time as any of these, Check if it is a
//     [Checker], and Notify if it is a [Notified].
//  3. The first reason to stop is kept and logged, the manager is told, and nothing else
//     can begin any more.
//  4. After Config.DrainDelay, if there is one, the context that Start got ends. Its cause
//     is the [Reason]. If a Reload is under way, its context ends at once, and the run waits
//     for Reload to return.
//  5. Stop, exactly once, if and only if Start returned nil. Its context carries the
//     deadline.
//  6. The run waits for the goroutines that were started with [Go].
//  7. Close, exactly once, if the program is a [Closer] and Start returned nil. Its context
//     has the same deadline.
//  8. The log is flushed, and the manager is told the end with the exit code.
//
// Start, Reload, Pause, Continue, Stop and Close never run at the same time.
//
// # How it ends
//
// A program ends itself with [Finish] when its work is done, and with [Fail] when it cannot
// go on.
//
// At the deadline the contexts of Stop and Close end. One second later the run gives up
// whatever still runs: it logs what the goroutines are doing, and the process exits within
// half a second, whatever the program does. It waits a quarter of a second instead where
// Windows has set the deadline, at a shutdown or at the end of a console, because Windows
// kills the process within a second after that.
//
// [ExitCode] says what the exit code is. As a service of Windows, a stop that the manager
// asked for ends with exit code 0 for the manager, whatever fails on the way down: after any
// other code the recovery actions would start the service again. The failure is in the log
// and in what Run returns, and the commands stop, status and doctor report it. A failure
// that comes before the stop keeps its code.
//
// # The log
//
// [Logger] returns a zap logger that logs where the host keeps logs: the journal, the Event
// Log, syslog, a terminal, or standard output as JSON. While Run runs, [slog.Default] and
// the standard log lead there too, unless the program has set them before. [SlogHandler]
// serves further slog loggers. Package daemon/logfile, in Config.LogAlso, logs to a file as
// well, and package daemon/servicelog keeps the log calls of a program that was written for
// kardianos/service.
//
// An operator sets the level in the file log-level in the configuration folder, or in the
// variable LOG_LEVEL. A reload reads it again, even if the program is not a Reloader.
//
// No log call waits longer than a tenth of a second (a quarter at panic level and above).
// Records that the host does not take at once wait in memory, at most 8 MiB. Lost records
// are counted and reported. A Logger or a LogAlso that hangs or panics does not stop the way
// down.
//
// The last record of each run, "stopped", is its report. A crash that no code can catch
// leaves its text in the state folder; the next run logs it, and doctor reports it. A run
// that was killed, or whose program called os.Exit, leaves no text, and the next one says
// so.
//
// The [reference] has the tables: triggers and deadlines, exit codes, commands, where each
// host logs, event ids, environment variables, folders, control codes.
//
// [reference]: https://github.com/go-glidepath/glidepath/blob/main/daemon/docs/reference.md
package daemon

import "context"

// Program is a long-running program: what you write. Its methods are called on goroutines
// of their own, and never at the same time, except Check and Notify. A panic in a method
// fails the program and not the process: the way down is the same. So does a method that
// ends its goroutine ([runtime.Goexit]).
//
// A program with more abilities implements more interfaces: [Closer], [Reloader], [Pauser],
// [Checker] and [Notified].
type Program interface {
	// Start returns nil when the program is ready to serve. Work that goes on runs on
	// goroutines, best started with [Go].
	//
	// Its context lives as long as the program is to run, also after Start has returned. It
	// ends when stopping begins, or after the drain delay if there is one, with the [Reason]
	// as its cause. It also ends when Config.StartTimeout passes before Start has returned.
	//
	// An error fails the program. Stop and Close are not called then, so Start has to
	// release what it has taken. If a stop was asked for during Start and the error says
	// only that (as [Go] defines it), the program has stopped as asked.
	Start(ctx context.Context) error

	// Stop ends what Start has begun. It is called exactly once, if and only if Start
	// returned nil, after the context of Start has ended. The goroutines of [Go] may still
	// run: release what they use in the Close method of a [Closer].
	//
	// Its context ends at the stop deadline. Stop must return within a second after that.
	// An error fails the program.
	Stop(ctx context.Context) error
}

// Closer is a Program whose goroutines use something until their end: a database, a
// connection to a broker, a file. Start opens it, Stop lets the goroutines end, and Close
// releases it when the last of them has returned.
type Closer interface {
	Program

	// Close is called once, if and only if Start returned nil: after Stop has returned and
	// the last goroutine of [Go] has ended. It is not called if the run gave up, a second
	// after the stop deadline.
	//
	// Its context ends at the stop deadline, the same as that of Stop. It has already ended
	// if Stop and the goroutines have used all the time. Close must return within a second
	// after the deadline. An error fails the program. Go starts nothing any more.
	Close(ctx context.Context) error
}

// Reloader is a Program that can read its configuration again while it runs. On Unix,
// SIGHUP asks for it, as do the reload commands of service managers.
type Reloader interface {
	Program

	// Reload is called while the program runs, never before Start has returned nil, and
	// never at the same time as another method except Check and Notify. If it is asked for
	// while it runs, it is called once more. After an error the program goes on as before:
	// the error is logged, and systemctl status shows it. systemctl reload succeeds all the
	// same, because systemd has no failed reload. Reload has no deadline of its own, but
	// systemd considers it failed after TimeoutStartSec.
	//
	// Each call has a context of its own, which lives as long as that of Start. But if
	// stopping begins during a Reload, its context ends at that moment, and Stop is called
	// after Reload has returned.
	Reload(ctx context.Context) error
}

// Pauser is a Program that can stop serving for a while and stay in memory. The Windows
// service control manager asks for it (SERVICE_CONTROL_PAUSE and SERVICE_CONTROL_CONTINUE).
// The contexts are like that of Reload. Progress is reported for up to Config.StopTimeout;
// after that the manager may consider the program hung.
type Pauser interface {
	Program

	// Pause is called while the program runs. If it is asked for during a Reload, it is
	// called after that. After an error, which is logged, the program goes on running.
	Pause(ctx context.Context) error

	// Continue is called while the program is paused. After an error, which is logged, the
	// program stays paused.
	Continue(ctx context.Context) error
}

// Checker is a Program that can tell whether it works or has to be restarted. It must not
// depend on anything outside of the program, which a restart would not repair.
type Checker interface {
	Program

	// Check returns nil if the program is well, and an error only if a restart would help.
	// It is called from the end of Start until the context of Start ends, at the same time
	// as Reload, Pause and Continue, but never twice at the same time. It is called at half
	// the interval of the manager's watchdog if there is one (under systemd, WatchdogSec),
	// and when the command status asks, as a health check of a container does.
	//
	// The watchdog is told only when Check returns nil. If it is told nothing for a whole
	// interval, the manager acts, usually by ending the process. The command status prints
	// the error. A panic fails the program at once.
	//
	// The context ends after half the interval, after 5 seconds if there is no watchdog, or
	// with that of Start. A Check that ignores it delays the way down, as a goroutine of Go
	// would.
	Check(ctx context.Context) error
}
