package daemon

import (
	"context"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Go calls f(ctx) on a goroutine that the daemon owns: on the way down it is waited
// for, after Stop has returned. An error of f, or a panic, fails the daemon as Fail
// does; an error that says nothing but that ctx has ended does not.
//
// ctx is one that a method of the Program has got, or one made from it; Go panics
// on any other. It may be called from any goroutine. Once the last goroutine has
// been waited for it does nothing: its context ended long before.
func Go(ctx context.Context, f func(ctx context.Context) error) {
	from(ctx, "Go").Go(ctx, f)
}

// Fail fails the daemon: it takes the way down, and Run returns err, which makes
// the exit code 1. It returns at once, and may be called from any goroutine, any
// number of times: the first err is the reason, later ones are joined to it. After
// the way down it does nothing.
//
// ctx is one that a method of the Program has got, or one made from it; Fail panics
// on any other.
func Fail(ctx context.Context, err error) {
	from(ctx, "Fail").Fail(err)
}

// Logger returns where the daemon logs: Config.Logger, or where the host keeps logs. On a
// context that no method of a Program has got it returns a logger that does nothing,
// never nil. It may be used from any goroutine, also after
// the end, when that of the host does nothing.
//
// Its Fatal exits the process at once, as zap's does, past the way down: [Fail] takes it.
func Logger(ctx context.Context) *zap.Logger {
	if r := runctx.FromContext(ctx); r != nil {
		return r.Logger()
	}
	return zap.NewNop()
}

// StartArgs returns the arguments that the manager was given with this start: what
// StartService and "sc start NAME ARG…" pass to a service of Windows, without its
// name. Elsewhere, and on a context that no method of a Program has got, it is nil;
// the command line is os.Args everywhere.
func StartArgs(ctx context.Context) []string {
	if r := runctx.FromContext(ctx); r != nil {
		return r.StartArgs()
	}
	return nil
}

func from(ctx context.Context, caller string) runctx.Run {
	r := runctx.FromContext(ctx)
	if r == nil {
		panic("daemon." + caller + ": nobody would hear of a failure: the context is not one that Run has given to a Program; in a test, use daemontest.Context")
	}
	return r
}
