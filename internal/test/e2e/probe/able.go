package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/daemon/event"
)

// pauser is the ability of a daemon.Pauser.
type pauser struct{ o *options }

func (p pauser) Pause(ctx context.Context) error    { return p.turn(ctx, "pause") }
func (p pauser) Continue(ctx context.Context) error { return p.turn(ctx, "continue") }

func (p pauser) turn(ctx context.Context, what string) error {
	p.o.notes.add(what)
	switch p.o.pause {
	case "fail":
		return fmt.Errorf("probe: %w", syscall.EACCES)
	case "slow":
		if err := pass(ctx, 3*time.Second); err != nil {
			p.o.notes.add(what + " cut short")
			return err
		}
	}
	p.o.notes.add(what + "d")
	return nil
}

// notified is the ability of a daemon.Notified.
type notified struct{ o *options }

func (n notified) Notify(_ context.Context, e event.Event) { n.o.notes.add("event: " + e.String()) }
