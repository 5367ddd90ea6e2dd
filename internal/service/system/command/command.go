// Package command runs the tools of service managers, and says what they have said
// when they fail.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Runner runs a command and waits for it. It returns what the command has written to
// its standard output. A command that fails is an [*Error]; one that is not there
// wraps exec.ErrNotFound. For one that succeeds and writes to its standard error, err is
// a [*Remark]: service.Machine.Runner passes that on and returns nil.
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

// Remark is what a command that succeeded has written to its standard error, such as a
// warning that its exit code does not show.
type Remark struct {
	Line string // the command line, for people
	Text string
}

func (r *Remark) Error() string { return r.Line + ": " + strings.TrimSpace(r.Text) }

// Code is the exit code that err carries, 0 if err is nil, -1 if it carries none.
func Code(err error) int {
	var e *Error
	var r *Remark
	switch {
	case err == nil, errors.As(err, &r):
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
	cmd := command(ctx, name, args...)
	apart(cmd)
	err := run(ctx, cmd, &stdout, &stderr)
	var e *Error
	if errors.As(err, &e) {
		e.Stdout, e.Stderr = stdout.String(), stderr.String()
	}
	if err == nil && strings.TrimSpace(stderr.String()) != "" {
		err = &Remark{Line: short(cmd.Args), Text: stderr.String()}
	}
	return stdout.String(), err
}

// Stream is Run with the output going to writers as it comes. Ctrl-C ends the command.
func Stream(ctx context.Context, stdout, stderr io.Writer, name string, args ...string) error {
	return run(ctx, command(ctx, name, args...), stdout, stderr)
}

// command is one that is found also where PATH does not look: who has become root by su
// has kept a PATH without the tools of root.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, find(name, sbin()), args...)
	cmd.Args[0] = name
	return cmd
}

// find is where a tool is that is not in PATH but in one of the other folders.
func find(name string, folders []string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	if _, err := exec.LookPath(name); errors.Is(err, exec.ErrNotFound) {
		for _, dir := range folders {
			if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return file
			}
		}
	}
	return name
}

func run(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	// LANGUAGE comes before LC_ALL unless that is C itself.
	cmd.Env = append(cmd.Environ(), "PATH="+strings.Join(append(filepath.SplitList(os.Getenv("PATH")), sbin()...), string(filepath.ListSeparator)), "LC_ALL=C.UTF-8", "LANGUAGE=", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "SYSTEMD_URLIFY=0")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = 5 * time.Second
	}
	line := short(cmd.Args)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		return nil // or it has ended well, and left something behind that holds its output
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", line, context.Cause(ctx))
	case errors.As(err, &exit):
		return &Error{Line: line, Code: exit.ExitCode()}
	}
	return fmt.Errorf("%s: %w", line, err)
}

// short is a command line for people, who do not read long flags.
func short(args []string) string {
	const most = 40
	words := slices.Clone(args)
	for i, w := range words {
		if runes := []rune(w); strings.HasPrefix(w, "-") && len(runes) > most {
			words[i] = string(runes[:most]) + "…"
		}
	}
	return strings.Join(words, " ")
}
