package daemon

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// slowLog takes some time for each line, and notes the lines.
type slowLog struct {
	mu    sync.Mutex
	lines []string
	slow  time.Duration // how long a write takes
	sync  time.Duration
}

func (s *slowLog) Write(p []byte) (int, error) {
	<-time.After(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, strings.TrimSpace(string(p)))
	return len(p), nil
}

func (s *slowLog) Sync() error {
	<-time.After(s.sync)
	return errors.New("the disk is full")
}

func (s *slowLog) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, " ")
}

func (s *slowLog) logger() *zap.Logger {
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg", StacktraceKey: "stack"})
	return zap.New(zapcore.NewCore(encoder, s, zap.InfoLevel))
}

// closeBook closes b with a last line.
func closeBook(t *testing.T, b *logbook) {
	t.Helper()
	if err := b.close(t.Context(), zap.InfoLevel, "stopped"); err != nil {
		t.Error(err)
	}
}

func TestLogbook_WritesAtOnceIfTheLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{}
		b := newLogbook(s.logger(), true)
		b.add(zap.InfoLevel, "one", "")
		b.add(zap.InfoLevel, "two", "goroutine 1 [running]")
		if s.String() != "one two\ngoroutine 1 [running]" {
			t.Errorf("written: %q", s)
		}
		if log := s.logger(); b.precede(log) != log {
			t.Error("the lines of the program go through the logbook")
		}
		closeBook(t, b)
		if s.String() != "one two\ngoroutine 1 [running] stopped" {
			t.Errorf("at the end: %q", s)
		}
	})
}

func TestLogbook_DoesNotWaitForAnyOtherLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Second}
		b := newLogbook(s.logger(), false)
		begun := time.Now()
		b.add(zap.InfoLevel, "one", "")
		b.add(zap.InfoLevel, "two", "")
		b.add(zap.DebugLevel, "nothing", "")
		if time.Since(begun) > 0 {
			t.Errorf("adding took %s", time.Since(begun))
		}
		closeBook(t, b)
		if s.String() != "one two stopped" || time.Since(begun) != 3*time.Second {
			t.Errorf("written: %q after %s", s, time.Since(begun))
		}
		b.add(zap.InfoLevel, "too late", "")
	})
}

func TestLogbook_ReopenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{}
		b := newLogbook(s.logger(), false)
		if err := b.reopen(); err == nil || err.Error() != "the disk is full" {
			t.Errorf("an error of the log: got %v", err)
		}
		s.sync = time.Hour
		begun := time.Now()
		if err := b.reopen(); err == nil || time.Since(begun) != flushBound {
			t.Errorf("a log that hangs: got %v after %s", err, time.Since(begun))
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestLogbook_PrecedeKeepsTheOrderWithinABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Millisecond}
		b := newLogbook(s.logger(), false)
		log := b.precede(s.logger())
		b.add(zap.InfoLevel, "stopping", "")
		log.Info("in Stop")
		if s.String() != "stopping in Stop" {
			t.Errorf("written: %q", s)
		}
		s.slow = time.Hour
		b.add(zap.InfoLevel, "hangs", "")
		begun := time.Now()
		b.order()
		if time.Since(begun) != orderBound {
			t.Errorf("it waited %s", time.Since(begun))
		}
		closeBook(t, b)
	})
}

func TestLogbook_ReportsDroppedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Second}
		b := newLogbook(s.logger(), false)
		b.add(zap.InfoLevel, "first", "")
		synctest.Wait() // the first line is being written
		for range 300 {
			b.add(zap.InfoLevel, "more", "")
		}
		closeBook(t, b)
		if n := strings.Count(s.String(), "more"); n != 256 {
			t.Errorf("%d lines were written", n)
		}
		if !strings.HasSuffix(s.String(), `lines were dropped: the log could not keep up	{"lines": 44} stopped`) {
			t.Errorf("the last lines are %q", s.lines[len(s.lines)-2:])
		}
	})
}

func TestLogbook_AddDoesNotWaitForAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Second}
		b := newLogbook(s.logger(), false)
		begun := time.Now()
		b.add(zap.InfoLevel, "giving up", "goroutine 1 [running]") // may be longer than there is room for
		if time.Since(begun) > 0 {
			t.Errorf("adding took %s", time.Since(begun))
		}
		closeBook(t, b)
		if s.String() != "giving up\ngoroutine 1 [running] stopped" {
			t.Errorf("written: %q", s)
		}
	})
}

func TestLogbook_CloseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Hour}
		b := newLogbook(s.logger(), false)
		b.add(zap.InfoLevel, "one", "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		err := b.close(ctx, zap.InfoLevel, "stopped")
		if err == nil || !strings.Contains(err.Error(), "2 lines") || time.Since(begun) != time.Second {
			t.Errorf("close returns %v after %s", err, time.Since(begun))
		}
		<-b.idle
	})
}

// quitter ends the goroutine that calls Write.
type quitter struct{ zapcore.Core }

func (q quitter) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, q)
}

func (q quitter) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if e.Message == "quit" {
		runtime.Goexit()
	}
	return q.Core.Write(e, fields)
}

func TestLogbook_LogEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{}
		b := newLogbook(zap.New(quitter{s.logger().Core()}), false)
		b.add(zap.InfoLevel, "quit", "")
		b.add(zap.InfoLevel, "one", "")
		closeBook(t, b)
		if !strings.HasSuffix(s.String(), "stopped") || !strings.HasPrefix(s.String(), "one ") || b.dropped.Load() != 1 {
			t.Errorf("written: %q, %d lost", s, b.dropped.Load())
		}
	})
}

// leaver ends the goroutine that calls Sync.
type leaver struct {
	zapcore.Core
	flushes *atomic.Int32
}

func (l leaver) Sync() error { l.flushes.Add(1); runtime.Goexit(); return nil }

func TestLogbook_LogEndsTheGoroutineThatFlushesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := leaver{zapcore.NewNopCore(), new(atomic.Int32)}
		b := newLogbook(zap.New(l), false)
		closeBook(t, b)
		synctest.Wait()
		if n := l.flushes.Load(); n != 1 {
			t.Errorf("it was flushed %d times", n)
		}
	})
}
