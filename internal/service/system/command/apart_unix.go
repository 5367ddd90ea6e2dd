//go:build unix

package command

import (
	"os/exec"
	"syscall"
)

// apart keeps what is typed at the terminal from cmd.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// sbin are the folders of tools that root alone needs.
func sbin() []string { return []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} }
