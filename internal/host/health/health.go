package health

import (
	"context"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// Host answers questions about the health of the run.
type Host struct {
	name   string
	listen func(name string) (listener, error)
	run    host.Run

	end      context.CancelFunc
	listener listener
	ended    chan struct{} // closed when no more clients are answered

	mu    sync.Mutex
	state lifecycle.State
	last  Answer
}

// listener accepts clients.
type listener interface {
	// accept returns the next client that may ask, or an error after close.
	accept() (io.WriteCloser, error)

	// close makes accept return.
	close()
}

// retryAfter is the pause after a failed accept, for example if the process has no descriptors
// left.
const retryAfter = time.Second

// New returns the host for a run of the program called name.
func New(name string) *Host {
	return &Host{name: name, listen: listen, last: Answer{State: lifecycle.Starting.String(), Since: time.Now()}}
}

// Open begins to listen. If it cannot, the run goes on, and the command status prints only
// what the service manager knows.
func (h *Host) Open(r host.Run) {
	h.run = r
	l, err := h.listen(h.name)
	if err != nil {
		r.Debug("nobody can ask this run for its status", zap.Error(err))
		return
	}
	h.serve(l)
}

// serve begins to answer the clients of l.
func (h *Host) serve(l listener) {
	var ctx context.Context
	ctx, h.end = context.WithCancel(context.Background())
	h.listener, h.ended = l, make(chan struct{})
	go func() {
		defer close(h.ended)
		for ctx.Err() == nil {
			conn, err := l.accept()
			if err != nil {
				sleep(ctx, retryAfter)
				continue
			}
			_, _ = conn.Write(h.answer(ctx).encode())
			_ = conn.Close()
		}
	}()
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// answer calls Check, and returns its result with the state of the run afterwards.
func (h *Host) answer(ctx context.Context) Answer {
	ctx, cancel := context.WithTimeout(ctx, checkBound)
	defer cancel()
	err := h.run.Check(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.last
	if err != nil && h.state != lifecycle.Stopping && h.state != lifecycle.Stopped {
		a.Unhealthy = err.Error()
	}
	return a
}

// Tell keeps the state for the next answer.
func (h *Host) Tell(s host.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.State != h.state {
		h.last.Since = time.Now()
	}
	h.state, h.last.State, h.last.Reason = s.State, s.State.String(), s.Reason
}

// Close stops listening. A client that waits for an answer gets one.
func (h *Host) Close(ctx context.Context) {
	if h.listener == nil {
		return
	}
	h.end()
	h.listener.close()
	select {
	case <-h.ended:
	case <-ctx.Done():
	}
}
