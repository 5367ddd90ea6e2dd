package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

type probe struct {
	options
	ctx context.Context // of Start
}

func (p *probe) Start(ctx context.Context) error {
	p.ctx = ctx
	p.notes.add("starting")
	if p.why {
		dir, err := os.Getwd()
		p.notes.add(fmt.Sprintf("in %s, %v, with %q", dir, err, daemon.StartArgs(ctx)))
	}
	if p.startIgnoresContext {
		select {}
	}
	if err := pass(ctx, p.startAfter); err != nil {
		return err
	}
	switch {
	case p.startConfigError:
		return fmt.Errorf("probe: %w", daemon.ErrConfig)
	case p.startFail:
		return fmt.Errorf("probe: %w", syscall.ENOENT)
	}
	if err := p.spawnChild(ctx); err != nil {
		return err
	}
	if err := p.leaveChild(); err != nil {
		return err
	}
	if err := p.takeSockets(ctx); err != nil {
		return err
	}
	if p.failAfter > 0 {
		daemon.Go(ctx, func(ctx context.Context) error {
			if pass(ctx, p.failAfter) == nil {
				daemon.Fail(ctx, errors.New("as asked by -fail-after"))
			}
			return nil
		})
	}
	if p.panicAfter > 0 {
		daemon.Go(ctx, func(ctx context.Context) error {
			if pass(ctx, p.panicAfter) == nil {
				panic("as asked by -panic-after")
			}
			return nil
		})
	}
	if p.children > 0 || p.orphans > 0 {
		daemon.Go(ctx, p.beget)
	}
	if p.chatter {
		daemon.Go(ctx, p.chat)
	}
	if p.log != "" {
		p.writeLog(ctx)
	}
	die(p.die)
	p.notes.add("started")
	return nil
}

func (p *probe) Stop(ctx context.Context) error {
	p.notes.add("stopping")
	if p.why {
		deadline, _ := ctx.Deadline()
		p.notes.add(fmt.Sprintf("%v within %s", context.Cause(p.ctx), time.Until(deadline).Round(100*time.Millisecond)))
	}
	if p.stopIgnoresDeadline {
		select {}
	}
	if err := pass(ctx, p.stopAfter); err != nil {
		return err
	}
	if p.stopFail {
		return errors.New("as asked by -stop-fail")
	}
	p.notes.add("stopped")
	return nil
}

// job is a program whose work has an end.
func job(o options) daemon.Program {
	return daemon.Func(func(ctx context.Context, ready func()) error {
		ready()
		return pass(ctx, o.job)
	})
}

// pass lets d pass, or returns why it may not.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
