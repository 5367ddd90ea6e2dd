//go:build linux

package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestWindows(t *testing.T) {
	Require(t)
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	dir, err := Build(ctx, "windows", "./testdata/program")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe := filepath.Join(dir, "program.exe")
	m, err := Boot(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()

	t.Run("boots with the first program", func(t *testing.T) { windowsBoots(ctx, t, m, exe) })
	t.Run("passes arguments as they are", func(t *testing.T) { windowsArguments(t, m, exe) })
	t.Run("tells an exit code from a failure to run", func(t *testing.T) { windowsExitCodes(ctx, t, m, dir, exe) })
	t.Run("runs in a directory", func(t *testing.T) { windowsDirectory(ctx, t, m, dir, exe) })
	t.Run("talks to a program", func(t *testing.T) { windowsStdin(ctx, t, m, exe) })
	t.Run("has services", func(t *testing.T) { windowsServices(ctx, t, m, exe) })
	t.Run("has consoles", func(t *testing.T) { windowsConsole(ctx, t, m, exe) })
	t.Run("kills a program when its terminal hangs up", func(t *testing.T) { windowsHangUp(ctx, t, m, exe) })
	t.Run("kills a program when its context ends", func(t *testing.T) { windowsKillsProgram(t, m, exe) })
	t.Run("leaves nothing after Close", func(t *testing.T) { windowsClose(ctx, t, m, exe) })
}

func windowsBoots(ctx context.Context, t *testing.T, m *Machine, exe string) {
	if unit, err := m.Show(ctx, WindowsUnit, "ActiveState"); err != nil || unit["ActiveState"] != "inactive" {
		t.Errorf("before, the unit of Windows is %v, %v", unit, err)
	}
	begin := time.Now()
	run(t, m.Wine, exe, "args")
	first := time.Now()
	run(t, m.Wine, exe, "args")
	t.Logf("first program in %v, second in %v", first.Sub(begin), time.Since(first))
	if unit, err := m.Show(ctx, WindowsUnit, "ActiveState"); err != nil || unit["ActiveState"] != "active" {
		t.Errorf("after, the unit of Windows is %v, %v", unit, err)
	}
}

func windowsArguments(t *testing.T, m *Machine, exe string) {
	want := []string{"", "with space", `"quoted"`, `back\slash\`, `\"`, "%PATH%", "$HOME", "*", "ä€"}
	out := run(t, m.Wine, exe, append([]string{"args"}, want...)...)
	var got []string
	if err := json.Unmarshal([]byte(out.Stdout), &got); err != nil || !slices.Equal(got, want) {
		t.Errorf("arguments are %q, %v; want %q", got, err, want)
	}
}

func windowsExitCodes(ctx context.Context, t *testing.T, m *Machine, dir string, exe string) {
	out, err := m.Wine(ctx, exe, "exit", "7")
	// Under load, Wine complains about its own threads when a process ends.
	if err != nil || out.Code != 7 || out.Stdout != "" || !strings.HasPrefix(out.Stderr, "about to exit\n") {
		t.Errorf("got %+v, %v; want code 7", out, err)
	}
	for _, missing := range []string{filepath.Join(dir, "missing.exe"), "missing"} {
		if out, err := m.Wine(ctx, missing); err == nil {
			t.Errorf("the program %s, which does not exist, gave %+v and no error", missing, out)
		}
	}
}

func windowsDirectory(ctx context.Context, t *testing.T, m *Machine, dir string, exe string) {
	out, err := m.WineIn(ctx, dir, exe, "dir")
	if want := WindowsPath(dir) + "\n"; err != nil || out.Stdout != want {
		t.Errorf("got %+v, %v; want %q", out, err, want)
	}
	if out, err := m.WineIn(ctx, "/missing", exe, "dir"); err == nil {
		t.Errorf("in a directory that does not exist it gave %+v and no error", out)
	}
}

func windowsStdin(ctx context.Context, t *testing.T, m *Machine, exe string) {
	cmd, err := m.WineCommand(ctx, exe, "console")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader("text\nquit\n")
	out, err := cmd.Output()
	if want := "ready\nread \"text\"\nread \"quit\"\n"; string(out) != want || cmd.ProcessState.ExitCode() != 6 {
		t.Errorf("got %q, %v; want %q and exit code 6", out, err, want)
	}
}

func windowsServices(ctx context.Context, t *testing.T, m *Machine, exe string) {
	run(t, m.Wine, "sc", "create", "Proof", "binPath=", `"`+WindowsPath(exe)+`" service Proof`)
	state := func(want string) {
		t.Helper()
		if out := run(t, m.Wine, "sc", "query", "Proof"); !strings.Contains(out.Stdout, want) {
			t.Errorf("state is %q, want %s", out.Stdout, want)
		}
	}
	state("STOPPED")
	run(t, m.Wine, "sc", "start", "Proof", "an argument")
	state("RUNNING")
	run(t, m.Wine, "sc", "stop", "Proof")
	err := poll(ctx, func() (bool, error) {
		out, err := m.Wine(ctx, "sc", "query", "Proof")
		return strings.Contains(out.Stdout, "STOPPED"), err
	})
	if err != nil {
		t.Fatal(err)
	}
	state("SERVICE_EXIT_CODE  : 7 ")
	run(t, m.Wine, "net", "start", "Proof")
	state("RUNNING")
	run(t, m.Wine, "net", "stop", "Proof")
	run(t, m.Wine, "sc", "delete", "Proof")
	if out, err := m.Wine(ctx, "sc", "query", "Proof"); err != nil || out.Code == 0 {
		t.Errorf("the deleted service gave %+v, %v", out, err)
	}
	log, err := m.Journal(ctx, WindowsUnit)
	if err != nil || !strings.Contains(log, "started with [Proof an argument]") {
		t.Errorf("the service's record is not in the journal: %v\n%s", err, log)
	}
}

// openConsole starts exe at a new terminal and waits until it is ready.
func openConsole(ctx context.Context, t *testing.T, m *Machine, exe string) *Terminal {
	t.Helper()
	term, err := m.WineTerminal(ctx, exe, "console")
	if err != nil {
		t.Fatal(err)
	}
	awaitScreen(t, term, "ready")
	return term
}

func windowsConsole(ctx context.Context, t *testing.T, m *Machine, exe string) {
	term := openConsole(ctx, t, m, exe)
	defer term.Close()
	for key, want := range map[string]string{"\x03": "interrupted", "text\r": `read "text"`} {
		if err := term.Press(key); err != nil {
			t.Fatal(err)
		}
		awaitScreen(t, term, want)
	}
	if err := term.Press("quit\r"); err != nil {
		t.Fatal(err)
	}
	if code, err := term.Wait(ctx); err != nil || code != 6 {
		t.Errorf("ended with %d, %v", code, err)
	}
}

func windowsHangUp(ctx context.Context, t *testing.T, m *Machine, exe string) {
	term := openConsole(ctx, t, m, exe)
	defer term.Close()
	if err := term.HangUp(); err != nil {
		t.Fatal(err)
	}
	if code, err := term.Wait(ctx); err != nil || code != 128+int(syscall.SIGHUP) {
		t.Errorf("ended with %d, %v", code, err)
	}
}

func windowsKillsProgram(t *testing.T, m *Machine, exe string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	term, err := m.WineTerminal(t.Context(), exe, "console")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Wine(ctx, "ping", "-n", "4321", "127.0.0.1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if err := term.Close(); err != nil {
		t.Error(err)
	}
	out := run(t, m.Run, "sh", "-c", "grep -lze '^4321$' -e '^console$' /proc/[0-9]*/cmdline || true")
	if out.Stdout != "" {
		t.Errorf("a program is still there: %s", out.Stdout)
	}
}

func windowsClose(ctx context.Context, t *testing.T, m *Machine, exe string) {
	term := openConsole(ctx, t, m, exe)
	defer term.Close()
	pids := append(members(t, m.cgroup), term.cmd.Process.Pid)
	begin := time.Now()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(begin))
	if _, err := term.Wait(ctx); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
	if _, err := m.Wine(t.Context(), exe); err == nil {
		t.Error("a closed machine ran a program")
	}
}

func awaitScreen(t *testing.T, term *Terminal, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := poll(ctx, func() (bool, error) { return strings.Contains(term.Screen(), want), nil })
	if err != nil {
		t.Fatalf("wait for %q on the screen: %v\n%s", want, err, term.Screen())
	}
}
