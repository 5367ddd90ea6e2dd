// Package daemontest provides test doubles for programs that use package daemon.
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

// Context returns a context like the one that a Program gets. Use it in tests that call
// methods of a Program directly, or functions that use daemon.Go, daemon.Fail,
// daemon.Logger or daemon.Directories. The folders are temporary folders of the test. For
// sockets, see [HandOver].
//
// It logs to t. When the test ends, the context is cancelled with a daemon.Reason as its
// cause, and the goroutines of daemon.Go are waited for. If one of them fails, even then,
// or daemon.Fail is called, it is an error of the test. daemon.Finish cancels the context
// at once.
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

// HandOver makes daemon.Socket and daemon.Listen find f under name, as if systemd had
// passed it. ctx must come from [Context]. A file that the program did not request is
// closed when the test ends.
func HandOver(ctx context.Context, name string, f *os.File) {
	d, ok := runctx.FromContext(ctx).(*double)
	if !ok {
		panic("daemontest.HandOver: the context is not one of daemontest.Context")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sockets = append(d.sockets, host.Socket{Name: name, File: f})
}

// double implements a run for tests.
type double struct {
	t          testing.TB
	ctx        context.Context
	end        context.CancelCauseFunc
	log        *zap.Logger
	goroutines sync.WaitGroup

	mu      sync.Mutex
	sockets []host.Socket // not requested yet
	folder  string        // parent of the folders, "" until they are requested
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
