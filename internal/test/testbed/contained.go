//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// containedCommand prepares a command as the first process of its own PID namespace, so
// that killing it ends every process below it: systemd survives the SIGKILL of
// its systemd-nspawn, and dpkg that of its debootstrap. In its own mount
// namespace nothing it mounts outlives it, so that its files can be removed
// without a look at the mount table.
//
// It is killed when the thread that started it ends, so the caller must stay
// locked to that thread until it has waited for it.
func containedCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	const enter = `mount -t proc proc /proc && exec "$@"`
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", enter, "sh", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   syscall.CLONE_NEWPID,
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
		// An interrupt at the terminal is for the test, which then ends this.
		Setpgid: true,
	}
	cmd.WaitDelay = time.Second
	return cmd
}
