// Package systemd implements the host that tells systemd about the run. Requests of systemd
// arrive as signals, which package console handles.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

const (
	// extension is the time that one EXTEND_TIMEOUT_USEC requests. It is several ticks of
	// the run, so that a late tick does no harm.
	extension = 5 * time.Second

	// margin is the time that the process needs to exit after its budget has ended.
	margin = 2 * time.Second

	// patience limits how long one write waits for room in the manager's queue before
	// checking whether the run has ended.
	patience = 100 * time.Millisecond

	// barrierTimeout limits how long a manager that does not answer or read delays the exit.
	barrierTimeout = time.Second
)

// Host sends notifications to systemd. It sends them in order on one goroutine, so that a
// manager that reads slowly delays nothing else.
type Host struct {
	env   Environ
	exits bool
	dial  func() (Channel, error)
	clock func() time.Duration // the manager's clock, for MONOTONIC_USEC
	warn  func(string, ...zap.Field)

	mu       sync.Mutex
	states   queue       // not sent yet
	tick     host.Status // worth sending only while it is the newest
	ticked   bool
	stuck    time.Time // when the manager stopped reading, zero if it reads
	alive    bool
	stopping bool          // the run is stopping
	idle     bool          // nothing is being sent
	allSent  chan struct{} // closed when all states are sent, nil if nothing waits for that
	closeBy  time.Time     // zero until Close; nothing follows, and sending has to end by then

	delivery host.Delivery

	wake     chan struct{}
	sendDone chan struct{}
	stop     context.CancelFunc
}

var _ host.Watchdog = (*Host)(nil)

// New returns a host for the given environment, nil if it names no manager. With exits, the
// process exits after the host is closed.
func New(env Environ, exits bool) *Host {
	if env.notifySocket == "" && env.bad == nil {
		return nil
	}
	return newHost(env, exits, func() (Channel, error) { return sdnotify.Dial(env.notifySocket) }, sdnotify.Monotonic)
}

func newHost(env Environ, exits bool, dial func() (Channel, error), clock func() time.Duration) *Host {
	return &Host{env: env, exits: exits, dial: dial, clock: clock, wake: make(chan struct{}, 1), sendDone: make(chan struct{})}
}

// Open begins to connect and to send.
func (h *Host) Open(run host.Run) {
	h.warn = run.Warn
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	go h.sendAll(ctx)
}

// Tell queues s. If a method of the program is called next, it waits until s is sent. It does
// not send Stopped without an error: the exit of the process says that.
func (h *Host) Tell(s host.Status) {
	if s.State == lifecycle.Stopped && s.Err == nil {
		return
	}
	h.mu.Lock()
	if s.State == lifecycle.Stopping || s.State == lifecycle.Stopped {
		h.stopping, h.alive = true, false
	}
	if s.Checkpoint > 0 {
		h.tick, h.ticked = s, s.Left > 0 && (s.State == lifecycle.Starting || s.State == lifecycle.Stopping)
	} else {
		h.states = h.states.add(queuedStatus{s, h.clock()})
		h.ticked = false
	}
	if h.allSent == nil && s.Precedes() {
		h.allSent = make(chan struct{})
	}
	heard := h.allSent
	h.mu.Unlock()
	h.wakeSender()
	if s.Precedes() {
		h.delivery.Await(heard)
	}
}

// Interval returns the time between two signs of life, as set by systemd.
func (h *Host) Interval() time.Duration {
	if h.env.notifySocket == "" {
		return 0
	}
	return h.env.watchdog
}

// Alive queues a sign of life, except while stopping. Then systemd has stopped its watchdog,
// and WATCHDOG=1 would start it again (service_reset_watchdog) at a time when the program is
// no longer checked.
func (h *Host) Alive() {
	h.mu.Lock()
	h.alive = !h.stopping
	h.mu.Unlock()
	h.wakeSender()
}

// Close waits until everything is sent. If systemd did not start this process itself, Close
// also waits until systemd has processed the messages: after the process has exited, systemd
// could not tell which service they belong to.
func (h *Host) Close(ctx context.Context) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(barrierTimeout)
	}
	h.mu.Lock()
	if !h.stuck.IsZero() {
		// Count the time already waited: the manager is unlikely to read now.
		left := max(time.Until(h.stuck.Add(barrierTimeout)), patience)
		if soon := time.Now().Add(left); soon.Before(deadline) {
			deadline = soon
		}
	}
	h.closeBy = deadline
	done := h.exits && h.env.started && h.idle && !h.pending()
	h.mu.Unlock()
	if done {
		return
	}
	h.wakeSender()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case <-h.sendDone:
	case <-ctx.Done():
	}
	h.stop()
	<-h.sendDone
}

