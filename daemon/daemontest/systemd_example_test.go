package daemontest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// exchange implements a program that needs a minute to start, and half a minute to stop.
type exchange struct{ stuck atomic.Bool }

func (e *exchange) Start(ctx context.Context) error {
	select {
	case <-time.After(time.Minute): // the time it takes to load all books
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *exchange) Stop(context.Context) error {
	<-time.After(30 * time.Second)
	return nil
}

func (e *exchange) Reload(context.Context) error { return nil }

func (e *exchange) Check(context.Context) error {
	if e.stuck.Load() {
		return errors.New("no order was matched for a while")
	}
	return nil
}

func ExampleSystemd() {
	_ = func(t *testing.T) { // func TestTheExchangeUnderSystemd(t *testing.T) {
		sd := &daemontest.Systemd{
			TimeoutStart: 10 * time.Second, // much less than it needs: package daemon extends it
			TimeoutStop:  10 * time.Second,
			Watchdog:     20 * time.Second,
		}
		err := daemontest.Drive(t, sd, &exchange{}, daemon.Config{
			StartTimeout: 2 * time.Minute,
			StopTimeout:  time.Minute,
		}, func() {
			sd.Await("active") // takes a minute of synthetic time
			if err := sd.Reload(); err != nil {
				t.Error(err)
			}
			daemontest.Sleep(time.Hour)
			sd.Stop()
			sd.Await("inactive")
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func ExampleSystemd_watchdog() {
	_ = func(t *testing.T) {
		e := &exchange{}
		sd := &daemontest.Systemd{Watchdog: 20 * time.Second, Expect: "watchdog"}
		_ = daemontest.Drive(t, sd, e, daemon.Config{StartTimeout: 2 * time.Minute}, func() {
			sd.Await("active")
			e.stuck.Store(true)
			daemontest.Sleep(time.Minute)
			if is := sd.Status(); is.ActiveState != "failed" {
				t.Errorf("an exchange that is stuck is still %s", is.ActiveState)
			}
		})
	}
}
