//go:build linux

package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestArchiveSite_IsNotSecurity(t *testing.T) {
	const targets = `Debian-Security http://mirror.test/debian-security
Someone https://packages.test
Debian Fork http://fork.test/debian
Debian cdrom:[Debian 13]
Debian http://mirror.test/debian
Debian http://other.test/debian
`
	if got, want := archiveSite(targets), "http://mirror.test/debian"; got != want {
		t.Errorf("archive is %q, want %q", got, want)
	}
	if got := archiveSite("Ubuntu http://mirror.test/ubuntu\n"); got != "" {
		t.Errorf("archive is %q where apt knows no Debian, want none", got)
	}
}

func TestTail_KeepsTheEnd(t *testing.T) {
	var log tail
	for i := range 5000 {
		fmt.Fprintln(&log, i)
	}
	got := log.String()
	if len(got) > tailSize || !strings.HasSuffix(got, "\n4999") {
		t.Errorf("tail is %d bytes that end in %q", len(got), got[len(got)-10:])
	}
}

func TestMachine(t *testing.T) {
	Require(t)
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	shared := t.TempDir()
	writeFile(t, filepath.Join(shared, "note"), "from the host")

	begin := time.Now()
	if _, err := cachedRoot(ctx, withSystemd()); err != nil {
		t.Fatal(err)
	}
	rooted := time.Now()
	m, err := Boot(ctx, shared)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("root in %v, boot in %v", rooted.Sub(begin), time.Since(rooted))
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()

	t.Run("runs systemd 257 as its first process", func(t *testing.T) { machineVersion(t, m) })
	t.Run("tells an exit code from a failure to run", func(t *testing.T) { machineExitCodes(t, m) })
	t.Run("kills a command when its context ends", func(t *testing.T) { machineKillsCommand(t, m) })
	t.Run("awaits the result of a transient unit", func(t *testing.T) { machineAwaitsUnit(t, m) })
	t.Run("says what it last saw when a wait ends", func(t *testing.T) { machineAwaitTimeout(t, m) })
	t.Run("takes unit files from the host", func(t *testing.T) { machineUnitFiles(t, m, shared) })
	t.Run("has a user manager", func(t *testing.T) { machineUserManager(t, m) })
	t.Run("boots twice at once, each for itself", func(t *testing.T) { machineBootsTwice(t, m) })
	t.Run("leaves nothing after Close", func(t *testing.T) { machineClose(t, m) })
}

func machineVersion(t *testing.T, m *Machine) {
	out := run(t, m.Run, "systemctl", "--version")
	if !strings.HasPrefix(out.Stdout, "systemd 257 ") {
		t.Errorf("version is %q", out.Stdout)
	}
}

func machineExitCodes(t *testing.T, m *Machine) {
	out, err := m.Run(t.Context(), "sh", "-c", "echo out; echo err >&2; exit 3")
	if want := (Output{Stdout: "out\n", Stderr: "err\n", Code: 3}); err != nil || out != want {
		t.Errorf("got %+v, %v; want %+v", out, err, want)
	}
	out, err = m.Run(t.Context(), "sh", "-c", "kill -TERM $$")
	if err != nil || out.Code != 128+int(syscall.SIGTERM) {
		t.Errorf("ended by SIGTERM: got %+v, %v", out, err)
	}
	if out, err := m.Run(t.Context(), "no-such-command"); err == nil {
		t.Errorf("a command that does not exist gave %+v and no error", out)
	}
}

func machineKillsCommand(t *testing.T, m *Machine) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := m.Run(ctx, "sleep", "4321"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	// pgrep is not in the container.
	out := run(t, m.Run, "sh", "-c", "grep -lz '^4321$' /proc/[0-9]*/cmdline || true")
	if out.Stdout != "" {
		t.Errorf("sleep is still there: %s", out.Stdout)
	}
}

func machineAwaitsUnit(t *testing.T, m *Machine) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	run(t, m.Run, "systemd-run", "--unit=transient", "sh", "-c", "echo about to fail; exit 7")
	if err := m.Await(ctx, "transient.service", "Result", "exit-code"); err != nil {
		t.Fatal(err)
	}
	got, err := m.Show(ctx, "transient.service", "ActiveState", "ExecMainStatus")
	if err != nil || got["ActiveState"] != "failed" || got["ExecMainStatus"] != "7" || len(got) != 2 {
		t.Errorf("properties are %v, %v", got, err)
	}
	log, err := m.Journal(ctx, "transient.service")
	if err != nil || !strings.Contains(log, "about to fail") {
		t.Errorf("journal is %q, %v", log, err)
	}
}

