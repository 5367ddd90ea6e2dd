//go:build linux

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside the test, without a manager.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
}

// command prepares a program without a terminal and with next to no environment:
// the test itself may run on a terminal, or as a service.
func command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(programs, program), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// launch starts cmd. It is killed when the test ends, if it still runs.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // exits says what came of it
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exits asserts that the process exits, by itself and with this code, and returns
// how long that took.
func (p *process) exits(code int) time.Duration {
	p.t.Helper()
	begin := time.Now()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("still runs after %s", patience)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("it ended with %s, want exit code %d", p.cmd.ProcessState, code)
	}
	return time.Since(begin)
}

// runs asserts that the process runs on for a while.
func (p *process) runs(d time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Fatalf("it has ended: %s", p.cmd.ProcessState)
	case <-time.After(d):
	}
}

// output collects what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