// wakeSender tells the sending goroutine that there is something to send.
func (h *Host) wakeSender() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// sendAll sends what is queued until Close. It runs on the goroutine that owns the connection.
func (h *Host) sendAll(ctx context.Context) {
	defer close(h.sendDone)
	channel, err := h.dial()
	if err := errors.Join(h.env.bad, err); err != nil {
		h.warn("systemd cannot be told everything; the program runs all the same", zap.Error(err))
	}
	defer func() { _ = channel.Close() }()

	w := writer{channel: channel, mainPID: h.env.mainPID, buf: make(sdnotify.Message, 0, sdnotify.Max)}
	for ctx.Err() == nil {
		s, what := h.nextItem()
		switch what {
		case itemNone:
			select {
			case <-h.wake:
			case <-ctx.Done():
			}
		case itemState:
			// The manager waits for a state, so keep trying until Close gives up.
			for h.noteBlocked(w.state(s)) && ctx.Err() == nil {
				continue
			}
		case itemTick:
			h.noteBlocked(w.tick(s.Status))
		case itemAlive:
			h.noteBlocked(w.alive())
		case itemEnd:
			if !h.env.started {
				_ = channel.Barrier(min(barrierTimeout, time.Until(h.closeBy)))
			}
			return
		}
	}
}

// noteBlocked reports whether err means that the manager does not read, and remembers since
// when.
func (h *Host) noteBlocked(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch blocked := errors.Is(err, os.ErrDeadlineExceeded); {
	case !blocked:
		h.stuck = time.Time{}
	case h.stuck.IsZero():
		h.stuck = time.Now().Add(-patience)
	}
	return !h.stuck.IsZero()
}

// item identifies what is sent next.
type item uint8

const (
	itemNone item = iota
	itemState
	itemTick
	itemAlive
	itemEnd
)

// pending reports whether there is something to send.
func (h *Host) pending() bool { return len(h.states) > 0 || h.ticked || h.alive }

// nextItem removes and returns what is sent next.
func (h *Host) nextItem() (queuedStatus, item) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = !h.pending() && h.closeBy.IsZero()
	if len(h.states) == 0 && h.allSent != nil {
		close(h.allSent)
		h.allSent = nil
	}
	switch {
	case len(h.states) > 0:
		s := h.states[0]
		h.states = h.states[1:]
		return s, itemState
	case h.ticked:
		h.ticked = false
		return queuedStatus{Status: h.tick}, itemTick
	case h.alive:
		h.alive = false
		return queuedStatus{}, itemAlive
	case !h.closeBy.IsZero():
		return queuedStatus{}, itemEnd
	}
	return queuedStatus{}, itemNone
}

// writer translates states into messages for systemd.
type writer struct {
	channel Channel
	mainPID int
	buf     sdnotify.Message
}

func (w *writer) state(s queuedStatus) error {
	m := w.buf[:0]
	switch s.State {
	case lifecycle.Starting:
		if w.mainPID > 0 {
			m = m.Number("MAINPID", int64(w.mainPID))
		}
		m = addExtension(m, s.Left).Status("starting")
	case lifecycle.Running:
		m = m.Add(sdnotify.Ready)
		switch {
		case s.Err != nil:
			m = addErrno(m, s.Err).Status("running; the last reload failed: " + fmt.Sprint(s.Err))
		default:
			m = m.Status("running")
		}
	case lifecycle.Reloading:
		m = m.ReloadingAt(s.at).Status("reloading")
	case lifecycle.Stopping:
		m = addExtension(m.Add(sdnotify.Stopping), s.Left)
		m = addErrno(m, s.Err).Status("stopping: " + s.Reason)
	case lifecycle.Stopped:
		m = addErrno(m, s.Err).Status("failed: " + fmt.Sprint(s.Err))
	default:
		m = m.Status(s.State.String())
	}
	return w.channel.Send(m, patience)
}

func (w *writer) tick(s host.Status) error {
	return w.channel.Send(addExtension(w.buf[:0], s.Left), patience)
}

func (w *writer) alive() error {
	return w.channel.Send(w.buf[:0].Add(sdnotify.Watchdog), patience)
}

// addExtension requests time up to the end of the budget plus the margin, never more: if the
// program hangs, the run gives up on it, and if the run hangs, systemd does.
func addExtension(m sdnotify.Message, left time.Duration) sdnotify.Message {
	return m.Extend(min(extension, min(left, extension)+margin))
}

// maxErrno is the largest errno of Linux. Go defines larger ones of its own.
const maxErrno = 4095

func addErrno(m sdnotify.Message, err error) sdnotify.Message {
	var no syscall.Errno
	if errors.As(err, &no) && 0 < no && no <= maxErrno {
		return m.Number("ERRNO", int64(no))
	}
	return m
}
