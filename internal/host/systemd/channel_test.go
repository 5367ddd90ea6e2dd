package systemd

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// tape is a channel that records what is sent. It can be blocked.
type tape struct {
	held     chan struct{} // Send blocks until it is closed
	messages []string
	closed   bool
	barriers int
}

func (c *tape) Send(m sdnotify.Message, _ time.Duration) error {
	<-c.held
	c.messages = append(c.messages, strings.ReplaceAll(string(m), "\n", " "))
	return nil
}

func (c *tape) Barrier(time.Duration) error { c.barriers++; return nil }
func (c *tape) Close() error                { c.closed = true; return nil }

// taped opens a host whose first message is blocked until play is called.
func taped(t *testing.T, watchdog time.Duration) (h *Host, c *tape, play func()) {
	t.Helper()
	c = &tape{held: make(chan struct{})}
	begun := time.Now()
	h = NewOver(c, watchdog, func() time.Duration { return time.Since(begun) })
	h.Open(host.Run{Warn: func(msg string, _ ...zap.Field) { t.Errorf("warned: %s", msg) }})
	h.Tell(host.Status{State: lifecycle.Starting, Left: time.Minute})
	return h, c, func() { close(c.held) }
}

func (c *tape) says(t *testing.T, want ...string) {
	t.Helper()
	if got, want := strings.Join(c.messages, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !c.closed {
		t.Error("the channel is open")
	}
}

func TestNewOver_UsesTheClockOfTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, play := taped(t, 4*time.Second)
		play()
		synctest.Wait()
		h.Tell(host.Status{State: lifecycle.Running})
		h.Alive()
		<-time.After(3 * time.Second)
		h.Tell(host.Status{State: lifecycle.Reloading})
		h.Tell(host.Status{State: lifecycle.Running})
		h.Close(context.Background())
		if h.Interval() != 4*time.Second || c.barriers != 0 {
			t.Errorf("the interval is %s, and there were %d barriers", h.Interval(), c.barriers)
		}
		c.says(
			t,
			"EXTEND_TIMEOUT_USEC=5000000 STATUS=starting",
			"READY=1 STATUS=running",
			"WATCHDOG=1",
			"RELOADING=1 MONOTONIC_USEC=3000000 STATUS=reloading",
			"READY=1 STATUS=running",
		)
	})
}

func TestTell_StatesBeforeTicks(t *testing.T) {
	h, c, play := taped(t, 0)
	h.Tell(host.Status{State: lifecycle.Starting, Checkpoint: 1, Left: 3 * time.Second}) // superseded
	h.Tell(host.Status{State: lifecycle.Running})
	h.Tell(host.Status{State: lifecycle.Stopping, Left: time.Minute, Reason: "terminate"})
	h.Tell(host.Status{State: lifecycle.Stopping, Checkpoint: 1, Left: 2 * time.Second})
	h.Tell(host.Status{State: lifecycle.Stopping, Checkpoint: 2, Left: time.Second})
	play()
	h.Close(context.Background())
	c.says(
		t,
		"EXTEND_TIMEOUT_USEC=5000000 STATUS=starting",
		"READY=1 STATUS=running",
		"STOPPING=1 EXTEND_TIMEOUT_USEC=5000000 STATUS=stopping: terminate",
		"EXTEND_TIMEOUT_USEC=3000000",
	)
}

func TestAlive_NotWhileStopping(t *testing.T) {
	for name, after := range map[string]bool{"that was queued before": false, "that comes later": true} {
		t.Run(name, func(t *testing.T) {
			h, c, play := taped(t, time.Second)
			h.Tell(host.Status{State: lifecycle.Running})
			if !after {
				h.Alive()
			}
			h.Tell(host.Status{State: lifecycle.Stopping, Left: time.Minute, Reason: "terminate"})
			if after {
				h.Alive()
			}
			play()
			h.Close(context.Background())
			c.says(
				t,
				"EXTEND_TIMEOUT_USEC=5000000 STATUS=starting",
				"READY=1 STATUS=running",
				"STOPPING=1 EXTEND_TIMEOUT_USEC=5000000 STATUS=stopping: terminate",
			)
		})
	}
}

func TestTell_UnreadReloadsBecomeTheLatestOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, play := taped(t, 0)
		h.Tell(host.Status{State: lifecycle.Running})
		for range 1000 {
			<-time.After(time.Second)
			h.Tell(host.Status{State: lifecycle.Reloading})
			h.Tell(host.Status{State: lifecycle.Running, Err: errors.New("it failed")})
		}
		<-time.After(time.Second)
		h.Tell(host.Status{State: lifecycle.Reloading})
		<-time.After(time.Second)
		h.Tell(host.Status{State: lifecycle.Running})
		h.Tell(host.Status{State: lifecycle.Stopping, Left: time.Minute, Reason: "terminate"})
		play()
		h.Close(context.Background())
		if n := len(c.messages); n > maxQueued+4 {
			t.Errorf("it is told %d messages", n)
		}
		c.messages = append(c.messages[:2], c.messages[len(c.messages)-3:]...)
		c.says(
			t,
			"EXTEND_TIMEOUT_USEC=5000000 STATUS=starting",
			"READY=1 STATUS=running",
			"RELOADING=1 MONOTONIC_USEC=1001100000 STATUS=reloading", // when it began, not when it was read
			"READY=1 STATUS=running",
			"STOPPING=1 EXTEND_TIMEOUT_USEC=5000000 STATUS=stopping: terminate",
		)
	})
}

// deaf is a channel to a manager that reads nothing.
type deaf struct{ tape }

func (*deaf) Send(_ sdnotify.Message, timeout time.Duration) error {
	<-time.After(timeout)
	return os.ErrDeadlineExceeded
}

func TestClose_CountsTheTimeAlreadyWaited(t *testing.T) {
	for name, test := range map[string]struct{ before, want time.Duration }{
		"since now":              {0, barrierTimeout},
		"since half a second":    {barrierTimeout / 2, barrierTimeout / 2},
		"since much longer":      {time.Hour, patience},
		"and wants to be pinged": {time.Hour, patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := NewOver(&deaf{}, time.Minute, func() time.Duration { return 0 })
				h.Open(host.Run{})
				if strings.Contains(name, "pinged") {
					h.Alive()
				} else {
					h.Tell(host.Status{State: lifecycle.Running})
				}
				<-time.After(test.before)
				h.Tell(host.Status{State: lifecycle.Stopping, Left: time.Minute})
				ctx, cancel := context.WithTimeout(context.Background(), barrierTimeout)
				defer cancel()
				begun := time.Now()
				h.Close(ctx)
				if took := time.Since(begun); took > test.want+patience {
					t.Errorf("it is waited for for %s, want %s", took, test.want)
				}
			})
		})
	}
}
