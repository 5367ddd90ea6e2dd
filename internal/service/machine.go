package service

import (
	"strings"

	"github.com/go-glidepath/glidepath/internal/service/command"
	"github.com/go-glidepath/glidepath/internal/service/files"
)

// Machine is what a manager works on. The zero value is this machine.
type Machine struct {
	Tree     files.Tree        // "" is the root; tests have a folder
	Run      command.Runner    // nil is command.Run
	Progress func(what string) // hears what is waited for, in a few words; nil if nobody looks
}

// Runner is what runs the manager's tools.
func (m Machine) Runner() command.Runner {
	if m.Run == nil {
		return command.Run
	}
	return m.Run
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
