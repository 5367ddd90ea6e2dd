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

// logbook writes the lines of the run itself. A log that hangs is not to hold up the way
// down: where nobody knows how long a write may take, a goroutine of its own writes.
type logbook struct {
	log     *zap.Logger
	bounded bool // no write takes long: it is a sink of ours
	waiting atomic.Int32

	dropped atomic.Int64 // there was no room for them, or the log panicked

	mu     sync.Mutex
	lines  chan line     // nil until a line has to wait
	idle   chan struct{} // closed when all lines are written, and the logger is flushed
	closed bool

	flushed bool // the logger is asked to, once; of the goroutine that writes
}

type line struct {
	entry  *zapcore.CheckedEntry // nil if there is nothing to write
	fields []zap.Field
	mark   chan struct{} // closed when all before it is written
	last   bool
}

// orderBound is how long a line of the program waits for those of the run before it.
const orderBound = 5 * time.Millisecond

func newLogbook(log *zap.Logger, bounded bool) *logbook {
	return &logbook{
		// Neither the place in this package nor its stack would tell anybody anything.
		log: log.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zap.LevelEnablerFunc(
			func(zapcore.Level) bool { return false }))),
		bounded: bounded,
		idle:    make(chan struct{}),
	}
}

// add has a line written. It drops it where 256 wait already.
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

// guard calls the log, which may be the program's: that it panics is no reason to end
// without a word to the manager.
func (b *logbook) guard(f func()) {
	defer func() {
		if recover() != nil {
			b.dropped.Add(1)
		}
	}()
	f()
}

// write is the goroutine that writes lines, until there are none any more. A log that
// ends its goroutine gets another one.
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
		b.flushed = true                     // also if that ends the goroutine
		b.guard(func() { _ = b.log.Sync() }) // an error of the log has no log to go to
	}
	ended = false
	close(b.idle)
}

func (b *logbook) put(l line) {
	defer b.waiting.Add(-1)
	b.guard(func() { l.entry.Write(l.fields...) })
}

// reopen flushes the logger, which has one that writes to a file open it anew. It waits
// for that, but no longer than flushBound.
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

// close writes a last line, and waits until all are written and the logger is flushed,
// or until ctx ends. The error says what is lost then.
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
		return nil // its sink is flushed by rules of its own
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

// precede returns log with every line behind those that were added before it: a
// person reads "stopping" before what Stop has to say.
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

// Sync is without the errors of terminals and pipes, which cannot be synced and say so
// each time.
func (c preceded) Sync() error { return logtext.SyncError(c.Core.Sync()) }

// order waits until what was added is written, but not long, if the log hangs.
func (b *logbook) order() {
	if b.waiting.Load() == 0 {
		return
	}
	mark := make(chan struct{})
	if !b.set(mark) {
		return
	}
	bound := time.NewTimer(orderBound)
	defer bound.Stop()
	select {
	case <-mark:
	case <-bound.C:
	}
}

// set puts a mark behind what was added, where there is room for one.
func (b *logbook) set(mark chan struct{}) bool {
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

// isTerminal reports whether f is a character device that somebody could look at.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
