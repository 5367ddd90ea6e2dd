package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/daemon/event"
)

// drive runs a counter as a service.
func drive(t *testing.T, scm *daemontest.SCM, body func(*counter)) error {
	t.Helper()
	if scm.Folder == "" {
		scm.Folder = t.TempDir()
	}
	c := &counter{}
	config := daemon.Config{Windows: daemon.Windows{Preshutdown: true}}
	return daemontest.Drive(t, scm, c, config, func() {
		scm.Await(daemontest.Running)
		<-time.After(time.Millisecond) // between two seconds
		body(c)
	})
}

// control sends a control that the service has to accept.
func control(t *testing.T, scm *daemontest.SCM, code daemontest.Control) {
	t.Helper()
	if err := scm.Control(code); err != nil {
		t.Errorf("control %s: %v", code, err)
	}
}

// counted checks the count that the service has saved.
func counted(t *testing.T, scm *daemontest.SCM, want string) {
	t.Helper()
	if text, err := os.ReadFile(filepath.Join(scm.Folder, "state", name)); string(text) != want {
		t.Errorf("saved %q, %v; want %q", text, err, want)
	}
}

func TestRun_CountsUnlessPausedOrAsleep(t *testing.T) {
	scm := &daemontest.SCM{}
	err := drive(t, scm, func(*counter) {
		daemontest.Sleep(10 * time.Second)
		control(t, scm, daemontest.ControlPause)
		daemontest.Sleep(10 * time.Second)
		control(t, scm, daemontest.ControlContinue)
		daemontest.Sleep(10 * time.Second)
		if err := scm.PowerChange(event.PowerSuspend); err != nil {
			t.Error(err)
		}
		daemontest.Sleep(10 * time.Second)
		if err := scm.PowerChange(event.PowerResumeAutomatic); err != nil {
			t.Error(err)
		}
		daemontest.Sleep(10 * time.Second)
	})
	if err != nil {
		t.Error(err)
	}
	counted(t, scm, "30")
}

func TestStart_ContinuesTheCount(t *testing.T) {
	scm := &daemontest.SCM{Args: []string{"100"}}
	if err := drive(t, scm, func(*counter) { daemontest.Sleep(5 * time.Second) }); err != nil {
		t.Error(err)
	}
	counted(t, scm, "105")

	again := &daemontest.SCM{Folder: scm.Folder}
	if err := drive(t, again, func(*counter) { daemontest.Sleep(5 * time.Second) }); err != nil {
		t.Error(err)
	}
	counted(t, again, "110")
}

func TestStop_SavesTheCountWhenTheSystemShutsDown(t *testing.T) {
	scm := &daemontest.SCM{Args: []string{"7"}}
	if err := drive(t, scm, func(*counter) { scm.Shutdown() }); err != nil {
		t.Error(err)
	}
	counted(t, scm, "7")
}

func TestReload_ReadsTheFileAgain(t *testing.T) {
	scm := &daemontest.SCM{}
	err := drive(t, scm, func(c *counter) {
		if err := os.WriteFile(c.file, []byte("1000\n"), 0o600); err != nil {
			t.Error(err)
		}
		control(t, scm, daemontest.ControlParamChange)
		control(t, scm, report)
		daemontest.Sleep(2 * time.Second)
	})
	if err != nil {
		t.Error(err)
	}
	counted(t, scm, "1002")
}

func TestStart_ArgumentThatIsNotANumber(t *testing.T) {
	scm := &daemontest.SCM{Args: []string{"many"}}
	err := daemontest.Drive(t, scm, &counter{}, daemon.Config{}, func() {})
	if got := scm.Query(); daemon.ExitCode(err) != 78 || got.ServiceSpecificExitCode != 78 {
		t.Errorf("it ends with %v, %+v", err, got)
	}
}

var (
	_ daemon.Pauser   = (*counter)(nil)
	_ daemon.Reloader = (*counter)(nil)
	_ daemon.Notified = (*counter)(nil)
)
