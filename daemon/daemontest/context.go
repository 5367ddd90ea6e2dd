// Package daemontest has doubles for tests of programs that are written for package
// daemon.
package daemontest

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Context returns a context like the one that a Program gets, for a test that calls
// the methods of a Program itself, or a function that uses daemon.Go, daemon.Fail,
// daemon.Logger or daemon.Directories. The folders are temporary ones of the test; for
// sockets, see [HandOver].
//
// It logs to t. When the test ends the context is cancelled, with a daemon.Reason as
// its cause, and the goroutines of daemon.Go are waited for. A failure of one of
// them, then too, or a call of daemon.Fail, is an error of the test. daemon.Finish
// cancels the context at once.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	d := &double{t: t, ctx: ctx, end: cancel, log: zaptest.NewLogger(t)}
	ctx = runctx.NewContext(ctx, d)
	t.Cleanup(func() {
		cancel(daemon.Reason{Trigger: daemon.TriggerCancelled, Detail: "the test has ended"})
		d.goroutines.Wait()
		host.Env{Sockets: d.sockets}.Close()
	})
	return ctx
}

// HandOver makes f what daemon.Socket and daemon.Listen find under name, as if systemd
// had handed it over: for a context that [Context] has made, or one made from it. What
// nobody has asked for is closed when the test ends.
func HandOver(ctx context.Context, name string, f *os.File) {
	d, ok := runctx.FromContext(ctx).(*double)
	if !ok {
		panic("daemontest.HandOver: the context is not one of daemontest.Context")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sockets = append(d.sockets, host.Socket{Name: name, File: f})
}

// double stands in for a run.
type double struct {
	t          testing.TB
	ctx        context.Context
	end        context.CancelCauseFunc
	log        *zap.Logger
	goroutines sync.WaitGroup

	mu      sync.Mutex
	sockets []host.Socket // that nobody has asked for
	folder  string        // below which the folders are, "" until somebody asks for them
}

func (d *double) Go(ctx context.Context, f func(context.Context) error) {
	d.goroutines.Go(func() {
		if err := f(ctx); err != nil && !runctx.Echo(err, ctx, d.ctx) {
			d.t.Errorf("a goroutine failed: %v", err)
		}
	})
}

func (d *double) Fail(err error) { d.t.Errorf("daemon.Fail: %v", err) }

func (d *double) Finish(detail string) {
	d.end(daemon.Reason{Trigger: daemon.TriggerFinished, Detail: detail})
}

func (d *double) Logger() *zap.Logger { return d.log }

func (d *double) StartArgs() []string { return nil }

func (d *double) Socket(name string) *os.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.sockets, func(s host.Socket) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	f := d.sockets[i].File
	d.sockets = slices.Delete(d.sockets, i, i+1)
	return f
}

func (d *double) Directories() (dirs.Dirs, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.folder == "" {
		d.folder = d.t.TempDir()
	}
	return dirs.In(d.folder)
}
