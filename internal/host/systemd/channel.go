package systemd

import (
	"time"

	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// Channel is how messages reach the manager: a [sdnotify.Client], or what stands in
// for it where no socket can be, as in the synthetic time of a test. Its methods are
// those of the client, and are called on one goroutine.
type Channel interface {
	Send(m sdnotify.Message, timeout time.Duration) error
	Barrier(timeout time.Duration) error
	Close() error
}

var _ Channel = (*sdnotify.Client)(nil)

// Over returns a host for a service that a manager has started itself, which hears
// it over c and wants a sign of life within watchdog, if that is not zero. clock is
// the manager's.
func Over(c Channel, watchdog time.Duration, clock func() time.Duration) *Host {
	env := Environ{notifySocket: "a channel", watchdog: watchdog, started: true}
	return newHost(env, false, func() (Channel, error) { return c, nil }, clock)
}
