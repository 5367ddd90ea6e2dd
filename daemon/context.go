package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Go calls f on a goroutine that the daemon owns. On the way down the daemon waits for the
// goroutine, after Stop has returned and before it calls Close. An error of f, or a panic,
// fails the daemon as [Fail] does, except an error that says only that f was asked to stop:
//
//   - the error or the cause of ctx, or of the context of Start, once that has ended, and
//     an error that wraps one of these and nothing else, such as that of a dial that was
//     cut off;
//   - once the context of Start has ended, also http.ErrServerClosed, net.ErrClosed, and
//     the error of a child process that SIGKILL, SIGTERM or SIGINT has ended.
//
// Any other error counts, whenever it comes. That includes an error of another package that
// means the same, such as a gRPC status of code Canceled: return nil instead.
//
// ctx is a context that a method of the Program was given, or one made from it. With any
// other context, such as that of an HTTP request, Go uses the run of this process: the
// context of f then also ends when that of Start does, and when f returns. Go panics if
// there is no run. It may be called from any goroutine. After the daemon has waited for the
// last goroutine, Go starts nothing and logs a warning; the contexts ended long before.
func Go(ctx context.Context, f func(ctx context.Context) error) {
	mustFind(ctx, "Go").Go(ctx, f)
}

// Fail fails the daemon: it takes the way down, and Run returns err. The exit code is
// [ExitCode] of err, usually 1. Fail waits only for the text of err. It may be called from
// any goroutine, any number of times: the first err is the reason, and later ones are
// joined to it. If there are more than 16, the others are only counted. After the way down
// Fail does nothing.
//
// ctx is as for [Go].
func Fail(ctx context.Context, err error) {
	mustFind(ctx, "Fail").Fail(err)
}

// Finish ends the daemon because its work is done: it takes the way down, without a drain
// delay. Unless something fails on the way, the exit code is 0 and Run returns nil. The
// [Trigger] is TriggerFinished. If Finish is called before Start has returned, it takes
// effect when Start returns nil. Finish returns at once. It may be called from any
// goroutine, any number of times. Once stopping has begun it changes nothing.
//
// A service manager considers this a success: systemd restarts the service only with
// Restart=always, and Windows does not restart it.
//
// ctx is as for [Go].
func Finish(ctx context.Context) {
	mustFind(ctx, "Finish").Finish("the program has finished")
}

// Logger returns the logger of the daemon: Config.Logger, or one that logs where the host
// keeps logs. It is never nil, and may be used from any goroutine. With a context that no
// method of a Program was given, such as that of an HTTP request, Logger returns the logger
// of the run of this process, or one that does nothing if no run is active. The host's
// logger also does nothing once the run is over.
//
// Its method Fatal exits the process at once, without the way down: use [Fail].
func Logger(ctx context.Context) *zap.Logger {
	if r := runctx.Find(ctx); r != nil {
		return r.Logger()
	}
	return zap.NewNop()
}

// StartArgs returns the arguments of this start: what StartService and "sc start NAME ARG…"
// pass to a service of Windows, without its name. On other systems, and if there is no run,
// it returns nil. The command line is in os.Args on all systems.
func StartArgs(ctx context.Context) []string {
	if r := runctx.Find(ctx); r != nil {
		return r.StartArgs()
	}
	return nil
}

// mustFind returns the run of ctx. It panics if there is none, in the name of caller.
func mustFind(ctx context.Context, caller string) runctx.Run {
	r := runctx.Find(ctx)
	if r == nil {
		panic("daemon." + caller + ": no run to report a failure to: the context was not given to a Program by Run, and this process has no run, or several; in a test, use daemontest.Context")
	}
	return r
}
