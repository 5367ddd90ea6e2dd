// Package orphans implements the host that reaps orphans: processes whose parent ended before
// them. The kernel makes them children of PID 1 or of a child subreaper, and they stay zombies
// until their new parent waits for them. In a container whose PID 1 is the program, that would
// be forever.
//
// The host must never take the status of a child that the program itself waits for, however
// late it does. The kernel does not tell an orphan from such a child. But package os keeps a
// pidfd for each child that it started, from before the child runs until Wait has returned its
// status. So if no descriptor of this process refers to a zombie, nothing waits for it. If
// package os does not use pidfds, the host reaps nothing.
//
// A program may also fork by other means, as C code does. To let it wait for its child, the
// host reaps a zombie only when it finds it for the second time, one second after the first.
//
// The host looks only at children of the main thread. The kernel gives orphans to that thread,
// and the children of other threads are not orphans.
package orphans

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
)

// interval is the time between two searches.
const interval = time.Second

// Host reaps orphans.
type Host struct {
	reaper   reaper
	asked    bool // the program asks for it; otherwise it is just a duty of PID 1
	interval time.Duration
	stop     context.CancelFunc
	gone     chan struct{}
}

var _ host.Host = (*Host)(nil)

// New returns a host that reaps orphans. It returns nil if the process is not PID 1, unless
// asked is true, and on every system except Linux.
func New(asked bool) *Host {
	if !wanted(asked) {
		return nil
	}
	return &Host{asked: asked, interval: interval, gone: make(chan struct{})}
}

// Open begins to reap orphans. It warns if it cannot and the program asked for it.
func (h *Host) Open(run host.Run) {
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	err := h.reaper.open(h.asked)
	if err != nil {
		if h.asked {
			run.Warn("orphans are not reaped", zap.Error(err))
		}
		close(h.gone)
		return
	}
	go h.reap(ctx)
}

// Tell does nothing: there is no manager.
func (h *Host) Tell(host.Status) {}

// Close stops reaping. It does not block.
func (h *Host) Close(context.Context) {
	h.stop()
	<-h.gone
	h.reaper.close()
}

// reap looks for orphans until ctx ends: after children have ended, at most once per interval,
// and again while there are zombies that it has found only once.
func (h *Host) reap(ctx context.Context) {
	defer close(h.gone)
	ended, stop := childrenEnd()
	defer stop()
	for {
		if !h.reaper.reapOnce() {
			select {
			case <-ended:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(h.interval):
		case <-ctx.Done():
			return
		}
	}
}
