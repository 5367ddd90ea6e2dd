//go:build linux

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scratch is a container as one of a scratch image whose root cannot be written: it has
// the program, /proc, and nothing else. The program is process 1 in it, and runs as a
// user without rights.
type scratch struct {
	*process
	log output
}

const (
	containerUser = "65532"
	otherUser     = "1000"
)

func newScratch(t *testing.T, args ...string) *scratch {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make such a container")
	}
	root := t.TempDir()
	program, err := os.ReadFile(filepath.Join(programs, "probe"))
	err = errors.Join(err, os.WriteFile(filepath.Join(root, "probe"), program, 0o755), os.Mkdir(filepath.Join(root, "proc"), 0o755))
	// Those above it are not for other users, who see only what is in it.
	if err = errors.Join(err, os.Chmod(root, 0o755)); err != nil {
		t.Fatal(err)
	}
	const enter = `mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount -o remount,bind,ro "$1" &&
		root=$1 && shift && exec chroot --userspec=` + containerUser + `:` + containerUser + ` --groups= "$root" "$@"`
	s := &scratch{}
	cmd := exec.Command("/bin/sh", append([]string{"-c", enter, "sh", root, "/probe"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET}
	s.process = launch(t, cmd)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it has printed\n%s", s.log.String())
		}
	})
	return s
}

// command is a command that a runtime runs in the container: docker exec, a HEALTHCHECK
// or a probe of Kubernetes.
func (s *scratch) command(user string, args ...string) *exec.Cmd {
	target := strconv.Itoa(s.cmd.Process.Pid)
	cmd := exec.Command("nsenter", append([]string{
		"--target=" + target, "--mount", "--pid", "--net", "--root", "--wd", "--setuid=" + user, "--setgid=" + user, "--", "/probe",
	}, args...)...)
	cmd.Env = []string{}
	return cmd
}

var since = regexp.MustCompile(`, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// status asserts what status says, in the end, as a user of the container.
func (s *scratch) status(user string, code int, want string) {
	s.t.Helper()
	eventually(s.t, func() string {
		cmd := s.command(user, "status")
		out, _ := cmd.CombinedOutput()
		got := since.ReplaceAllString(string(out), "")
		if cmd.ProcessState.ExitCode() != code || got != want+"\n" {
			return "as user " + user + " status says " + strconv.Quote(got) + " with " + cmd.ProcessState.String()
		}
		return ""
	})
}

func TestStatusInAReadOnlyContainerFollowsTheLifeOfTheRun(t *testing.T) {
	t.Parallel()
	s := newScratch(t, "-start-ignores-context")
	s.status(containerUser, 3, "probe: starting, process 1")

	s = newScratch(t, "-stop-ignores-deadline") // it stops for 9 s then
	s.status(containerUser, 0, "probe: running, process 1")
	s.status("0", 0, "probe: running, process 1")
	s.status(otherUser, 4, "probe: ask probe for its status: permission denied: process 1 runs as user 65532: ask as that user, or as root")

	log, second := &output{}, s.command(containerUser)
	second.Stdout, second.WaitDelay = log, time.Second // it ends with process 1, not with nsenter
	launch(t, second)
	eventually(t, func() string {
		if !strings.Contains(log.String(), ready) {
			return "a second run in the container is not ready: " + log.String()
		}
		return ""
	})
	s.status(containerUser, 0, "probe: running, process 1")

	s.signal(syscall.SIGTERM)
	s.status(containerUser, 3, "probe: stopping, process 1 (terminate (SIGTERM))")
	s.exits(124)
}

func TestAProgramThatIsNotWellIsUnhealthyInAContainer(t *testing.T) {
	t.Parallel()
	s := newScratch(t, "-check=fail-after=0s")
	s.status(containerUser, 1, "probe: running, process 1; unhealthy: as asked by -check")
	if n := strings.Count(s.log.String(), `"msg":"Check fails"`); n != 1 {
		t.Errorf("the log has %d lines of it", n)
	}

	s = newScratch(t, "-check=hang-after=0s")
	s.status(containerUser, 1, "probe: running, process 1; unhealthy: Check has not returned after 5s")

	s = newScratch(t)
	s.status(containerUser, 0, "probe: running, process 1")
	s.signal(syscall.SIGSTOP)
	s.status(containerUser, 1, "probe: running, process 1; unhealthy: it does not answer in 10s")
}

func TestStatusInAContainerWhereNothingRuns(t *testing.T) {
	t.Parallel()
	s := newScratch(t, "status")
	s.exits(3)
	if got, want := s.log.String(), "probe: stopped (no service manager runs here, and no process answers)\n"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}