func machineAwaitTimeout(t *testing.T, m *Machine) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := m.Await(ctx, "dbus.service", "ActiveState", "failed")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "ActiveState:active") {
		t.Errorf("error is %v", err)
	}
}

func machineUnitFiles(t *testing.T, m *Machine, shared string) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	writeFile(t, m.Path("/etc/systemd/system/written.service"),
		"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=cp "+shared+"/note /run/copied\n")
	run(t, m.Run, "systemctl", "daemon-reload")
	run(t, m.Run, "systemctl", "start", "written.service")
	if err := m.Await(ctx, "written.service", "ActiveState", "active"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(m.Path("/run/copied")); err != nil || string(got) != "from the host" {
		t.Errorf("copy is %q, %v", got, err)
	}
	if out, err := m.Run(ctx, "touch", shared+"/note"); err != nil || out.Code == 0 {
		t.Errorf("the bound directory is not read-only: %+v, %v", out, err)
	}
}

func machineUserManager(t *testing.T, m *Machine) {
	if out := run(t, m.RunUser, "id", "-un"); out.Stdout != "tester\n" {
		t.Errorf("user is %q", out.Stdout)
	}
	run(t, m.RunUser, "systemd-run", "--user", "--wait", "--unit=mine", "--property=RemainAfterExit=no", "true")
	run(t, m.RunUser, "systemd-run", "--user", "--unit=lasting", "sleep", "infinity")
	out := run(t, m.RunUser, "systemctl", "--user", "show", "--property=ActiveState", "lasting.service")
	if out.Stdout != "ActiveState=active\n" {
		t.Errorf("user unit: %q", out.Stdout)
	}
}

func machineBootsTwice(t *testing.T, m *Machine) {
	other, err := Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	writeFile(t, other.Path("/etc/only-here"), "")
	if _, err := os.Stat(m.Path("/etc/only-here")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of one machine is in the other: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, m.Run, "systemctl", "is-active", "dbus.service")
}

func machineClose(t *testing.T, m *Machine) {
	pids := members(t, m.cgroup)
	if len(pids) < 4 {
		t.Fatalf("expected more processes in the machine than %v", pids)
	}
	begin := time.Now()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(begin))
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
	if _, err := os.Stat(m.cgroup); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control group is still there: %v", err)
	}
	if _, err := m.Run(t.Context(), "true"); err == nil {
		t.Error("a closed machine ran a command")
	}
	if err := m.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

const orphanMaker = "GLIDEPATH_TESTBED_ORPHAN"

func TestMachine_EndsWithItsTestProcess(t *testing.T) {
	Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	if os.Getenv(orphanMaker) == "1" {
		m, err := Boot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		fmt.Println(m.cgroup)
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}

	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), orphanMaker+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(errors.Join(err, cmd.Wait()))
	}
	cgroup := strings.TrimSpace(line)
	if pids := members(t, cgroup); len(pids) < 4 {
		t.Errorf("expected more processes in the machine than %v", pids)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()

	gone, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := poll(gone, func() (bool, error) { return len(members(t, cgroup)) == 0, nil }); err != nil {
		t.Errorf("the machine outlives its test: %v", members(t, cgroup))
	}
	sweepCgroups(filepath.Dir(cgroup))
	if _, err := os.Stat(cgroup); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control group was not swept: %v", err)
	}
}

func run(t *testing.T, in func(context.Context, string, ...string) (Output, error), name string, args ...string) Output {
	t.Helper()
	out, err := in(t.Context(), name, args...)
	if err != nil || out.Code != 0 {
		t.Fatalf("%s %q: %+v, %v", name, args, out, err)
	}
	return out
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func members(t *testing.T, cgroup string) []int {
	t.Helper()
	var pids []int
	err := filepath.WalkDir(cgroup, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return err
		}
		procs, err := os.ReadFile(path)
		for _, field := range strings.Fields(string(procs)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			pids = append(pids, pid)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pids
}
