package daemon

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// sink logs where the host keeps logs. No log call waits longer than 50 ms, and none while
// the host takes nothing. At the end, Drain sends everything as long as the host takes it.
// Close sends the records that were logged after that; its error says how many were lost
// without being reported.
type sink interface {
	zapcore.Core
	Lost() uint64
	Untold() uint64 // how many lost records no record has reported
	Drain(ctx context.Context) error
	Close(ctx context.Context) error
}

// target names a kind of sink.
type target string

// The targets, as in LOG_TARGET.
const (
	toTerminal target = "terminal" // standard error, for a person
	toJSON     target = "json"     // standard output, one object a line
	toJournal  target = "journal"  // the journal of systemd
	toPrefixed target = "prefixed" // standard error, for a journal that reads it
	toSyslog   target = "syslog"
	toEventLog target = "eventlog" // the Event Log of Windows
)

// targets returns the targets that this system has.
func targets() []target { return append([]target{toTerminal, toJSON}, hostTargets()...) }

// findTarget returns where the process of env logs. The error says what is wrong with
// LOG_TARGET.
func findTarget(env host.Env, getenv func(string) string) (target, error) {
	var err error
	if env.Own {
		wanted := target(strings.ToLower(getenv("LOG_TARGET")))
		if slices.Contains(targets(), wanted) {
			return wanted, nil
		}
		if wanted != "" {
			err = fmt.Errorf("LOG_TARGET is %q: want one of %s", wanted, strings.Trim(fmt.Sprint(targets()), "[]"))
		}
		if env.SCM {
			return toEventLog, err
		}
	}
	if terminal, _ := logtext.Look(os.Stderr, getenv); terminal {
		return toTerminal, err
	}
	if env.Own && journal.Wanted(getenv("JOURNAL_STREAM"), os.Stderr) {
		return toJournal, err
	}
	return toJSON, err
}

// open opens the sink for t. It always returns a sink; the error says why it is another one.
func (t target) open(name string, env host.Env, json logtext.JSONOptions, level zapcore.LevelEnabler) (sink, error) {
	stderr := func(f logtext.Format) sink {
		_, colour := logtext.Look(os.Stderr, os.Getenv)
		return logtext.New(logtext.Options{File: os.Stderr, Format: f, Colour: colour}, level)
	}
	stdout := func() sink {
		f := os.Stdout
		if !env.Own {
			f = os.Stderr // standard output is not ours
		}
		return logtext.New(logtext.Options{File: f, JSON: json}, level)
	}
	switch t {
	case toTerminal:
		return stderr(logtext.Terminal), nil
	case toPrefixed:
		return stderr(logtext.Prefixed), nil
	case toJSON:
		return stdout(), nil
	}
	s, err := t.openHost(name, level)
	switch {
	case err == nil:
		return s, nil
	case t == toJournal:
		return stderr(logtext.Prefixed), fmt.Errorf("the log goes to the journal by standard error: %w", err)
	}
	return stdout(), fmt.Errorf("the log goes to standard output: %w", err)
}

// logName returns the name under which the records are found, which install has registered.
func logName(c Config, env host.Env, getenv func(string) string) string {
	if i := getenv("SERVICE_INSTANCE"); env.Own && c.Service.Template && i != "" {
		return c.Name + "@" + i
	}
	return c.Name
}

// hostLog opens the log where the host keeps logs, for a run without a Config.Logger. The
// errors are for the log itself.
func hostLog(c Config, env host.Env, level zapcore.LevelEnabler) (*zap.Logger, sink, []error) {
	t, wrong := findTarget(env, os.Getenv)
	keys, unknown := findKeys(c, env, os.Getenv)
	json := logtext.JSONOptions{Keys: keys, Service: logName(c, env, os.Getenv), MaxLine: c.MaxLogLine}
	if keys != "" { // names other than the default include the version
		json.Version = c.version()
	}
	s, err := t.open(json.Service, env, json, level)
	core := zapcore.Core(s)
	if len(c.LogAlso) > 0 {
		cores := []zapcore.Core{s}
		for _, also := range c.LogAlso {
			cores = append(cores, levelled{also, level})
		}
		core = zapcore.NewTee(cores...)
	}
	var options []zap.Option
	if t != toTerminal {
		options = append(options, zap.AddCaller())
	}
	return zap.New(core, options...), s, slices.DeleteFunc([]error{wrong, unknown, err}, func(err error) bool { return err == nil })
}

// levelled logs only the records that both the core and the level of the run let through.
type levelled struct {
	zapcore.Core
	level zapcore.LevelEnabler
}

func (c levelled) Enabled(l zapcore.Level) bool { return c.level.Enabled(l) && c.Core.Enabled(l) }

func (c levelled) With(fields []zapcore.Field) zapcore.Core {
	return levelled{c.Core.With(fields), c.level}
}

func (c levelled) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.level.Enabled(e.Level) {
		return c.Core.Check(e, ce)
	}
	return ce
}
