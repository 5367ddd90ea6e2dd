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

// name is that of the file which keeps the count between two runs, in the service's
// own folder. The one with the executable is for administrators only.
const name = "counter.txt"

// report is our own control.
const report = 200

// counter is a daemon.Program, a daemon.Pauser, a daemon.Reloader and a
// daemon.Notified.
type counter struct {
	file string

	mu     sync.Mutex
	count  int
	paused bool // by a control
	asleep bool // the system is about to sleep
}

// Start goes on from the argument of the start, or from where the last run ended.
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

// Stop keeps the count. What is lost if the system goes down before it has returned
// is what PRESHUTDOWN is for.
func (c *counter) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := os.WriteFile(c.file, []byte(strconv.Itoa(c.count)), 0o600); err != nil {
		return fmt.Errorf("keep the count: %w", err)
	}
	daemon.Logger(ctx).Info("kept", zap.Int("count", c.count))
	return nil
}

// Pause is SERVICE_CONTROL_PAUSE.
func (c *counter) Pause(context.Context) error { c.set(&c.paused, true); return nil }

// Continue is SERVICE_CONTROL_CONTINUE.
func (c *counter) Continue(context.Context) error { c.set(&c.paused, false); return nil }

func (c *counter) set(what *bool, to bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what = to
}

// Reload is SERVICE_CONTROL_PARAMCHANGE: it reads the file anew.
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
		return fmt.Errorf("%w: %s holds no number: %w", daemon.ErrConfig, c.file, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count = count
	return nil
}

// Notify is what else Windows tells its services.
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
		// A program that shows something in a session, or that keeps appointments,
		// would act on these.
	}
	log.Info("heard")
}
