// Package scm implements the host of a Windows service. It connects the run to the service control
// manager.
//
// The manager uses two threads. On one it calls control, which turns controls into requests. On
// the other it calls main, which reports each state of the run, in order, until it has reported
// STOPPED:
//
//	run                               manager
//	Starting                          START_PENDING
//	Running, Reloading                RUNNING
//	Pausing, Paused, Continuing       PAUSE_PENDING, PAUSED, CONTINUE_PENDING
//	Stopping, Stopped                 STOP_PENDING, STOPPED
package scm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// Host implements host.Host for a Windows service.
type Host struct {
	api       API
	args      []string
	connected chan struct{} // closed by main when it has registered and reported START_PENDING
	gone      chan struct{} // closed when the dispatcher has returned
	dispatch  error         // the result of the dispatcher
	register  error

	run         host.Run
	open        atomic.Bool
	told        atomic.Uint32 // the last lifecycle.State that the run told
	preshutdown atomic.Int64  // the time that the service has before a shutdown

	mu       sync.Mutex
	queue    []host.Status // not reported yet
	reported chan struct{} // closed when the whole queue is reported, nil if nobody waits for that
	changed  chan struct{} // closed when a new state is reported
	wake     chan struct{}

	hearing host.Delivery

	last   Status // the last status reported
	warned bool
}

var _ host.Starter = (*Host)(nil)

// Connect connects to the manager and reports that the service starts. It returns when the manager
// has called ServiceMain. A process has to call it within 30 s of its start
// (StartServiceCtrlDispatcher, "Remarks"). Connect returns ErrNotService if this process is not a
// service.
func Connect(api API) (*Host, error) {
	h := newHost(api)
	go func() {
		defer close(h.gone)
		h.dispatch = api.Dispatch(h.main)
	}()
	select {
	case <-h.connected:
		if h.register != nil {
			return nil, fmt.Errorf("register with the service control manager: %w", h.register)
		}
		return h, nil
	case <-h.gone:
		if h.dispatch == nil {
			return nil, errors.New("the service control manager disconnected before the service was started")
		}
		return nil, fmt.Errorf("connect to the service control manager: %w", h.dispatch)
	}
}

func newHost(api API) *Host {
	return &Host{
		api:       api,
		connected: make(chan struct{}),
		gone:      make(chan struct{}),
		changed:   make(chan struct{}),
		wake:      make(chan struct{}, 1),
	}
}

// Args returns the arguments of StartService, without the name of the service.
func (h *Host) Args() []string {
	if len(h.args) < 2 {
		return nil
	}
	return h.args[1:]
}

// Open starts to accept controls. Unless children are kept, it confines those that are started
// from now on.
func (h *Host) Open(run host.Run) {
	h.run = run
	h.open.Store(true)
	if run.KeepChildren {
		return
	}
	if err := h.api.Confine(); err != nil {
		run.Warn("processes that the service starts will not end with it", zap.Error(err))
	}
}

// Tell queues s. It waits until s is reported if the program is called next. Consecutive checkpoints
// in the queue are merged.
func (h *Host) Tell(s host.Status) {
	h.told.Store(uint32(s.State))
	h.mu.Lock()
	if n := len(h.queue); n > 0 && s.Checkpoint > 0 && h.queue[n-1].Checkpoint > 0 {
		h.queue[n-1] = s
	} else {
		h.queue = append(h.queue, s)
	}
	if h.reported == nil && s.Precedes() {
		h.reported = make(chan struct{})
	}
	reported := h.reported
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	if s.Precedes() {
		h.hearing.Await(reported)
	}
}

// Close waits until the end is reported and the manager has disconnected, or until ctx ends. A
// process that exits earlier has failed as far as the manager knows.
func (h *Host) Close(ctx context.Context) {
	select {
	case <-h.gone:
	case <-ctx.Done():
	}
}

// main implements ServiceMain.
func (h *Host) main(args []string) {
	h.args = args
	if h.register = h.api.Register(h.control); h.register != nil {
		close(h.connected)
		return
	}
	h.report(host.Status{State: lifecycle.Starting, Left: maxHint})
	close(h.connected)
	for h.last.State != win32.Stopped {
		<-h.wake
		for queue := h.take(); queue != nil; queue = h.take() {
			for _, s := range queue {
				h.report(s)
			}
		}
	}
}

// take returns the queue and empties it. It returns nil if everything is reported.
func (h *Host) take() []host.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	queue := h.queue
	h.queue = nil
	if queue == nil && h.reported != nil {
		close(h.reported)
		h.reported = nil
	}
	return queue
}

var states = map[lifecycle.State]win32.State{
	lifecycle.Starting:   win32.StartPending,
	lifecycle.Running:    win32.Running,
	lifecycle.Reloading:  win32.Running,
	lifecycle.Pausing:    win32.PausePending,
	lifecycle.Paused:     win32.Paused,
	lifecycle.Continuing: win32.ContinuePending,
	lifecycle.Stopping:   win32.StopPending,
	lifecycle.Stopped:    win32.Stopped,
}

const (
	// maxHint is several times the interval of checkpoints, so that a late one does no harm.
	maxHint = 5 * time.Second

	// hintMargin is the time that the process needs, in addition to the budget, to flush its
	// log and to report the next state.
	hintMargin = 2 * time.Second
)

// report reports s, unless that would repeat the last status.
func (h *Host) report(s host.Status) {
	if s.State == lifecycle.Running && h.run.Preshutdown && h.preshutdown.Load() == 0 {
		h.preshutdown.Store(int64(h.api.PreshutdownTimeout())) // before PRESHUTDOWN is accepted
	}
	next := Status{State: states[s.State]}
	next.Accepted = h.accepted(next.State)
	if next.State.Pending() {
		next.CheckPoint = 1
		if next.State == h.last.State {
			next.CheckPoint = h.last.CheckPoint + 1
		}
		next.WaitHint = min(maxHint, max(s.Left, 0)+hintMargin)
	}
	if next.State == win32.Stopped {
		next.ExitCode, next.SpecificCode = exitCode(s)
	}
	if next == h.last {
		return
	}
	if err := h.api.Report(next); err != nil && !h.warned && h.open.Load() {
		h.warned = true
		h.run.Warn("the service control manager cannot be told the state of the service",
			zap.Stringer("state", next.State), zap.Error(err))
	}
	if next.State != h.last.State {
		h.mu.Lock()
		close(h.changed)
		h.changed = make(chan struct{})
		h.mu.Unlock()
	}
	h.last = next
}

// exitCode returns the exit codes that STOPPED carries for s: the Windows error in s.Err if the
// run failed with code 1 and has one, otherwise our own code as the service-specific code.
//
// After a stop that the manager requested it returns 0, even if something failed while stopping.
// With SERVICE_FAILURE_ACTIONS_FLAG, which install sets, any other code makes the manager start a
// service again that was stopped on purpose.
func exitCode(s host.Status) (win32.Errno, uint32) {
	switch s.Trigger {
	case host.TriggerStop, host.TriggerShutdown, host.TriggerPreshutdown:
		return win32.NoError, 0
	}
	if s.Code == 0 {
		return win32.NoError, 0
	}
	if code, ok := errnoOf(s.Err); ok && s.Code == 1 {
		return code, 0
	}
	return win32.ErrorServiceSpecific, uint32(s.Code)
}
