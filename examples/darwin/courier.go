package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

// lookEvery is how often the courier looks for letters.
const lookEvery = 250 * time.Millisecond

// courier implements daemon.Program and daemon.Reloader.
type courier struct {
	pace time.Duration

	outbox, delivered string // folders
	look              chan struct{}
}

// Start makes the folders. For a daemon they are in /Library/Application Support/courier.
// For an agent, and in a terminal, they are in the user's own Library.
func (c *courier) Start(ctx context.Context) error {
	paths, err := daemon.Directories(ctx)
	if err != nil {
		return err
	}
	c.outbox, c.delivered = filepath.Join(paths.State, "outbox"), filepath.Join(paths.State, "delivered")
	for _, dir := range []string{c.outbox, c.delivered} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	c.look = make(chan struct{}, 1)
	daemon.Go(ctx, c.run)
	daemon.Logger(ctx).Info("at work", zap.String("outbox", c.outbox))
	return nil
}

// Stop has nothing to do: a goroutine of daemon.Go delivers the letter that is on its way,
// and the run waits for it.
func (c *courier) Stop(context.Context) error { return nil }

// Reload makes the courier look for letters at once: launchctl kill SIGHUP.
func (c *courier) Reload(context.Context) error {
	select {
	case c.look <- struct{}{}:
	default: // it looks soon anyway
	}
	return nil
}

func (c *courier) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := c.round(ctx); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-c.look:
		case <-ctx.Done():
			return nil
		}
	}
}

// round delivers the letters in the outbox. It takes no new one after ctx has ended.
func (c *courier) round(ctx context.Context) error {
	letters, err := os.ReadDir(c.outbox)
	if err != nil {
		return fmt.Errorf("look for letters: %w", err)
	}
	for _, letter := range letters {
		if ctx.Err() != nil {
			return nil
		}
		if !letter.Type().IsRegular() {
			continue
		}
		if err := c.deliver(ctx, letter.Name()); err != nil {
			return err
		}
	}
	return nil
}

// deliver delivers a letter, which takes some time. It ignores the end of ctx, so that no
// letter is half delivered.
func (c *courier) deliver(ctx context.Context, name string) error {
	log := daemon.Logger(ctx).With(zap.String("letter", name))
	log.Info("on its way", zap.Duration("takes", c.pace))
	<-time.After(c.pace)
	err := os.Rename(filepath.Join(c.outbox, name), filepath.Join(c.delivered, name))
	if errors.Is(err, fs.ErrNotExist) {
		log.Warn("it was taken back")
		return nil
	}
	if err != nil {
		return fmt.Errorf("deliver %s: %w", name, err)
	}
	log.Info("delivered")
	return nil
}
