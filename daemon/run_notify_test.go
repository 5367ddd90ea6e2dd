package daemon_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/event"
	"github.com/go-glidepath/glidepath/internal/host"
)

// listener is a program that implements Notified.
type listener struct {
	program
	notify func(context.Context, event.Event)
}

func (p listener) Notify(ctx context.Context, e event.Event) { p.notify(ctx, e) }

// user returns a user-defined control.
func user(code uint32) host.Event { return host.Event{Kind: host.UserControl, Code: code} }

func TestNotify_EventsKeepTypeAndOrder(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var got []string
	notify := func(_ context.Context, e event.Event) {
		pass(time.Second)
		got = append(got, fmt.Sprintf("%T %s", e, e))
	}
	_, err := try(t, listener{notify: notify}, daemon.Config{}, func(x *trial) {
		for _, e := range []host.Event{
			{Kind: host.SessionChange, Code: 5, Session: 3},
			{Kind: host.SessionChange, Code: 99, Session: 3},
			{Kind: host.PowerEvent, Code: 4},
			{Kind: host.PowerEvent, Code: 1},
			{Kind: host.TimeChange, New: noon, Old: noon.Add(-time.Hour)},
			user(200),
		} {
			expect(t, "taken", x.run.Notify(e), true)
		}
		x.sleep(10 * time.Second)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "events", fmt.Sprint(got), fmt.Sprint([]string{
		"event.SessionChange logon of session 3", "event.SessionChange session change 99 of session 3",
		"event.PowerChange suspend", "event.PowerChange power event 1",
		"event.TimeChange time changed by 1h0m0s", "event.UserControl control 200",
	}))
}

func TestNotify_DropsWaitingEventsWhenStopping(t *testing.T) {
	heard := 0
	slow := func(ctx context.Context, _ event.Event) {
		heard++
		<-ctx.Done()
	}
	_, err := try(t, listener{notify: slow}, daemon.Config{}, func(x *trial) {
		for range 1025 {
			expect(t, "taken", x.run.Notify(user(200)), true)
			synctest.Wait()
		}
		expect(t, "taken when too many wait", x.run.Notify(user(200)), false)
		x.terminate()
		expect(t, "taken while stopping", x.run.Notify(user(200)), false)
	})
	expect(t, "result", err, nil)
	expect(t, "events heard", heard, 1)
}

func TestNotify_PanicFailsTheProgram(t *testing.T) {
	_, err := try(t, listener{notify: func(context.Context, event.Event) { panic("boom") }}, daemon.Config{}, func(x *trial) {
		x.run.Notify(user(128))
	})
	expect(t, "exit code", daemon.ExitCode(err), 1)
}

func TestNotify_ProgramWithoutItTakesNoEvents(t *testing.T) {
	_, err := try(t, program{}, daemon.Config{}, func(x *trial) {
		expect(t, "taken", x.run.Notify(user(200)), false)
		x.terminate()
	})
	expect(t, "result", err, nil)
}

func TestNotify_ConcurrentEventsArriveOneByOne(t *testing.T) {
	var heard, concurrent int
	notify := func(context.Context, event.Event) {
		concurrent++
		pass(time.Millisecond)
		expect(t, "calls at once", concurrent, 1)
		concurrent--
		heard++
	}
	_, err := try(t, listener{notify: notify}, daemon.Config{}, func(x *trial) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 50 {
					pass(time.Duration(i) * time.Millisecond)
					expect(t, "taken", x.run.Notify(user(200)), true)
				}
			})
		}
		wg.Wait()
		x.sleep(time.Second)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "events heard", heard, 400)
}

func TestNotify_GoexitKeepsNothingWaiting(t *testing.T) {
	var done atomic.Int32
	_, err := try(t, listener{notify: func(context.Context, event.Event) {
		pass(time.Second)
		runtime.Goexit()
	}}, daemon.Config{}, func(x *trial) {
		for range 3 {
			x.run.Notify(host.Event{Kind: host.PowerEvent, Done: func() { done.Add(1) }})
		}
	})
	expect(t, "exit code", daemon.ExitCode(err), 1)
	expect(t, "events that are done", done.Load(), 3)
}
