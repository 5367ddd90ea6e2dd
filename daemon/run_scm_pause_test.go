package daemon_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/daemon/event"
)

func TestSCM_PauseAndContinue(t *testing.T) {
	s := &daemontest.SCM{}
	p := able{pause: until(3*time.Second, nil), resume: until(4*time.Second, nil)}
	err := daemontest.Drive(t, s, p, daemon.Config{}, func() {
		all := always | daemontest.AcceptPauseContinue
		expect(t, "accepted", s.Await(daemontest.Running).ControlsAccepted, all)
		refused(t, s, daemontest.ControlContinue, daemontest.ErrorInvalidServiceControl)
		control(t, s, daemontest.ControlPause)
		expect(t, "accepted", s.Await(daemontest.PausePending).ControlsAccepted, always)
		refused(t, s, daemontest.ControlPause, daemontest.ErrorInvalidServiceControl)
		expect(t, "time of PAUSED", s.Await(daemontest.Paused).At, 3*time.Second)
		refused(t, s, daemontest.ControlPause, daemontest.ErrorInvalidServiceControl)
		control(t, s, daemontest.ControlContinue)
		s.Await(daemontest.ContinuePending)
		refused(t, s, daemontest.ControlContinue, daemontest.ErrorInvalidServiceControl)
		expect(t, "time of RUNNING", s.Await(daemontest.Running).At, 7*time.Second)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING PAUSE_PENDING PAUSED CONTINUE_PENDING RUNNING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_FailedPauseKeepsRunning(t *testing.T) {
	s := &daemontest.SCM{}
	err := daemontest.Drive(t, s, able{pause: until(time.Second, errBoom)}, daemon.Config{}, func() {
		control(t, s, daemontest.ControlPause)
		s.Await(daemontest.PausePending)
		s.Await(daemontest.Running)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING PAUSE_PENDING RUNNING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_FailedContinueStaysPaused(t *testing.T) {
	s := &daemontest.SCM{}
	err := daemontest.Drive(t, s, able{resume: until(time.Second, errBoom)}, daemon.Config{}, func() {
		control(t, s, daemontest.ControlPause)
		s.Await(daemontest.Paused)
		control(t, s, daemontest.ControlContinue)
		s.Await(daemontest.ContinuePending)
		s.Await(daemontest.Paused)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING PAUSE_PENDING PAUSED CONTINUE_PENDING PAUSED STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_StopInterruptsAPause(t *testing.T) {
	s := &daemontest.SCM{}
	err := daemontest.Drive(t, s, able{pause: blocked}, daemon.Config{}, func() {
		control(t, s, daemontest.ControlPause)
		daemontest.Sleep(10 * time.Second)
		expect(t, "state", s.Query().State, daemontest.PausePending)
		control(t, s, daemontest.ControlStop)
		expect(t, "time of STOPPED", s.Await(daemontest.Stopped).At, 10*time.Second)
	})
	expect(t, "states", stateHistory(s), "START_PENDING RUNNING PAUSE_PENDING STOP_PENDING STOPPED")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_NoticesAPauseThatHangs(t *testing.T) {
	var rules found
	s := &daemontest.SCM{Errorf: rules.Errorf}
	err := daemontest.Drive(t, s, able{pause: blocked}, daemon.Config{StopTimeout: 10 * time.Second}, func() {
		control(t, s, daemontest.ControlPause)
		daemontest.Sleep(9 * time.Second)
		rules.expectOnly(t, "")
		daemontest.Sleep(5 * time.Second)
	})
	rules.expectOnly(t, "is hung in PAUSE_PENDING")
	checkEnded(t, s, err, daemontest.NoError, 0)
}

func TestSCM_SuspendWaitsForTheProgram(t *testing.T) {
	const quick, slow = 1500 * time.Millisecond, time.Hour
	for name, test := range map[string]struct {
		event event.PowerChangeType
		takes time.Duration
		waits time.Duration
	}{
		"as soon as Notify has returned": {event.PowerSuspend, quick, quick},
		"after two seconds":              {event.PowerSuspend, slow, 2 * time.Second},
		"and waits for nothing else":     {event.PowerResumeAutomatic, slow, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &daemontest.SCM{}
			p := listener{notify: func(ctx context.Context, _ event.Event) {
				select {
				case <-time.After(test.takes):
				case <-ctx.Done():
				}
			}}
			_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {
				begun := time.Now()
				expect(t, "answer", s.PowerChange(test.event), nil)
				expect(t, "time to answer", time.Since(begun), test.waits)
				control(t, s, daemontest.ControlInterrogate)
			})
		})
	}
}

func TestSCM_SuspendDoesNotWaitForAStoppingProgram(t *testing.T) {
	s := &daemontest.SCM{}
	var run context.Context
	p := listener{
		program: program{start: func(ctx context.Context) error { run = ctx; return nil }},
		notify:  func(ctx context.Context, _ event.Event) { <-ctx.Done() },
	}
	_ = daemontest.Drive(t, s, p, daemon.Config{}, func() {
		control(t, s, 200) // the program does not return from it
		daemon.Go(run, func(context.Context) error { pass(time.Second); return errBoom })
		begun := time.Now()
		expect(t, "answer", s.PowerChange(event.PowerSuspend), nil)
		expect(t, "time to answer", time.Since(begun), time.Second)
	})
}
