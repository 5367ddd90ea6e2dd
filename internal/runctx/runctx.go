// Package runctx carries the run in the contexts that a program gets. The functions of
// package daemon find it there, and tests can put a double in its place.
package runctx

import (
	"context"
	"os"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/dirs"
)

// Run gives a program access to the run that it belongs to.
type Run interface {
	// Go calls f on a goroutine that the run waits for.
	Go(ctx context.Context, f func(context.Context) error)
	// Fail ends the run with err.
	Fail(err error)
	// Finish ends the run because its work is done. detail says how that is known.
	Finish(detail string)
	// Logger returns the program's logger.
	Logger() *zap.Logger
	// StartArgs returns the arguments that the manager was given with this start.
	StartArgs() []string
	// Socket returns a descriptor of that name that the manager has passed, nil if none is
	// left.
	Socket(name string) *os.File
	// Directories returns the folders of the service, and makes missing ones.
	Directories() (dirs.Dirs, error)
}

type key struct{}

// NewContext returns a context that carries r.
func NewContext(ctx context.Context, r Run) context.Context {
	return context.WithValue(ctx, key{}, r)
}

// FromContext returns the run that ctx carries, nil if there is none.
func FromContext(ctx context.Context) Run {
	r, _ := ctx.Value(key{}).(Run)
	return r
}

// alive lists the runs of this process that have not ended: one, except in tests, which may
// have several at a time.
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

// Find returns the run that ctx carries, or else the run of this process. It returns nil if
// there is none, or if there are several and ctx names none of them.
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
