package manage

import (
	"context"
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

// Launcher is a Manager that says which file it starts for a service, which may be another
// than the program that asks.
type Launcher interface {
	// Launches returns "" if the service is not installed, or is started in a way that
	// the manager does not understand.
	Launches(ctx context.Context, s Spec) (file string, err error)
}

// Launches says which file m starts for s: that of s itself if m does not say.
func Launches(ctx context.Context, m Manager, s Spec) string {
	if l, ok := m.(Launcher); ok {
		if file, err := l.Launches(ctx, s); err == nil && file != "" {
			return file
		}
	}
	return s.Executable
}
