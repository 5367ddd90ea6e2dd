package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

// withLevel returns a Config with a log whose level the run can set, and its records.
func withLevel(at zapcore.Level) (daemon.Config, *observer.ObservedLogs) {
	level := zap.NewAtomicLevelAt(at)
	core, logs := observer.New(level)
	return daemon.Config{Logger: zap.New(core), LogLevel: level}, logs
}

func messages(logs *observer.ObservedLogs, with string) string {
	var all []string
	for _, e := range logs.FilterMessageSnippet(with).All() {
		all = append(all, e.Level.String()+": "+e.Message)
	}
	return strings.Join(all, "; ")
}

func TestStepLevel_WhileTheProgramRuns(t *testing.T) {
	c, logs := withLevel(zap.InfoLevel)
	_, err := try(t, program{}, c, func(x *trial) {
		expect(t, "hosts may ask for it", x.run.LevelControls, true)
		for _, a := range []host.Action{
			host.MoreVerbose, host.MoreVerbose, // debug is the lowest
			host.LessVerbose, host.LessVerbose, host.LessVerbose, host.LessVerbose, // error is the highest
		} {
			x.ask(host.Request{Action: a, Detail: "SIGUSR"})
		}
		expect(t, "the level", c.LogLevel.Level(), zap.ErrorLevel)
		x.ask(host.Request{Action: host.MoreVerbose, Detail: "SIGUSR"})
		expect(t, "states", x.states(), "starting running")
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "messages", messages(logs, "the level of the log"),
		"info: the level of the log is debug; info: the level of the log is debug; "+
			"info: the level of the log is info; info: the level of the log is warn; "+
			"warn: the level of the log is error; error: the level of the log is error; "+
			"warn: the level of the log is warn")
}

func TestStepLevel_NotOfferedIfTheLevelIsFixed(t *testing.T) {
	for name, c := range map[string]daemon.Config{
		"a log whose level is unknown":   {Logger: zap.NewNop()},
		"a program that keeps its level": {Logger: zap.NewNop(), LogLevel: zap.NewAtomicLevel(), KeepLevel: true},
	} {
		_, err := try(t, program{}, c, func(x *trial) {
			expect(t, name+": the level can be changed", x.run.LevelControls, false)
			x.terminate()
		})
		expect(t, "result", err, nil)
	}
}

func TestReload_ReadsTheLevelBeforeTheProgramReloads(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CONFIGURATION_DIRECTORY", dir)
	file := filepath.Join(dir, "log-level")
	write := func(level string) {
		if err := os.WriteFile(file, []byte(level), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, logs := withLevel(zap.InfoLevel)
	write("warn")
	var seen []string
	run := func(ctx context.Context) error {
		seen = append(seen, c.LogLevel.Level().String())
		return nil
	}
	x := &trial{t: t, exit: -1, own: true}
	err := x.try(able{program: program{start: run}, reload: run}, c, func(x *trial) {
		write("debug")
		x.ask(reload)
		write("nonsense")
		x.ask(reload)
		x.ask(host.Request{Action: host.LessVerbose, Detail: "SIGUSR2"})
		write("error")
		x.ask(reload)
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		x.ask(reload)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "levels in Start and each Reload", strings.Join(seen, " "), "warn debug debug error info")
	if got := messages(logs, "stays what it is"); !strings.HasPrefix(got, "warn: ") || strings.Contains(got, ";") {
		t.Errorf("messages about the wrong level: %q", got)
	}
}

// flushed counts how often it is flushed.
type flushed struct {
	zapcore.Core
	n *int
}

func (s flushed) With(f []zapcore.Field) zapcore.Core { return flushed{s.Core.With(f), s.n} }
func (s flushed) Sync() error                         { *s.n++; return nil }

func TestReload_ReopensTheLogBeforeTheProgramReloads(t *testing.T) {
	c, _ := withLevel(zap.InfoLevel)
	n, before := 0, 0
	c.Logger = zap.New(flushed{c.Logger.Core(), &n})
	_, err := try(t, able{reload: func(context.Context) error { before = n; return nil }}, c, func(x *trial) {
		expect(t, "flushed in Start", n, 0)
		x.ask(reload)
		expect(t, "flushed before Reload", before, 1)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "flushed in all", n, 2)

	n = 0
	_, err = try(t, program{}, c, func(x *trial) {
		x.ask(reload)
		expect(t, "flushed for a program that cannot reload", n, 1)
		x.terminate()
	})
	expect(t, "result", err, nil)
}
