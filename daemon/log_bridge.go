package daemon

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
	"github.com/go-glidepath/glidepath/internal/log/slogzap"
)

// SlogHandler returns a handler for slog.New that logs where [Logger] does, with the same
// level, and with attributes as fields. A level that zap does not have is logged as the next
// lower one, with its number: as INFO+2 on a terminal, elsewhere in the field
// severity_number, as OpenTelemetry counts (debug 5, info 9, warn 13, error 17). If there is
// no run, the handler discards everything, as Logger does.
//
// [slog.Default] and the standard log need no handler, unless the program has changed them:
// see [Run].
func SlogHandler(ctx context.Context) slog.Handler { return slogHandler(Logger(ctx), tracer(ctx)) }

func slogHandler(log *zap.Logger, trace func(context.Context) logmeta.Trace) slog.Handler {
	return slogzap.New(log.Core(), log.Name(), trace)
}

// redirect makes slog.Default and the standard log write to logger, unless the program has
// changed them. It returns a function that restores them.
func redirect(logger *zap.Logger, trace func(context.Context) logmeta.Trace) (restore func()) {
	before, out, flags, prefix := slog.Default(), log.Writer(), log.Flags(), log.Prefix()
	if fmt.Sprintf("%T", before.Handler()) != "*slog.defaultHandler" { // it has no other name
		return func() {}
	}
	after, standard := setDefaults(logger, trace)
	if out != os.Stderr {
		log.SetOutput(out)
		log.SetFlags(flags)
	}
	return func() {
		if slog.Default() == after {
			slog.SetDefault(before)
		}
		if log.Writer() == standard {
			log.SetOutput(out)
			log.SetFlags(flags)
			log.SetPrefix(prefix)
		}
	}
}

// setDefaults makes slog.Default and the standard log write to logger. It returns both.
func setDefaults(logger *zap.Logger, trace func(context.Context) logmeta.Trace) (after *slog.Logger, standard io.Writer) {
	// Each SetDefault gives the standard log a writer of slog, which logs at the level of
	// slog.SetLogLoggerLevel. The first handler is only for the standard log.
	slog.SetDefault(slog.New(unlevelled{slogzap.New(logger.Core(), logger.Name(), nil)}))
	standard = log.Writer()
	after = slog.New(slogHandler(logger, trace))
	slog.SetDefault(after)
	log.SetOutput(standard)
	return after, standard
}

// unlevelled handles the lines of the standard log, which have no level. A line that a
// program prints before it dies, or while it panics, would be visible without this package,
// so it is logged at any level of the log.
type unlevelled struct{ *slogzap.Handler }

// Enabled reports whether a line is logged.
func (h unlevelled) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, l) || urgency() > zapcore.InfoLevel
}

// Handle logs a line.
func (h unlevelled) Handle(ctx context.Context, r slog.Record) error {
	if l := urgency(); l > zapcore.InfoLevel {
		return h.Log(ctx, l, r)
	}
	return h.Handler.Handle(ctx, r)
}

// urgency derives the level of a line of the standard log from its callers: fatal for
// log.Fatal and the like, panic for log.Panic, error while the goroutine panics, as when
// net/http reports a handler, and info otherwise.
func urgency() zapcore.Level {
	var pcs [24]uintptr
	for _, pc := range pcs[:runtime.Callers(3, pcs[:])] {
		// CallersFrames would cost several times as much. Of inlined functions FuncForPC
		// returns the innermost, which is the caller.
		name := runtime.FuncForPC(pc - 1).Name()
		if name == "runtime.gopanic" {
			return zapcore.ErrorLevel
		}
		if name, ok := strings.CutPrefix(name, "log."); ok {
			switch name = strings.TrimPrefix(name, "(*Logger)."); {
			case strings.HasPrefix(name, "Fatal"):
				return zapcore.FatalLevel
			case strings.HasPrefix(name, "Panic"):
				return zapcore.PanicLevel
			}
		}
	}
	return zapcore.InfoLevel
}
