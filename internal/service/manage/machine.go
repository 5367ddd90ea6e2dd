package manage

import (
	"context"
	"errors"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Machine is the machine that a manager works on. The zero value is this machine.
type Machine struct {
	Tree     files.Tree        // the root if empty; tests use a folder
	Run      command.Runner    // command.Run if nil
	Progress func(what string) // if not nil, is called with what the manager waits for, in a few words
	Notice   func(text string) // if not nil, is called with what the operator should know, on one line
}

// Runner returns the function that runs the manager's tools. It passes to Notice what a
// successful tool wrote to its standard error.
func (m Machine) Runner() command.Runner {
	run := m.Run
	if run == nil {
		run = command.Run
	}
	return func(ctx context.Context, name string, args ...string) (string, error) {
		out, err := run(ctx, name, args...)
		var said *command.Remark
		if !errors.As(err, &said) {
			return out, err
		}
		if text := remark(said.Text); text != "" {
			m.Note(said.Line + ": " + text)
		}
		return out, nil
	}
}

// remark returns the output of a tool on one line, without the lines that only repeat what
// the tool was told to do.
func remark(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "* ")) // OpenRC has these
		switch {
		case line == "":
		case strings.HasPrefix(line, "Created symlink "), strings.HasPrefix(line, "Removed "): // systemctl enable, disable
		case strings.HasPrefix(line, "Synchronizing state of "), strings.HasPrefix(line, "Executing: "): // the same, with a script of SysV init
		default:
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// Note passes text to Notice.
func (m Machine) Note(text string) {
	if m.Notice != nil {
		m.Notice(text)
	}
}

// Waiting passes what the manager waits for to Progress.
func (m Machine) Waiting(what string) {
	if m.Progress != nil {
		m.Progress(what)
	}
}

// Mark is in a comment of every file that an installation creates.
const Mark = "Made by Glidepath; install overwrites it."

// Marked reports whether a file with this text was created by an installation.
func Marked(text string) bool { return strings.Contains(text, Mark) }
