package service

import (
	"os"
	"runtime"

	"github.com/go-glidepath/glidepath/internal/dirs"
)

// Located is a Manager that says where it has the folders of a service: elsewhere than
// dirs.System has those of its ServiceName.
type Located interface {
	Folders(s Spec) dirs.Dirs
}

// Folders says where m has the folders of s, installed or not. Where an operator has
// moved one it is another.
func Folders(m Manager, s Spec) dirs.Dirs {
	if l, ok := m.(Located); ok {
		return l.Folders(s)
	}
	return dirs.System(runtime.GOOS, s.ServiceName(), os.Getenv)
}
