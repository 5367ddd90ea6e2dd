//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// containedCommand returns a command that runs as the first process of its own PID namespace.
// Killing it ends every process below it: otherwise systemd would survive the SIGKILL of its
// systemd-nspawn, and dpkg that of its debootstrap. The command also has its own mount
// namespace. No mount outlives it, so its files can be removed without checking the mount
// table.
//
// The command is killed when the thread that started it ends, so the caller must stay locked
// to that thread until it has waited for the command.
func containedCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	const enter = `mount -t proc proc /proc && exec "$@"`
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", enter, "sh", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
		// An interrupt from the terminal is for the test, which then ends this command.
		Setpgid: true,
	}
	cmd.WaitDelay = time.Second
	return cmd
}
