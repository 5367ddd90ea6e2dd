package daemontest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// server is the program under test in the examples.
type server struct{ paused bool }

func (s *server) Start(context.Context) error    { return nil }
func (s *server) Stop(context.Context) error     { return nil }
func (s *server) Pause(context.Context) error    { s.paused = true; return nil }
func (s *server) Continue(context.Context) error { s.paused = false; return nil }

// A stop may take as long as configured, and the manager sees progress. The test takes a
// millisecond.
func ExampleDrive() {
	test := func(t *testing.T) { // TestTheServerIsGivenUpAtTheDeadline
		hangs := program{stop: func(context.Context) error {
			<-time.After(time.Hour)
			return nil
		}}
		err := daemontest.Drive(t, &daemontest.SCM{}, hangs, daemon.Config{StopTimeout: 10 * time.Second}, func() {
			daemontest.Sleep(time.Minute) // then Drive asks it to stop
		})
		if !errors.Is(err, daemon.ErrStopTimeout) {
			t.Errorf("got %v", err)
		}
	}
	_ = test
	// Output:
}

func ExampleSCM() {
	test := func(t *testing.T) { // TestTheServerPauses
		s := &server{}
		scm := &daemontest.SCM{}
		err := daemontest.Drive(t, scm, s, daemon.Config{}, func() {
			scm.Await(daemontest.Running)
			if err := scm.Control(daemontest.ControlPause); err != nil {
				t.Error(err)
			}
			scm.Await(daemontest.Paused)
			if !s.paused {
				t.Error("the server still serves")
			}
			if err := scm.Control(daemontest.ControlPause); !errors.Is(err, daemontest.ErrorInvalidServiceControl) {
				t.Errorf("it is paused once more: %v", err)
			}
		})
		if last := scm.Query(); err != nil || last.Win32ExitCode != daemontest.NoError {
			t.Errorf("%v, %s", err, last)
		}
	}
	_ = test
	// Output:
}

// If the server took longer than Windows waits, the test would fail.
func ExampleSCM_Shutdown() {
	test := func(t *testing.T) { // TestTheServerIsGoneBeforeWindowsIs
		scm := &daemontest.SCM{WaitToKillServiceTimeout: 5 * time.Second}
		if err := daemontest.Drive(t, scm, &server{}, daemon.Config{}, scm.Shutdown); err != nil {
			t.Error(err)
		}
		for _, report := range scm.History() {
			t.Log(report) // what the service reported, and when
		}
	}
	_ = test
	// Output:
}

func ExampleSleep() {
	test := func(t *testing.T) { // TestTheServerRunsForAWeek
		scm := &daemontest.SCM{}
		_ = daemontest.Drive(t, scm, &server{}, daemon.Config{}, func() {
			daemontest.Sleep(7 * 24 * time.Hour)
			if state := scm.Query().State; state != daemontest.Running {
				t.Errorf("it is %s", state)
			}
		})
	}
	_ = test
	// Output:
}
