//go:build linux

package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Output holds what a command in the machine printed, and its exit code: 128 plus the number of
// the signal if a signal ended it.
type Output struct {
	Stdout string
	Stderr string
	Code   int
}

// Run runs a command in the machine as root, with a small fixed environment, and waits for it.
// An exit code other than 0 is not an error. Run returns an error if the command cannot be
// started, or if ctx ends, which kills the command.
func (m *Machine) Run(ctx context.Context, name string, args ...string) (Output, error) {
	return m.enter(ctx, []string{"HOME=/root"}, []string{"--"}, name, args)
}

// RunUser works like Run but runs the command as tester, with access to tester's own systemd:
// systemctl --user and systemd-run --user work.
func (m *Machine) RunUser(ctx context.Context, name string, args ...string) (Output, error) {
	env := []string{
		"HOME=/home/tester",
		"USER=tester",
		"LOGNAME=tester",
		"XDG_RUNTIME_DIR=/run/user/1000",
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
	}
	return m.enter(ctx, env, []string{"--reuid=tester", "--regid=tester", "--init-groups", "--"}, name, args)
}

func (m *Machine) enter(ctx context.Context, env, wrapper []string, name string, args []string) (Output, error) {
	ctx = m.withLife(ctx)
	cmd, err := m.command(ctx, env, wrapper, name, args)
	if err != nil {
		return Output{}, err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr

	err = cmd.Run()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String()}
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return out, fmt.Errorf("run %s: %w: %s", name, context.Cause(ctx), out.Stderr)
	}
	for _, tool := range []string{"nsenter: ", "setpriv: ", "env: ", "wine: "} {
		if strings.HasPrefix(out.Stderr, tool) {
			return out, fmt.Errorf("run %s: %s", name, strings.TrimSpace(out.Stderr))
		}
	}
	if out.Code, err = exitCode(err); err != nil {
		return out, fmt.Errorf("run %s: %w", name, err)
	}
	return out, nil
}

// command returns a command that runs in the machine, with the words of wrapper before it. ctx
// must come from withLife.
func (m *Machine) command(ctx context.Context, env, wrapper []string, name string, args []string) (*exec.Cmd, error) {
	if err := m.checkAlive(); err != nil {
		return nil, fmt.Errorf("run %s: %w; its console ended with:\n%s", name, err, m.console)
	}
	// nsenter forks to enter the PID namespace and does not forward signals, so its child must
	// be killed when nsenter ends.
	line := slices.Concat(
		[]string{"-t", strconv.Itoa(m.init), "-a", "--", m.system.setpriv, "--pdeathsig=KILL"},
		wrapper, []string{name}, args)
	cmd := exec.CommandContext(ctx, "nsenter", line...)
	cmd.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8",
	}, env...)
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// exitCode returns the exit code of a command, given the error of its Wait.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
