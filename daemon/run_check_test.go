package daemon_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
)

// checking returns a program with the given Check, for a run without a watchdog.
func checking(t *testing.T, check func(context.Context) error, body func(*trial)) (*trial, error) {
	t.Helper()
	return try(t, able{check: check}, daemon.Config{}, func(x *trial) {
		body(x)
		x.terminate()
	})
}

// saying asks for the health of the program, and checks the answer and how long it took.
func (x *trial) saying(want string, took time.Duration) {
	x.t.Helper()
	begun, said := time.Now(), ""
	if err := x.run.Check(context.Background()); err != nil {
		said = err.Error()
	}
	expect(x.t, "what it says", said, want)
	expect(x.t, "time that it took", time.Since(begun), took)
}

func TestCheck_IsCalledOnRequest(t *testing.T) {
	calls, verdict := 0, error(nil)
	x, err := checking(t, func(ctx context.Context) error {
		calls++
		deadline, _ := ctx.Deadline()
		expect(t, "time that Check has", time.Until(deadline), 5*time.Second)
		return verdict
	}, func(x *trial) {
		x.sleep(time.Hour)
		expect(t, "calls before anybody asks", calls, 0)
		x.saying("", 0)
		verdict = errBoom
		x.sleep(time.Second)
		x.saying("boom", 0)
		x.saying("boom", 0)
		expect(t, "calls", calls, 2) // a result counts for a second
		x.sleep(time.Second)
		x.saying("boom", 0)
		verdict = nil
		x.sleep(time.Second)
		x.saying("", 0)
	})
	expect(t, "result", err, nil)
	expect(t, "level of it", x.logged("Check fails").Level.String(), "warn") // once, not each time
	x.logged("Check passes again")
}

func TestCheck_ConcurrentRequestsShareACall(t *testing.T) {
	calls := 0
	_, err := checking(t, func(context.Context) error {
		calls++
		pass(3 * time.Second)
		return errBoom
	}, func(x *trial) {
		for range 10 {
			go x.saying("boom", 3*time.Second)
		}
		x.sleep(time.Second)
		x.saying("boom", 2*time.Second)
		expect(t, "calls", calls, 1)
	})
	expect(t, "result", err, nil)
}

func TestCheck_HangingIsCalledOnce(t *testing.T) {
	calls, released := 0, (chan struct{})(nil)
	x, err := checking(t, func(context.Context) error {
		calls++
		<-released
		return nil
	}, func(x *trial) {
		released = make(chan struct{}) // made in the bubble
		x.saying("Check has not returned after 5s", 5*time.Second)
		for range 100 {
			x.saying("Check has not returned after 5s", 0)
		}
		x.sleep(55 * time.Second)
		x.saying("Check has not returned after 1m0s", 0)
		expect(t, "calls", calls, 1)
		close(released)
		synctest.Wait()
		x.saying("", 0)
	})
	expect(t, "result", err, nil)
	x.logged("Check has not returned")
}

func TestCheck_WatchdogAndRequestsShareACall(t *testing.T) {
	var running, calls atomic.Int64
	x, err := watch(t, able{check: func(context.Context) error {
		expect(t, "calls at the same time", running.Add(1), 1)
		defer running.Add(-1)
		calls.Add(1)
		pass(700 * time.Millisecond)
		return nil
	}}, func(x *trial) {
		x.sleep(200 * time.Millisecond)
		x.saying("", 500*time.Millisecond) // the call for the watchdog
		x.saying("", 0)
		x.sleep(500 * time.Millisecond)
		x.saying("", 500*time.Millisecond) // the next one
		expect(t, "calls", calls.Load(), 2)
		x.sleep(4500 * time.Millisecond)
		x.terminate()
	})
	expect(t, "result", err, nil)
	expect(t, "signs of life", len(x.signs), 6)
}

func TestCheck_OnlyBetweenReadyAndStop(t *testing.T) {
	early := true
	_, err := try(t, able{
		program: program{start: until(10*time.Second, nil), stop: until(10*time.Second, nil)},
		check: func(context.Context) error {
			if early {
				t.Error("Check is called before Start has returned, or after the stop has begun")
			}
			return errBoom
		},
	}, daemon.Config{}, func(x *trial) {
		x.saying("", 0)
		x.sleep(10 * time.Second)
		early = false
		x.saying("boom", 0)
		early = true
		x.sleep(2 * time.Second)
		x.terminate()
		x.saying("", 0)
	})
	expect(t, "result", err, nil)
}

func TestCheck_RunsWhileTheProgramIsStopped(t *testing.T) {
	x, err := checking(t, blocked, func(x *trial) {
		go x.saying("context canceled", time.Second) // the state says that it stops
		x.sleep(time.Second)
	})
	expect(t, "result", err, nil)
	expect(t, "time that the stop took", x.closed.Sub(x.begun), time.Second)
	expect(t, "lines of a Check that fails", x.logs.FilterMessage("Check fails").Len(), 0)
}

func TestCheck_PanicFailsTheProgramWithoutAWatchdog(t *testing.T) {
	calls := 0
	_, err := try(t, able{check: func(context.Context) error { calls++; panic(errBoom) }}, daemon.Config{DrainDelay: 20 * time.Second}, func(x *trial) {
		x.saying("panic in Check: boom", 0)
		x.sleep(2 * time.Second)
		x.saying("", 0)
	})
	expect(t, "result", err.Error(), "panic in Check: boom")
	expect(t, "calls", calls, 1)
}

// terse is an error whose methods panic.
type terse struct{}

func (terse) Error() string { panic("Error of it is called") }

func TestCheck_ErrorMayHaveMethodsThatPanic(t *testing.T) {
	_, err := checking(t, func(context.Context) error { return terse{} }, func(x *trial) {
		err := x.run.Check(context.Background())
		if err == nil || err.Error() == "" {
			t.Errorf("it says %v", err)
		}
		if errors.As(err, new(terse)) {
			t.Error("the methods of the program's error are within reach")
		}
	})
	expect(t, "result", err, nil)
}
