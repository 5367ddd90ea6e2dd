//go:build linux

package testbed

import (
	"context"
	"os/exec"
	"path"
	"strings"
)

// Wine runs a Windows program in the machine and waits for it. exe is an absolute
// path in the container, such as that of a directory given to [Boot], or the name
// of one of Windows' own programs, such as sc. There are only 64-bit programs.
//
// The first call of a machine boots its Windows. Otherwise it is [Machine.Run],
// with two things to know: Wine keeps only the lowest eight bits of the exit code,
// and the end of ctx kills exe and not the programs that exe has started.
func (m *Machine) Wine(ctx context.Context, exe string, args ...string) (Output, error) {
	return m.WineIn(ctx, "/", exe, args...)
}

// WineIn is [Machine.Wine] in a working directory, an absolute path in the
// container.
func (m *Machine) WineIn(ctx context.Context, dir, exe string, args ...string) (Output, error) {
	if err := m.startWindows(ctx); err != nil {
		return Output{}, err
	}
	return m.enter(ctx, windowsEnv(), []string{"--", "env", "--chdir=" + dir}, "wine", append([]string{windowsProgram(exe)}, args...))
}

// WineCommand prepares what [Machine.Wine] runs, for a caller that wants to talk to
// it while it runs. It is killed when ctx ends or the machine is closed.
func (m *Machine) WineCommand(ctx context.Context, exe string, args ...string) (*exec.Cmd, error) {
	if err := m.startWindows(ctx); err != nil {
		return nil, err
	}
	return m.command(m.withLife(ctx), windowsEnv(), []string{"--", "wine"}, windowsProgram(exe), args)
}

// windowsProgram is exe with its folder. A program that Wine has to search is the child
// of another, which would be killed in its place.
func windowsProgram(exe string) string {
	if strings.ContainsAny(exe, `/\`) {
		return exe
	}
	if path.Ext(exe) == "" {
		exe += ".exe"
	}
	return `C:\windows\system32\` + exe
}
