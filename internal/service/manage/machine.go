package manage

import (
	"context"
	"errors"
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// Machine is what a manager works on. The zero value is this machine.
type Machine struct {
	Tree     files.Tree        // "" is the root; tests have a folder
	Run      command.Runner    // nil is command.Run
	Progress func(what string) // hears what is waited for, in a few words; nil if nobody looks
	Notice   func(text string) // is told what the operator should know, one line; nil if nobody looks
}

// Runner is what runs the manager's tools. What a tool that succeeded has said on its
// standard error goes to Notice.
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

// remark returns in one line what a tool has said, without the lines that only repeat what
// it was told to do.
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

// Note tells the operator something.
func (m Machine) Note(text string) {
	if m.Notice != nil {
		m.Notice(text)
	}
}

// Waiting says what is waited for now.
func (m Machine) Waiting(what string) {
	if m.Progress != nil {
		m.Progress(what)
	}
}

// Mark stands in a comment in every file that an installation makes.
const Mark = "Made by Glidepath; install makes it anew."

// Marked reports whether a file is ours.
func Marked(text string) bool { return strings.Contains(text, Mark) }
