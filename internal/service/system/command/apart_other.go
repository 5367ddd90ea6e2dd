//go:build !unix

package command

import "os/exec"

// apart does nothing: no command is run here.
func apart(*exec.Cmd) {}

func sbin() []string { return nil }
