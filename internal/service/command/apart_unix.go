//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// apart keeps what is typed at the terminal from cmd.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
