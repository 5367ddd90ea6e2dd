package daemon

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// reader is a sink whose reader needs some time for the waiting records, or never takes them.
type reader struct {
	zapcore.Core
	takes time.Duration // the time for the waiting records; negative if it never takes them
	lost  uint64
	close error

	calls []string
}

func (s *reader) Drain(ctx context.Context) error {
	s.calls = append(s.calls, "Drain")
	wait := s.takes
	if wait < 0 {
		wait = 500 * time.Millisecond // how long real sinks wait
		s.lost = 7
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		s.lost = 3
	}
	return ctx.Err()
}

func (s *reader) Write(e zapcore.Entry, fields []zapcore.Field) error {
	s.calls = append(s.calls, e.Message)
	return s.Core.Write(e, fields)
}

func (s *reader) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, s)
}

func (s *reader) Close(context.Context) error { s.calls = append(s.calls, "Close"); return s.close }
func (s *reader) Lost() uint64                { return s.lost }
func (s *reader) Untold() uint64              { return s.lost }

// listener is a host that counts how often it is told Stopping.
type listener struct {
	mu    sync.Mutex
	ticks int
}

func (l *listener) Open(host.Run) {}
func (l *listener) Tell(s host.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.State == lifecycle.Stopping && s.Checkpoint > 0 {
		l.ticks++
	}
}
func (l *listener) Close(context.Context) {}

func TestEnd_OfTheLog(t *testing.T) {
	for name, test := range map[string]struct {
		sink  reader
		stop  func(context.Context) error
		took  time.Duration
		ticks int
		lost  any // in the report
		says  string
	}{
		"nothing waits": {},
		"a reader that is slow": {
			sink: reader{takes: 10500 * time.Millisecond}, took: 10500 * time.Millisecond, ticks: 10,
		},
		"a reader that is too slow": {
			sink: reader{takes: time.Hour}, took: 20 * time.Second, ticks: 20, lost: uint64(3),
		},
		"a reader that takes nothing": {
			sink: reader{takes: -1, close: errors.New("7 log records were lost")},
			took: 500 * time.Millisecond, lost: uint64(7), says: "<4>trial: 7 log records were lost\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				core, logs := observer.New(zap.DebugLevel)
				s, l := test.sink, &listener{}
				s.Core = core
				var words bytes.Buffer
				c, _ := Config{Name: "trial", StopTimeout: 20 * time.Second, Logger: zap.New(&s)}.complete(idle{}, place{})
				r := newRun(ctx, idle{}, c, host.Env{Hosts: []host.Host{l}, Own: true, Exit: func(int) { t.Error("it exits") }})
				r.sink, r.book.bounded, r.restore, r.stderr = &s, true, func() {}, &words
				begun := time.Now()
				cancel()
				if err := r.loop(); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if l.ticks < test.ticks {
					t.Errorf("the manager is told %d times that it goes on, want %d", l.ticks, test.ticks)
				}
				if calls := strings.Join(s.calls, " "); !strings.HasSuffix(calls, " Drain stopped Close") {
					t.Errorf("the calls are %s", calls)
				}
				report := logs.All()[logs.Len()-1].ContextMap()
				if report["lost"] != test.lost {
					t.Errorf("the report has %v lost records, want %v", report["lost"], test.lost)
				}
				if words.String() != test.says {
					t.Errorf("on standard error is %q, want %q", words.String(), test.says)
				}
			})
		})
	}
}

func TestEnd_OfTheLogIsHastened(t *testing.T) {
	force := host.Request{Action: host.Force, Signal: 2, Detail: "SIGINT"}
	for name, test := range map[string]struct {
		stop  time.Duration // how long Stop takes, unless it is cut short
		again host.Request  // comes 3 s after the first
		took  time.Duration
		code  int
	}{
		"another request":                  {0, host.Request{Trigger: host.TriggerTerminate}, 20 * time.Second, 0},
		"a user does not wait":             {0, force, 3 * time.Second, 0},
		"a user did not wait for Stop":     {time.Hour, force, 3500 * time.Millisecond, 130},
		"the system shuts down":            {0, host.Request{Trigger: host.TriggerShutdown, Budget: 4 * time.Second}, 7 * time.Second, 0},
		"the system shuts down, with time": {0, host.Request{Trigger: host.TriggerShutdown, Budget: time.Minute}, 20 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.DebugLevel)
				s := &reader{Core: core, takes: time.Hour}
				p := withStop{func(ctx context.Context) error {
					select {
					case <-time.After(test.stop):
					case <-ctx.Done():
					}
					return nil
				}}
				c, _ := Config{Name: "trial", StopTimeout: 20 * time.Second, Logger: zap.New(s)}.complete(p, place{})
				r := newRun(t.Context(), p, c, host.Env{Exit: func(int) { t.Error("it exits") }})
				r.sink, r.book.bounded = s, true
				begun := time.Now()
				r.request(host.Request{Trigger: host.TriggerTerminate})
				again := time.AfterFunc(3*time.Second, func() { r.request(test.again) })
				defer again.Stop()
				err := r.loop()
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				if code := ExitCode(err); code != test.code {
					t.Errorf("the exit code is %d, want %d", code, test.code)
				}
				if report := logs.All()[logs.Len()-1]; report.Message != "stopped" || report.ContextMap()["lost"] != any(uint64(3)) {
					t.Errorf("the last record is %q: %v", report.Message, report.ContextMap())
				}
			})
		})
	}
}

// miscounting is a core that does not return the number of lost records.
type miscounting struct {
	zapcore.Core
	lost func()
}

func (m miscounting) Lost() uint64 { m.lost(); return 1 }

func TestEnd_OfALogThatCannotSayWhatItHasLost(t *testing.T) {
	for name, test := range map[string]struct {
		lost func()
		took time.Duration
	}{
		"panics":             {func() { panic("lost") }, 0},
		"ends its goroutine": {runtime.Goexit, 0},
		"hangs":              {func() { <-time.After(time.Hour) }, 3 * flushBound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := Config{Name: "trial", Logger: zap.New(miscounting{zapcore.NewNopCore(), test.lost})}.complete(idle{}, place{})
				r := newRun(t.Context(), idle{}, c, host.Env{Exit: func(int) { t.Error("it exits") }})
				r.request(host.Request{Trigger: host.TriggerTerminate})
				begun := time.Now()
				if err := r.loop(); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				<-time.After(2 * time.Hour)
			})
		})
	}
}
