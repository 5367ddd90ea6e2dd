package daemon_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host"
)

// program is a Program made of functions, each of which may be nil.
type program struct {
	start, stop func(context.Context) error
}

func (p program) Start(ctx context.Context) error { return call(ctx, p.start) }
func (p program) Stop(ctx context.Context) error  { return call(ctx, p.stop) }

func call(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// able is a program with every ability.
type able struct {
	program
	reload, pause, resume, check func(context.Context) error
}

func (p able) Reload(ctx context.Context) error   { return call(ctx, p.reload) }
func (p able) Pause(ctx context.Context) error    { return call(ctx, p.pause) }
func (p able) Continue(ctx context.Context) error { return call(ctx, p.resume) }
func (p able) Check(ctx context.Context) error    { return call(ctx, p.check) }

// trial is a run under a manager that records what it is told.
type trial struct {
	t        *testing.T
	interval time.Duration // the interval of the manager's watchdog
	own      bool          // the process belongs to the run
	run      host.Run
	begun    time.Time
	cancel   context.CancelCauseFunc
	logs     *observer.ObservedLogs
	result   chan error

	mu     sync.Mutex
	told   []host.Status
	signs  []time.Duration // when the manager got signs of life
	exit   int             // the exit code of the process, -1 if it did not exit
	closed time.Time
}

// try runs p in a bubble of synthetic time. body makes requests; when it returns, the run must
// have been asked to stop.
func try(t *testing.T, p daemon.Program, c daemon.Config, body func(*trial)) (*trial, error) {
	t.Helper()
	x := &trial{t: t, exit: -1, result: make(chan error, 1)}
	return x, x.try(p, c, body)
}

func (x *trial) try(p daemon.Program, c daemon.Config, body func(*trial)) (err error) {
	if c.Name == "" {
		c.Name = "trial"
	}
	synctest.Test(x.t, func(t *testing.T) {
		x.result = make(chan error, 1)
		x.begun = time.Now()
		if c.Logger == nil {
			core, logs := observer.New(zap.DebugLevel)
			c.Logger, x.logs = zap.New(core), logs
		}
		var ctx context.Context
		ctx, x.cancel = context.WithCancelCause(t.Context())
		defer x.cancel(nil)
		ctx = host.NewContext(ctx, host.Env{
			Hosts: []host.Host{(*manager)(x)},
			Exit:  func(code int) { x.exit = code },
			Own:   x.own,
		})
		go func() { x.result <- daemon.Run(ctx, p, c) }()
		synctest.Wait()
		body(x)
		err = <-x.result
		pass(24 * time.Hour) // until everything that was given up has ended
	})
	return err
}

// ask posts q and waits until all goroutines are idle.
func (x *trial) ask(q host.Request) {
	x.run.Post(q)
	synctest.Wait()
}

// sleep lets d pass and waits until all goroutines are idle.
func (x *trial) sleep(d time.Duration) {
	pass(d)
	synctest.Wait()
}

// terminate makes the request of a SIGTERM.
func (x *trial) terminate() {
	x.ask(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"})
}

// force makes the request of a second Ctrl-C.
func (x *trial) force() { x.ask(host.Request{Action: host.Force, Signal: 2, Detail: "SIGINT"}) }

// states returns the states that the manager was told, without repetitions.
func (x *trial) states() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var names []string
	for _, s := range x.told {
		if s.Checkpoint == 0 {
			names = append(names, s.State.String())
		}
	}
	return strings.Join(names, " ")
}

// last returns the last status that the manager was told.
func (x *trial) last() host.Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.told[len(x.told)-1]
}

// logged returns the only line with msg.
func (x *trial) logged(msg string) observer.LoggedEntry {
	x.t.Helper()
	lines := x.logs.FilterMessage(msg).All()
	if len(lines) != 1 {
		x.t.Fatalf("%d lines %q in the log:\n%v", len(lines), msg, x.logs.All())
	}
	return lines[0]
}

// manager implements the host of a trial.
type manager trial

func (m *manager) Open(run host.Run) { m.run = run }

func (m *manager) Tell(s host.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, s)
}

func (m *manager) Close(context.Context) { m.closed = time.Now() }

func (m *manager) Interval() time.Duration { return m.interval }

func (m *manager) Alive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signs = append(m.signs, time.Since(m.begun))
}

// pass waits for d. It is only called in a bubble of synthetic time, so it takes no real time.
func pass(d time.Duration) { <-time.After(d) }

// blocked blocks until ctx ends and returns its error.
func blocked(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// until returns a method that blocks for d, whatever happens, and then returns err.
func until(d time.Duration, err error) func(context.Context) error {
	return func(context.Context) error {
		pass(d)
		return err
	}
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

var errBoom = errors.New("boom")
