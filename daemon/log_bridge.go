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

// SlogHandler returns a handler that logs where [Logger] does, for slog.New: with its
// level, and with attributes as fields. A level that zap has no name for is logged as the
// next lower one, and with its number: as INFO+2 on a terminal, elsewhere in the field
// severity_number, as OpenTelemetry counts (debug 5, info 9, warn 13, error 17). On a context that no method of a Program has got it discards everything,
// as Logger does.
//
// A program that leaves [slog.Default] and the standard log what they are does not need
// it: see [Run].
func SlogHandler(ctx context.Context) slog.Handler { return slogHandler(Logger(ctx), tracer(ctx)) }

func slogHandler(log *zap.Logger, trace func(context.Context) logmeta.Trace) slog.Handler {
	return slogzap.New(log.Core(), log.Name(), trace)
}

// redirect leads slog.Default and the standard log to log, those that nobody has led
// anywhere else. It returns what gives them back, to whom they were.
func redirect(logger *zap.Logger, trace func(context.Context) logmeta.Trace) (restore func()) {
	before, out, flags, prefix := slog.Default(), log.Writer(), log.Flags(), log.Prefix()
	if fmt.Sprintf("%T", before.Handler()) != "*slog.defaultHandler" { // it has no other name
		return func() {}
	}
	after, standard := lead(logger, trace)
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

// lead makes loggers of slog and of the standard log that lead to logger the default ones.
func lead(logger *zap.Logger, trace func(context.Context) logmeta.Trace) (after *slog.Logger, standard io.Writer) {
	// Each SetDefault gives the standard log a writer of slog's, which logs at the level of
	// slog.SetLogLoggerLevel. That of this handler is for the standard log alone.
	slog.SetDefault(slog.New(unlevelled{slogzap.New(logger.Core(), logger.Name(), nil)}))
	standard = log.Writer()
	after = slog.New(slogHandler(logger, trace))
	slog.SetDefault(after)
	log.SetOutput(standard)
	return after, standard
}

// unlevelled is the handler of the standard log, whose lines have no level. What a program
// prints before it dies, or as it panics, was loud without us, and is logged whatever the
// level of the log.
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

// urgency says by its callers what a line of the standard log is: fatal for log.Fatal and
// its like, panic for log.Panic, error for what is printed while the goroutine panics, as
// net/http does of a handler, and else info.
func urgency() zapcore.Level {
	var pcs [24]uintptr
	for _, pc := range pcs[:runtime.Callers(3, pcs[:])] {
		// Not CallersFrames, which costs several times as much: the innermost of what is
		// inlined, which FuncForPC knows, is what has called.
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
