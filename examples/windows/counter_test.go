package main

import (
	"os"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// drive runs a counter as a service.
func drive(t *testing.T, scm *daemontest.SCM, body func(*counter)) error {
	t.Helper()
	t.Chdir(t.TempDir())
	c := &counter{}
	config := daemon.Config{Windows: daemon.Windows{Preshutdown: true}}
	return daemontest.Drive(t, scm, c, config, func() {
		scm.Await(daemontest.Running)
		<-time.After(time.Millisecond) // between two seconds
		body(c)
	})
}

// control sends a control that must be taken.
func control(t *testing.T, scm *daemontest.SCM, code daemontest.Control) {
	t.Helper()
	if err := scm.Control(code); err != nil {
		t.Errorf("control %s: %v", code, err)
	}
}

// counted asserts what is kept when the service has stopped.
func counted(t *testing.T, want string) {
	t.Helper()
	if text, err := os.ReadFile(file); string(text) != want {
		t.Errorf("kept %q, %v; want %q", text, err, want)
	}
}

func TestItCountsUnlessItIsPausedOrAsleep(t *testing.T) {
	scm := &daemontest.SCM{}
	err := drive(t, scm, func(*counter) {
		daemontest.Sleep(10 * time.Second)
		control(t, scm, daemontest.ControlPause)
		daemontest.Sleep(10 * time.Second)
		control(t, scm, daemontest.ControlContinue)
		daemontest.Sleep(10 * time.Second)
		if err := scm.PowerEvent(daemon.PowerSuspend); err != nil {
			t.Error(err)
		}
		daemontest.Sleep(10 * time.Second)
		if err := scm.PowerEvent(daemon.PowerResumeAutomatic); err != nil {
			t.Error(err)
		}
		daemontest.Sleep(10 * time.Second)
	})
	if err != nil {
		t.Error(err)
	}
	counted(t, "30")
}

func TestItGoesOnFromWhereItWas(t *testing.T) {
	scm := &daemontest.SCM{Args: []string{"100"}}
	if err := drive(t, scm, func(*counter) { daemontest.Sleep(5 * time.Second) }); err != nil {
		t.Error(err)
	}
	counted(t, "105")

	again := &counter{}
	if err := again.Start(daemontest.Context(t)); err != nil || again.count != 105 {
		t.Errorf("it begins with %d, %v", again.count, err)
	}
}

func TestItKeepsTheCountWhenTheSystemShutsDown(t *testing.T) {
	scm := &daemontest.SCM{Args: []string{"7"}}
	if err := drive(t, scm, func(*counter) { scm.Shutdown() }); err != nil {
		t.Error(err)
	}
	counted(t, "7")
}

func TestItReadsTheFileAnew(t *testing.T) {
	scm := &daemontest.SCM{}
	err := drive(t, scm, func(c *counter) {
		if err := os.WriteFile(file, []byte("1000\n"), 0o600); err != nil {
			t.Error(err)
		}
		control(t, scm, daemontest.ControlParamChange)
		control(t, scm, report)
		daemontest.Sleep(2 * time.Second)
	})
	if err != nil {
		t.Error(err)
	}
	counted(t, "1002")
}

func TestAnArgumentThatIsNoNumberIsAWrongConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	scm := &daemontest.SCM{Args: []string{"many"}}
	err := daemontest.Drive(t, scm, &counter{}, daemon.Config{}, func() {})
	if got := scm.Query(); daemon.ExitCode(err) != 78 || got.ServiceSpecificExitCode != 78 {
		t.Errorf("it ends with %v, %v", err, got)
	}
}

var (
	_ daemon.Pauser   = (*counter)(nil)
	_ daemon.Reloader = (*counter)(nil)
	_ daemon.Notified = (*counter)(nil)
)
