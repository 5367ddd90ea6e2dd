//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramBehindAWrapperBecomesTheMainProcess(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", "NotifyAccess=all",
		"ExecStart=/bin/sh -c '"+filepath.Join(programs, "probe")+" -stop-after=2s "+notes.flag+"; true'")
	u.start()
	u.is(running)
	comm, err := os.ReadFile(machine.Path("/proc/" + u.show("MainPID")["MainPID"] + "/comm"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(comm)); got != "probe" {
		t.Errorf("the main process is %s, want probe", got)
	}
	u.stop() // the shell gets a SIGTERM, too, and dies of it at once
	u.is(clean)
	notes.says("starting", "started", "stopping", "stopped")
}
