//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"path"
	"strings"
)

// Wine runs a Windows program in the machine and waits for it. exe is an absolute path in the
// container, for example in a directory passed to [Boot], or the name of one of Windows' own
// programs, such as sc. Only 64-bit programs work.
//
// The first call on a machine boots its Windows. Otherwise Wine works like [Machine.Run], with
// two differences: only the lowest eight bits of the exit code are preserved, and when ctx
// ends, exe is killed but not the programs that it started.
func (m *Machine) Wine(ctx context.Context, exe string, args ...string) (Output, error) {
	return m.WineIn(ctx, "/", exe, args...)
}

// WineIn works like [Machine.Wine] but sets the working directory, an absolute path in the
// container.
func (m *Machine) WineIn(ctx context.Context, dir, exe string, args ...string) (Output, error) {
	if err := m.startWindows(ctx); err != nil {
		return Output{}, err
	}
	return m.enter(ctx, windowsEnv(), []string{"--", "env", "--chdir=" + dir}, "wine", append([]string{windowsProgram(exe)}, args...))
}

// WineCommand returns the command that [Machine.Wine] would run, for callers that communicate
// with it while it runs. It is killed when ctx ends or the machine is closed.
func (m *Machine) WineCommand(ctx context.Context, exe string, args ...string) (*exec.Cmd, error) {
	if err := m.startWindows(ctx); err != nil {
		return nil, err
	}
	return m.command(m.withLife(ctx), windowsEnv(), []string{"--", "wine"}, windowsProgram(exe), args)
}

// windowsProgram returns exe with its folder. If Wine had to search for the program, it would run
// it as the child of another one, and that one would be killed instead.
func windowsProgram(exe string) string {
	if strings.ContainsAny(exe, `/\`) {
		return exe
	}
	if path.Ext(exe) == "" {
		exe += ".exe"
	}
	return `C:\windows\system32\` + exe
}
