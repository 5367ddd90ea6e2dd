package daemon_test

import (
	"context"
	"log"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

// core calls the functions that it has before Check, Write and Sync.
type core struct {
	zapcore.Core
	check, write, sync func()
}

func (c core) With([]zapcore.Field) zapcore.Core { return c }

func (c core) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.check != nil {
		c.check()
	}
	return ce.AddCore(e, c)
}

func (c core) Write(e zapcore.Entry, f []zapcore.Field) error {
	if c.write != nil {
		c.write()
	}
	return c.Core.Write(e, f)
}

func (c core) Sync() error {
	if c.sync != nil {
		c.sync()
	}
	return nil
}

func TestLogger_UsedWhileTheRunEnds(t *testing.T) {
	seen, _ := observer.New(zap.DebugLevel)
	var logging sync.WaitGroup
	_, err := try(t, program{start: func(ctx context.Context) error {
		l := daemon.Logger(ctx)
		logging.Go(func() { // a goroutine of the program's own, which the run does not wait for
			for range 1000 {
				l.Info("busy")
				pass(time.Millisecond)
			}
		})
		return nil
	}}, daemon.Config{Logger: zap.New(core{Core: seen, write: func() { pass(5 * time.Millisecond) }})}, func(x *trial) {
		x.sleep(100 * time.Millisecond)
		x.terminate()
		logging.Wait()
	})
	expect(t, "result", err, nil)
}

func TestStop_LogPanics(t *testing.T) {
	boom := func() { panic("a log of the program's") }
	for name, c := range map[string]core{"Check": {check: boom}, "Write": {write: boom}, "Sync": {sync: boom}} {
		t.Run(name, func(t *testing.T) {
			c.Core, _ = observer.New(zap.DebugLevel)
			stopped := false
			x, err := try(t, able{program: program{stop: func(context.Context) error { stopped = true; return nil }}},
				daemon.Config{Logger: zap.New(c)}, func(x *trial) {
					x.ask(reload)
					x.terminate()
				})
			expect(t, "result", err, nil)
			expect(t, "Stop was called", stopped, true)
			expect(t, "the last state", x.last().State.String(), "stopped")
		})
	}
}

func TestRun_HasTheStandardLogWhileItOwnsTheProcess(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	for _, own := range []bool{true, false} {
		c, logs := withLevel(zap.InfoLevel)
		x := &trial{t: t, exit: -1, own: own}
		err := x.try(program{start: func(context.Context) error {
			if own {
				slog.Info("from slog")
				log.Print("from log")
			}
			expect(t, "the standard log is the run's", log.Writer() != out, own)
			return nil
		}}, c, func(x *trial) { x.terminate() })
		expect(t, "result", err, nil)
		expect(t, "in the log", messages(logs, "from"), map[bool]string{true: "info: from slog; info: from log"}[own])
		expect(t, "slog.Default is restored", slog.Default(), before)
		expect(t, "the standard log is restored", log.Writer() == out && log.Flags() == flags, true)
	}
}

func TestStop_StandardLogHangs(t *testing.T) {
	before, out, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() { slog.SetDefault(before); log.SetOutput(out); log.SetFlags(flags) }()
	seen, _ := observer.New(zap.DebugLevel)
	release := make(chan struct{})
	hang := core{Core: seen, write: func() { <-release }}
	ctx, stop := context.WithCancel(host.NewContext(t.Context(), host.Env{Own: true, Exit: func(int) {}}))
	var printing sync.WaitGroup
	ended := make(chan error)
	go func() {
		ended <- daemon.Run(ctx, program{start: func(context.Context) error {
			printing.Go(func() { log.Print("it has the lock of the standard log") })
			stop()
			return nil
		}}, daemon.Config{Name: "trial", Logger: zap.New(hang)})
	}()
	// In real time: for synctest, waiting for a lock does not block durably.
	select {
	case err := <-ended:
		expect(t, "result", err, nil)
	case <-time.After(time.Minute):
		t.Error("it does not end")
	}
	close(release)
	printing.Wait()
}

func TestReport_CountsTheLossesOfEachLog(t *testing.T) {
	seen, logs := observer.New(zap.InfoLevel)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(host.NewContext(t.Context(), host.Env{}))
		err := daemon.Run(ctx, program{start: func(context.Context) error { stop(); return nil }},
			daemon.Config{Name: "trial", LogAlso: []zapcore.Core{seen, leaky{zapcore.NewNopCore()}, leaky{zapcore.NewNopCore()}}})
		expect(t, "result", err, nil)
	})
	expect(t, "lost", logs.FilterMessage("stopped").All()[0].ContextMap()["lost"], any(uint64(84)))
}

func TestStop_LogAlsoHangs(t *testing.T) {
	seen, _ := observer.New(zap.InfoLevel)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(host.NewContext(t.Context(), host.Env{}))
		begun := time.Now()
		err := daemon.Run(ctx, program{start: func(context.Context) error { stop(); return nil }},
			daemon.Config{Name: "trial", LogAlso: []zapcore.Core{core{Core: seen, write: func() { pass(time.Hour) }, sync: func() { pass(time.Hour) }}}})
		expect(t, "result", err, nil)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %s", took)
		}
		pass(24 * time.Hour)
	})
}
