package daemon

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/slogzap"
)

// SlogHandler returns a handler that logs where [Logger] does, for slog.New: with its
// level, and with attributes as fields. Levels of slog in between become the next lower
// one of zap. On a context that no method of a Program has got it discards everything,
// as Logger does.
//
// A program that leaves [slog.Default] and the standard log what they are does not need
// it: see [Run].
func SlogHandler(ctx context.Context) slog.Handler { return slogHandler(Logger(ctx)) }

func slogHandler(log *zap.Logger) slog.Handler { return slogzap.New(log.Core(), log.Name()) }

// redirect leads slog.Default and the standard log to log, those that nobody has led
// anywhere else. It returns what gives them back, to whom they were.
func redirect(logger *zap.Logger) (restore func()) {
	before, out, flags, prefix := slog.Default(), log.Writer(), log.Flags(), log.Prefix()
	if fmt.Sprintf("%T", before.Handler()) != "*slog.defaultHandler" { // it has no other name
		return func() {}
	}
	after := slog.New(slogHandler(logger))
	slog.SetDefault(after) // and with it the standard log
	standard := log.Writer()
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
