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

// program is made of functions, each of which may be nil.
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

// trial is a run under a manager that notes what it hears.
type trial struct {
	t        *testing.T
	interval time.Duration // of the manager's watchdog
	own      bool          // the process is the run's
	run      host.Run
	begun    time.Time
	cancel   context.CancelCauseFunc
	logs     *observer.ObservedLogs
	result   chan error

	mu     sync.Mutex
	told   []host.Status
	signs  []time.Duration // when the program was alive
	exit   int             // what the process exited with, -1 if it did not
	closed time.Time
}

// try runs p in a bubble of synthetic time. body asks for this and that; when it
// returns, the run must have been asked to stop.
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
		pass(24 * time.Hour) // until what was given up has come to its end
	})
	return err
}

// ask asks for something and waits until all that follows at once has happened.
func (x *trial) ask(q host.Request) {
	x.run.Post(q)
	synctest.Wait()
}

// sleep lets d pass, and waits until all that follows at once has happened.
func (x *trial) sleep(d time.Duration) {
	pass(d)
	synctest.Wait()
}

// terminate is a SIGTERM.
func (x *trial) terminate() {
	x.ask(host.Request{Trigger: host.TriggerTerminate, Detail: "SIGTERM"})
}

// force is a second Ctrl-C.
func (x *trial) force() { x.ask(host.Request{Action: host.Force, Signal: 2, Detail: "SIGINT"}) }

// states is what the manager has heard, without repetitions.
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

// last is what the manager heard last.
func (x *trial) last() host.Status {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.told[len(x.told)-1]
}

// logged returns the one line with msg.
func (x *trial) logged(msg string) observer.LoggedEntry {
	x.t.Helper()
	lines := x.logs.FilterMessage(msg).All()
	if len(lines) != 1 {
		x.t.Fatalf("%d lines %q in the log:\n%v", len(lines), msg, x.logs.All())
	}
	return lines[0]
}

// manager is the trial as a host.
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

// pass lets d pass. All that calls it is in a bubble of synthetic time, where it
// takes none.
func pass(d time.Duration) { <-time.After(d) }

// blocked blocks until ctx ends and says how it ended.
func blocked(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// until blocks for d whatever happens.
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
