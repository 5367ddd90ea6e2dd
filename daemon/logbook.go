package daemon

import (
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logbook writes the lines of the run itself, on a goroutine of its own: a terminal
// that is stopped, or a pipe that nobody reads, is not to hold up the way down.
type logbook struct {
	log     *zap.Logger
	waiting atomic.Int32
	mu      sync.Mutex
	lines   chan line // nil once it is closed
	written chan struct{}
}

type line struct {
	entry  *zapcore.CheckedEntry // nil for a mark: nothing to write
	fields []zap.Field
	mark   chan struct{} // closed when all before it is written
}

// orderBound is how long a call of the program waits for the lines that lead to it.
const orderBound = 5 * time.Millisecond

func newLogbook(log *zap.Logger) *logbook {
	b := &logbook{
		// Neither the place in this package nor its stack would tell anybody anything.
		log: log.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zap.LevelEnablerFunc(
			func(zapcore.Level) bool { return false }))),
		lines:   make(chan line, 256),
		written: make(chan struct{}),
	}
	go b.write(b.lines)
	return b
}

func (b *logbook) write(lines <-chan line) {
	defer close(b.written)
	for l := range lines {
		if l.mark != nil {
			close(l.mark)
			continue
		}
		l.entry.Write(l.fields...)
		b.waiting.Add(-1)
	}
}

// add has a line written. It drops it where 256 wait already.
func (b *logbook) add(level zapcore.Level, msg, stack string, fields ...zap.Field) {
	entry := b.log.Check(level, msg)
	if entry == nil {
		return
	}
	entry.Stack = stack
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.lines <- line{entry: entry, fields: fields}:
		b.waiting.Add(1)
	default:
	}
}

// order waits until what was added is written, so that what the program logs next
// comes after it; but not long, if the log hangs.
func (b *logbook) order() {
	if b.waiting.Load() == 0 {
		return
	}
	mark := make(chan struct{})
	b.mu.Lock()
	select {
	case b.lines <- line{mark: mark}:
	default:
		close(mark)
	}
	b.mu.Unlock()
	bound := time.NewTimer(orderBound)
	defer bound.Stop()
	select {
	case <-mark:
	case <-bound.C:
	}
}

// close writes what is left, and flushes the logger. It takes as long as that
// takes; the caller sets the bound.
func (b *logbook) close() {
	b.mu.Lock()
	lines := b.lines
	b.lines = nil
	b.mu.Unlock()
	close(lines)
	<-b.written
	// Terminals and pipes cannot be synced and say so each time; and an error of the
	// log has no log to go to.
	_ = b.log.Sync()
}

// hostLogger is the logger for where the process runs: lines for people on a
// terminal, JSON for everything else.
func hostLogger() *zap.Logger {
	keys := zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", StacktraceKey: "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
	}
	encoder := zapcore.NewJSONEncoder(keys)
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		keys.EncodeLevel = zapcore.CapitalLevelEncoder
		keys.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		keys.ConsoleSeparator = "  "
		encoder = zapcore.NewConsoleEncoder(keys)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), zap.InfoLevel))
}
