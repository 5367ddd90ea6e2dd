package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Go calls f on a goroutine that the daemon owns: on the way down it is waited for, after
// Stop has returned and before Close is called. An error of f, or a panic, fails the
// daemon as [Fail] does, except an error that says only that f was asked to stop:
//
//   - the error or the cause of ctx, or of the context of Start, once that has ended, and
//     what wraps nothing else, as the error of a dial that was cut off does;
//   - once the context of Start has ended, also http.ErrServerClosed, net.ErrClosed, and
//     that SIGKILL, SIGTERM or SIGINT has ended a child process.
//
// Any other error counts, whenever it comes, also one that means the same in the words of
// another package, such as a gRPC status of code Canceled: return nil for that.
//
// ctx is one that a method of the Program was given, or one made from it. On any other,
// that of an HTTP request for example, Go means the run of this process: f is then given a
// context that also ends when that of Start does, and when f returns. Go panics if there is no run. It may be
// called from any goroutine. Once the last goroutine has been waited for it starts
// nothing, and logs a warning: the contexts ended long before.
func Go(ctx context.Context, f func(ctx context.Context) error) {
	from(ctx, "Go").Go(ctx, f)
}

// Fail fails the daemon: it takes the way down, and Run returns err. The exit code is 1,
// or what [ExitCode] says of err. It waits for nothing but the text of err, and may be
// called from any goroutine, any number of times: the first err is the reason, later ones
// are joined to it. Of more than 16 the others are only counted. After the way down it does nothing.
//
// ctx is as for [Go].
func Fail(ctx context.Context, err error) {
	from(ctx, "Fail").Fail(err)
}

// Finish ends the daemon because its work is done: it takes the way down, without a drain
// delay, and unless something fails on the way the exit code is 0 and Run returns nil. The
// [Trigger] is TriggerFinished. Called before Start has returned, it takes effect when
// Start returns nil. It returns at once, and may be called from any goroutine, any number
// of times; once stopping has begun it changes nothing.
//
// A service manager takes the exit for a success: systemd restarts the service only with
// Restart=always, Windows does not.
//
// ctx is as for [Go].
func Finish(ctx context.Context) {
	from(ctx, "Finish").Finish("the program has finished")
}

// Logger returns where the daemon logs: Config.Logger, or where the host keeps logs. It is
// never nil, and may be used from any goroutine. On a context that no method of a Program
// was given, that of an HTTP request for example, it is that of the run of this process;
// where there is none, it does nothing. The host's does nothing either once the run is
// over.
//
// Its Fatal exits the process at once, as zap's does, without the way down: use [Fail].
func Logger(ctx context.Context) *zap.Logger {
	if r := runctx.Find(ctx); r != nil {
		return r.Logger()
	}
	return zap.NewNop()
}

// StartArgs returns the arguments that the manager was given with this start: what
// StartService and "sc start NAME ARG…" pass to a service of Windows, without its
// name. Elsewhere, and where there is no run, it is nil; the command line is os.Args
// everywhere.
func StartArgs(ctx context.Context) []string {
	if r := runctx.Find(ctx); r != nil {
		return r.StartArgs()
	}
	return nil
}

func from(ctx context.Context, caller string) runctx.Run {
	r := runctx.Find(ctx)
	if r == nil {
		panic("daemon." + caller + ": nobody would be told of a failure: the context is not one that Run has given to a Program, and it is not clear which run of this process is meant; in a test, use daemontest.Context")
	}
	return r
}
