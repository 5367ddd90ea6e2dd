// Package command runs the tools of service managers, and says what they have said
// when they fail.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Runner runs a command and waits for it. It returns what the command has written to
// its standard output. A command that fails is an [*Error]; one that is not there
// wraps exec.ErrNotFound.
type Runner func(ctx context.Context, name string, args ...string) (stdout string, err error)

// Error is a command that has ended with another code than 0.
type Error struct {
	Line   string // the command line, for people
	Code   int    // -1 if a signal has ended it
	Stdout string
	Stderr string
}

func (e *Error) Error() string {
	said := strings.TrimSpace(e.Stderr)
	if said == "" {
		said = strings.TrimSpace(e.Stdout)
	}
	if said == "" {
		return fmt.Sprintf("%s: exit code %d", e.Line, e.Code)
	}
	return fmt.Sprintf("%s: exit code %d: %s", e.Line, e.Code, said)
}

// Code is the exit code that err carries, 0 if err is nil, -1 if it carries none.
func Code(err error) int {
	var e *Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.Code
	}
	return -1
}

// Run is the Runner of this machine. The command speaks English, and has no standard
// input and no terminal: it cannot ask. Ctrl-C is not for it but for who waits for it,
// and may have to have something taken back then.
func Run(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	apart(cmd)
	err := run(ctx, cmd, &stdout, &stderr)
	var e *Error
	if errors.As(err, &e) {
		e.Stdout, e.Stderr = stdout.String(), stderr.String()
	}
	return stdout.String(), err
}

// Stream is Run with the output going to writers as it comes. Ctrl-C ends the command.
func Stream(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
	return run(ctx, exec.CommandContext(ctx, name, args...), stdout, stderr)
}

func run(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	// LANGUAGE comes before LC_ALL unless that is C itself.
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "LANGUAGE=", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "SYSTEMD_URLIFY=0")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = time.Second
	line := strings.Join(cmd.Args, " ")
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", line, context.Cause(ctx))
	case errors.As(err, &exit):
		return &Error{Line: line, Code: exit.ExitCode()}
	}
	return fmt.Errorf("%s: %w", line, err)
}
