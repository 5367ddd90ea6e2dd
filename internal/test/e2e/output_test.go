//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOutputThatNobodyReadsDoesNotKill(t *testing.T) {
	notes := newNotebook(t)
	// The reader of the pipe ends at once; exec keeps the process systemd knows.
	u := newUnit(t, "Type=exec",
		"ExecStart=/bin/bash -c 'exec "+filepath.Join(programs, "probe")+" -chatter -reload=ok "+notes.flag+" > >(true) 2>&1'")
	u.start()
	notes.await("output failed: write /dev/stdout: broken pipe; write /dev/stderr: broken pipe")
	u.kill("HUP") // which is worth a line of the log
	notes.await("reloaded")
	u.is(running)
	u.stop()
	u.is(clean)
}

func TestABrokenPipeDoesNotKill(t *testing.T) {
	t.Parallel()
	notes := newHostNotebook(t)
	cmd := command("probe", notes.flag, "-chatter")
	pipe := brokenPipe(t)
	cmd.Stdout, cmd.Stderr = pipe, pipe
	p := launch(t, cmd)
	notes.await("output failed: write /dev/stdout: broken pipe; write /dev/stderr: broken pipe")
	p.signal(syscall.SIGTERM)
	p.exits(0)
	if notes.count("stopped") != 1 {
		t.Error("it was not stopped")
	}
}

// brokenPipe is the writing side of a pipe that nobody reads.
func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}
