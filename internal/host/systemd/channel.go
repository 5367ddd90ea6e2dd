package systemd

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// Channel carries messages to the manager. It is a [sdnotify.Client], or a double where there
// can be no socket, as in the synthetic time of a test. Its methods work like those of the
// client, and are called on one goroutine.
type Channel interface {
	Send(m sdnotify.Message, timeout time.Duration) error
	Barrier(timeout time.Duration) error
	Close() error
}

var _ Channel = (*sdnotify.Client)(nil)

// NewOver returns a host that sends to a manager over c. The manager has started the process
// itself, and expects a sign of life within watchdog, unless that is zero. clock returns the
// manager's time.
func NewOver(c Channel, watchdog time.Duration, clock func() time.Duration) *Host {
	env := Environ{notifySocket: "a channel", watchdog: watchdog, started: true}
	return newHost(env, false, func() (Channel, error) { return c, nil }, clock)
}
