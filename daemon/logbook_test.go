package daemon

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// slowLog is a log that takes a second for each line, and notes them.
type slowLog struct {
	mu    sync.Mutex
	lines []string
	slow  time.Duration // a write
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

func TestALineIsWrittenAtOnceWhereThatCannotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{}
		b := newLogbook(s.logger(), true)
		b.add(zap.InfoLevel, "one", "")
		b.add(zap.InfoLevel, "two", "goroutine 1 [running]")
		if s.String() != "one two\ngoroutine 1 [running]" {
			t.Errorf("written: %q", s)
		}
		if log := s.logger(); b.precede(log) != log {
			t.Error("the lines of the program take a way around")
		}
		flushed := false
		b.close(func() { flushed = true })
		if !flushed {
			t.Error("close has not flushed")
		}
	})
}

func TestALineIsLeftToOthersWhereNobodyKnowsHowLongItTakes(t *testing.T) {
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
		flushed := make(chan struct{})
		b.close(func() { close(flushed) })
		<-flushed
		if s.String() != "one two" || time.Since(begun) != 2*time.Second {
			t.Errorf("written: %q after %s", s, time.Since(begun))
		}
		b.add(zap.InfoLevel, "too late", "")
	})
}

func TestALogIsOpenedAnewWithinABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{}
		b := newLogbook(s.logger(), false)
		if err := b.reopen(); err == nil || err.Error() != "the disk is full" {
			t.Errorf("an error of the log is %v", err)
		}
		s.sync = time.Hour
		begun := time.Now()
		if err := b.reopen(); err == nil || time.Since(begun) != flushBound {
			t.Errorf("one that hangs is %v after %s", err, time.Since(begun))
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestALineOfTheProgramWaitsForThoseBeforeItButNotLong(t *testing.T) {
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
		flushed := make(chan struct{})
		b.close(func() { close(flushed) })
		<-flushed
	})
}

func TestALogThatCannotKeepUpSaysHowMuchItHasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Second}
		b := newLogbook(s.logger(), false)
		b.add(zap.InfoLevel, "first", "")
		synctest.Wait() // it is being written
		for range 300 {
			b.add(zap.InfoLevel, "more", "")
		}
		flushed := make(chan struct{})
		b.close(func() { close(flushed) })
		<-flushed
		if n := strings.Count(s.String(), "more"); n != 256 {
			t.Errorf("%d lines were written", n)
		}
		if !strings.HasSuffix(s.String(), `lines were dropped: the log could not keep up	{"lines": 44}`) {
			t.Errorf("the last line is %q", s.lines[len(s.lines)-1])
		}
	})
}

func TestAStackIsNeverWrittenOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowLog{slow: time.Second}
		b := newLogbook(s.logger(), false)
		begun := time.Now()
		b.add(zap.InfoLevel, "giving up", "goroutine 1 [running]") // more than there may be room for
		if time.Since(begun) > 0 {
			t.Errorf("adding took %s", time.Since(begun))
		}
		flushed := make(chan struct{})
		b.close(func() { close(flushed) })
		<-flushed
		if s.String() != "giving up\ngoroutine 1 [running]" {
			t.Errorf("written: %q", s)
		}
	})
}
