//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wrapped is a unit whose main process is a shell that waits for the probe.
func wrapped(t *testing.T, flags ...string) *unit {
	t.Helper()
	probe := strings.Join(append([]string{filepath.Join(programs, "probe")}, flags...), " ")
	return newUnit(t, "Type=notify", "NotifyAccess=all", "ExecStart=/bin/sh -c '"+probe+"; true'")
}

// mainProcess is the name of the unit's main process.
func mainProcess(t *testing.T, u *unit) string {
	t.Helper()
	comm, err := os.ReadFile(machine.Path("/proc/" + u.show("MainPID")["MainPID"] + "/comm"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(comm))
}

func TestAProgramBehindAWrapperBecomesTheMainProcessIfItSaysThatItIsTheService(t *testing.T) {
	notes := newNotebook(t)
	u := wrapped(t, "-host=systemd", "-stop-after=2s", notes.flag)
	u.start()
	u.is(running)
	if got := mainProcess(t, u); got != "probe" {
		t.Errorf("the main process is %s, want probe", got)
	}
	u.stop() // the shell gets a SIGTERM, too, and dies of it at once
	u.is(clean)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestAChildOfAServiceDoesNotClaimToBeTheMainProcess(t *testing.T) {
	notes := newNotebook(t)
	u := wrapped(t, notes.flag)
	u.start() // it is ready when the child is
	u.is(running)
	if got := mainProcess(t, u); got != "sh" {
		t.Errorf("the main process is %s, want sh", got)
	}
	u.stop()
	notes.says("starting", "started", "stopping", "stopped")
}
