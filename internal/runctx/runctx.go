// Package runctx carries the run in the contexts that a program gets, so that the
// functions of package daemon find it there, and test doubles can stand in for it.
package runctx

import (
	"context"
	"os"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/dirs"
)

// Run is what a program can ask of the run that it is in.
type Run interface {
	// Go calls f on a goroutine that the run waits for.
	Go(ctx context.Context, f func(context.Context) error)
	// Fail ends the run with err.
	Fail(err error)
	// Finish ends the run: its work is done. detail says how that is known.
	Finish(detail string)
	// Logger is where the program logs.
	Logger() *zap.Logger
	// StartArgs is what the manager was given with this start.
	StartArgs() []string
	// Socket is a descriptor of that name that the manager has handed over, nil if
	// there is none left.
	Socket(name string) *os.File
	// Directories are the folders of the service, made if they were missing.
	Directories() (dirs.Dirs, error)
}

type key struct{}

// NewContext returns a context that carries r.
func NewContext(ctx context.Context, r Run) context.Context {
	return context.WithValue(ctx, key{}, r)
}

// FromContext returns the run that ctx carries, nil if it carries none.
func FromContext(ctx context.Context) Run {
	r, _ := ctx.Value(key{}).(Run)
	return r
}

// alive are the runs that go on in this process: one, except in tests, which may have
// several at a time.
var alive struct {
	sync.Mutex
	runs []Run
}

// Enter makes r a run of this process until leave is called.
func Enter(r Run) (leave func()) {
	alive.Lock()
	defer alive.Unlock()
	alive.runs = append(alive.runs, r)
	return func() {
		alive.Lock()
		defer alive.Unlock()
		alive.runs = slices.DeleteFunc(alive.runs, func(other Run) bool { return other == r })
	}
}

// Find returns the run that ctx carries, or the run of this process. It is nil if there
// is none, or if there are several and nothing says which of them is meant.
func Find(ctx context.Context) Run {
	if r := FromContext(ctx); r != nil {
		return r
	}
	alive.Lock()
	defer alive.Unlock()
	if len(alive.runs) == 1 {
		return alive.runs[0]
	}
	return nil
}
