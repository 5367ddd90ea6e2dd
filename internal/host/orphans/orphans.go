// Package orphans is the host that reaps processes whose parent has ended before them.
// The kernel makes them children of PID 1, or of a child subreaper, and they stay
// zombies until that waits for them: in a container whose PID 1 is the program, for good.
//
// It must never take the status of a child that the program itself waits for, however
// late that is. Nothing that the kernel says of a zombie tells an orphan from such a
// child; but package os keeps a pidfd for each child that it has started, from before the
// child runs until Wait has returned its status. So a zombie that no descriptor of this
// process refers to is nobody's. Where package os does without pidfds, nothing is reaped.
//
// A program may also have forked by other means, as C does. So that it can wait for its
// child, a zombie is reaped only at the second look, a second after the first.
//
// Only the children of the main thread are looked at. That is where orphans go; what
// another thread has forked is not one.
package orphans

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
)

// interval is the time between two looks.
const interval = time.Second

// Host reaps orphans.
type Host struct {
	reaper   reaper
	asked    bool // by the program; else it is only one of the duties of PID 1
	interval time.Duration
	stop     context.CancelFunc
	gone     chan struct{}
}

var _ host.Host = (*Host)(nil)

// New returns a host that reaps orphans, nil where none come: in a process that is not
// PID 1, unless it is asked for, and on anything but Linux.
func New(asked bool) *Host {
	if !wanted(asked) {
		return nil
	}
	return &Host{asked: asked, interval: interval, gone: make(chan struct{})}
}

// Open begins to reap.
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

// Tell does nothing: nobody listens.
func (h *Host) Tell(host.Status) {}

// Close ends it. Nothing of it can hang.
func (h *Host) Close(context.Context) {
	h.stop()
	<-h.gone
	h.reaper.close()
}

// reap is the goroutine that looks for orphans: when children have ended, but not more
// often than once in an interval, and again while one has been seen only once.
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
