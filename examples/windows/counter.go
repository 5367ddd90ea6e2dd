package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/event"
)

// name is the name of the file that keeps the count between two runs, in the state folder of
// the service. The service cannot write to the folder of its executable.
const name = "counter.txt"

// report is a control of our own.
const report = 200

// counter implements daemon.Program, daemon.Pauser, daemon.Reloader and daemon.Notified.
type counter struct {
	file string

	mu     sync.Mutex
	count  int
	paused bool // by a control
	asleep bool // the system is about to sleep
}

// Start begins with the argument of the start, or with the count of the last run.
func (c *counter) Start(ctx context.Context) error {
	paths, err := daemon.Directories(ctx)
	if err != nil {
		return err
	}
	c.file = filepath.Join(paths.State, name)
	if args := daemon.StartArgs(ctx); len(args) > 0 {
		first, err := strconv.Atoi(args[0])
		if err != nil {
			return fmt.Errorf("%w: the argument of the start is %q, want a number", daemon.ErrConfig, args[0])
		}
		c.count = first
	} else if err := c.Reload(ctx); err != nil {
		return err
	}
	daemon.Go(ctx, c.run)
	return nil
}

func (c *counter) run(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-second.C:
			c.mu.Lock()
			if !c.paused && !c.asleep {
				c.count++
			}
			c.mu.Unlock()
		case <-ctx.Done():
			return nil
		}
	}
}

// Stop saves the count. With PRESHUTDOWN it has time to do so before the system goes down.
func (c *counter) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.WriteFile(c.file, []byte(strconv.Itoa(c.count)), 0o600); err != nil {
		return fmt.Errorf("keep the count: %w", err)
	}
	daemon.Logger(ctx).Info("kept", zap.Int("count", c.count))
	return nil
}

// Pause is called for SERVICE_CONTROL_PAUSE.
func (c *counter) Pause(context.Context) error { c.set(&c.paused, true); return nil }

// Continue is called for SERVICE_CONTROL_CONTINUE.
func (c *counter) Continue(context.Context) error { c.set(&c.paused, false); return nil }

func (c *counter) set(what *bool, to bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what = to
}

// Reload is called for SERVICE_CONTROL_PARAMCHANGE. It reads the count from the file.
func (c *counter) Reload(context.Context) error {
	text, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the count: %w", err)
	}
	count, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%w: %s does not contain a number: %w", daemon.ErrConfig, c.file, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count = count
	return nil
}

// Notify is called for the other events that Windows sends to its services.
func (c *counter) Notify(ctx context.Context, e event.Event) {
	log := daemon.Logger(ctx).With(zap.Stringer("event", e))
	switch e := e.(type) {
	case event.UserControl:
		if e.Code == report {
			c.mu.Lock()
			log = log.With(zap.Int("count", c.count))
			c.mu.Unlock()
		}
	case event.PowerChange:
		switch e.Type {
		case event.PowerSuspend:
			c.set(&c.asleep, true)
		case event.PowerResumeAutomatic:
			c.set(&c.asleep, false)
		}
	case event.SessionChange, event.TimeChange:
		// A program that shows something in a session, or does something at a certain time,
		// would act on these.
	}
	log.Info("heard")
}
