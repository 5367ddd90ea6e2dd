package main

import (
	"context"

	"github.com/go-glidepath/glidepath/daemon"
)

func reloading() map[string]daemon.Program {
	return map[string]daemon.Program{
		"reload":    reloader{reload: says("RELOADED", nil)},
		"reloadctx": &tenant{},
	}
}

// tenant starts a goroutine in its first Reload, and waits in the next.
type tenant struct{ reloads int }

func (p *tenant) Start(ctx context.Context) error {
	daemon.Go(ctx, saysAtTheEnd("the goroutine of Start ends"))
	return nil
}

func (p *tenant) Reload(ctx context.Context) error {
	p.reloads++
	if p.reloads == 1 {
		daemon.Go(ctx, saysAtTheEnd("the goroutine of the first Reload ends"))
		return nil
	}
	daemon.Logger(ctx).Info("the second Reload waits")
	return saysAtTheEnd("the second Reload ends")(ctx)
}

func (p *tenant) Stop(context.Context) error { return nil }

// saysAtTheEnd logs when its context ends: a record has a time.
func saysAtTheEnd(msg string) call {
	return func(ctx context.Context) error {
		<-ctx.Done()
		daemon.Logger(ctx).Info(msg)
		return nil
	}
}
