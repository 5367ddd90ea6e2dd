package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// logbook writes the lines of the run itself. A log that hangs must not delay the way down:
// if a write may take any time, a goroutine of its own writes.
type logbook struct {
	log     *zap.Logger
	bounded bool // no write takes long, because the log is a sink of ours
	waiting atomic.Int32

	dropped atomic.Int64 // lines for which there was no room, or which made the log panic

	mu     sync.Mutex
	lines  chan line     // nil until a line has to wait
	idle   chan struct{} // closed when all lines are written and the logger is flushed
	closed bool

	flushed bool // the logger was asked to flush; used by the goroutine that writes
}

type line struct {
	entry  *zapcore.CheckedEntry // nil if there is nothing to write
	fields []zap.Field
	mark   chan struct{} // closed when all lines before this one are written
	last   bool
}

// orderBound limits how long a line of the program waits for earlier lines of the run.
const orderBound = 5 * time.Millisecond

func newLogbook(log *zap.Logger, bounded bool) *logbook {
	return &logbook{
		// The caller and the stack would be those of this package, which help nobody.
		log: log.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zap.LevelEnablerFunc(
			func(zapcore.Level) bool { return false }))),
		bounded: bounded,
		idle:    make(chan struct{}),
	}
}

// add writes a line, or queues it. It drops the line if 256 are waiting already.
func (b *logbook) add(level zapcore.Level, msg, stack string, fields ...zap.Field) {
	entry := b.check(level, msg)
	if entry == nil {
		return
	}
	entry.Stack = stack
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return
	case b.bounded:
		b.guard(func() { entry.Write(fields...) })
		return
	case b.lines == nil:
		b.lines = make(chan line, 256)
		go b.write()
	}
	b.waiting.Add(1)
	select {
	case b.lines <- line{entry: entry, fields: fields}:
	default:
		b.waiting.Add(-1)
		b.dropped.Add(1)
	}
}

func (b *logbook) check(level zapcore.Level, msg string) (entry *zapcore.CheckedEntry) {
	b.guard(func() { entry = b.log.Check(level, msg) })
	return entry
}

// guard calls f, which uses the log. The log may be the program's: if it panics, the run
// still has to tell the manager how it ends.
func (b *logbook) guard(f func()) {
	defer func() {
		if recover() != nil {
			b.dropped.Add(1)
		}
	}()
	f()
}

// write runs on a goroutine and writes lines until the channel is closed. If the log ends the
// goroutine, write starts another one.
func (b *logbook) write() {
	ended := true
	defer func() {
		if ended {
			b.dropped.Add(1)
			go b.write()
		}
	}()
	for l := range b.lines {
		if n := b.dropped.Load(); l.last && n > 0 {
			b.guard(func() { b.log.Warn("lines were dropped: the log could not keep up", zap.Int64("lines", n)) })
		}
		if l.mark != nil {
			close(l.mark)
		}
		if l.entry != nil {
			b.put(l)
		}
	}
	if !b.flushed {
		b.flushed = true                     // before Sync, which may end the goroutine
		b.guard(func() { _ = b.log.Sync() }) // there is no log for an error of the log
	}
	ended = false
	close(b.idle)
}

func (b *logbook) put(l line) {
	defer b.waiting.Add(-1)
	b.guard(func() { l.entry.Write(l.fields...) })
}

// reopen flushes the logger. A logger that writes to a file opens it again then. reopen waits
// for at most flushBound.
func (b *logbook) reopen() error {
	if b.bounded {
		return logtext.SyncError(b.log.Sync())
	}
	done := make(chan error, 1)
	go func() {
		err := errors.New("the log panics")
		b.guard(func() { err = logtext.SyncError(b.log.Sync()) })
		done <- err
	}()
	bound := time.NewTimer(flushBound)
	defer bound.Stop()
	select {
	case err := <-done:
		return err
	case <-bound.C:
		return fmt.Errorf("it takes longer than %s", flushBound)
	}
}

// close writes a last line, and waits until all lines are written and the logger is flushed,
// or until ctx ends. In that case the error says how many lines are lost.
func (b *logbook) close(ctx context.Context, level zapcore.Level, msg string, fields ...zap.Field) error {
	entry := b.check(level, msg)
	b.mu.Lock()
	b.closed = true
	if b.lines == nil && !b.bounded {
		b.lines = make(chan line, 1)
		go b.write()
	}
	b.mu.Unlock()
	if b.bounded {
		if entry != nil {
			b.guard(func() { entry.Write(fields...) })
		}
		return nil // endLog flushes the sink
	}
	if entry != nil {
		b.waiting.Add(1)
	}
	select {
	case b.lines <- line{entry: entry, fields: fields, last: true}:
	case <-ctx.Done():
	}
	close(b.lines)
	select {
	case <-b.idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the log hangs: %d lines of the run itself are lost", b.waiting.Load()+int32(b.dropped.Load()))
	}
}

// precede returns a logger whose lines come after those that were added before: a person
// reads "stopping" before the lines of Stop.
func (b *logbook) precede(log *zap.Logger) *zap.Logger {
	if b.bounded {
		return log
	}
	return log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return preceded{core, b} }))
}

type preceded struct {
	zapcore.Core
	book *logbook
}

func (c preceded) With(fields []zap.Field) zapcore.Core { return preceded{c.Core.With(fields), c.book} }

func (c preceded) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		c.book.order()
	}
	return c.Core.Check(e, ce)
}

// Sync omits the errors of terminals and pipes, which cannot be synced.
func (c preceded) Sync() error { return logtext.SyncError(c.Core.Sync()) }

// order waits until the lines that were added are written, for at most orderBound.
func (b *logbook) order() {
	if b.waiting.Load() == 0 {
		return
	}
	mark := make(chan struct{})
	if !b.addMark(mark) {
		return
	}
	bound := time.NewTimer(orderBound)
	defer bound.Stop()
	select {
	case <-mark:
	case <-bound.C:
	}
}

// addMark adds a mark behind the lines that were added. It reports false if there is no room.
func (b *logbook) addMark(mark chan struct{}) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	select {
	case b.lines <- line{mark: mark}:
		return true
	default:
		return false
	}
}

// isTerminal reports whether f is a character device other than the null device.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
