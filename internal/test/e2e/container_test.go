//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// containerGrace is how long docker stop and podman stop wait unless they are told.
const containerGrace = 10 * time.Second

// contained makes cmd PID 1 of a PID namespace with a /proc of its own, as container
// runtimes do.
func contained(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	within := func(path string, args ...string) *exec.Cmd {
		c := exec.Command("/bin/sh", append([]string{"-c", `mount -t proc proc /proc && exec "$@"`, "sh", path}, args...)...)
		c.Env = cmd.Env
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 {
			c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
		return c
	}
	if out, err := within("/bin/true").CombinedOutput(); err != nil {
		t.Skipf("no PID namespace can be made here: %v %s", err, out)
	}
	c := within(cmd.Path, cmd.Args[1:]...)
	c.Stdout, c.Stderr = cmd.Stdout, cmd.Stderr
	return c
}

// records are the lines of a log as JSON.
func records(t *testing.T, log string) (all []map[string]any) {
	t.Helper()
	for line := range bytes.Lines([]byte(log)) {
		var r map[string]any
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}

// record is the first one with a message.
func record(t *testing.T, log, msg string) map[string]any {
	t.Helper()
	for _, r := range records(t, log) {
		if r["msg"] == msg {
			return r
		}
	}
	t.Fatalf("nothing says %q in\n%s", msg, log)
	return nil
}

func TestInAContainerAStopThatHangsIsGivenUpWithinItsGrace(t *testing.T) {
	t.Parallel()
	notes, log := newHostNotebook(t), &output{}
	cmd := command("probe", notes.flag, "-stop-ignores-deadline")
	cmd.Stdout = log
	p := launch(t, contained(t, cmd))
	notes.await("started")
	p.signal(syscall.SIGTERM)
	p.exits(124)
	err, _ := record(t, log.String(), "giving up")["error"].(string)
	if want := "still running 9s after"; !strings.Contains(err, want) {
		t.Errorf("the log says %q, want %q, which is within %s", err, want, containerGrace)
	}
}

func TestInAPodThereIsADrainDelay(t *testing.T) {
	t.Parallel()
	notes, log := newHostNotebook(t), &output{}
	cmd := command("probe", notes.flag, "-stop-timeout=1s")
	cmd.Env = append(cmd.Env, "KUBERNETES_SERVICE_HOST=10.0.0.1")
	cmd.Stdout = log
	p := launch(t, cmd)
	notes.await("started")
	p.signal(syscall.SIGTERM)
	p.exits(0)
	if drain, ok := record(t, log.String(), "stopped")["drain"]; !ok {
		t.Errorf("there was none: %v", drain)
	}
}

func TestOrphansAreReapedAndNoStatusOfAChildIsTaken(t *testing.T) {
	flags := []string{"-children=1000", "-orphans=200"}
	for name, cmd := range map[string]func(...string) *exec.Cmd{
		"as PID 1": func(flags ...string) *exec.Cmd { return contained(t, command("probe", flags...)) },
		"where the program asks for it": func(flags ...string) *exec.Cmd {
			return command("probe", append(flags, "-reap-orphans")...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			notes := newHostNotebook(t)
			p := launch(t, cmd(append(flags, notes.flag)...))
			notes.await("waited for all")
			eventually(t, func() string {
				if left := childrenOf(t, p.cmd.Process.Pid); left > 0 {
					return fmt.Sprintf("%d children are left", left)
				}
				return ""
			})
			p.signal(syscall.SIGTERM)
			p.exits(0)
			notes.says("starting", "started", "waited for all", "stopping", "stopped")
		})
	}
}

// childrenOf is how many children a process has, zombies included.
func childrenOf(t *testing.T, pid int) (n int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		t.Skipf("the children of %d cannot be listed: %v", pid, err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		n += len(strings.Fields(string(text)))
	}
	return n
}
