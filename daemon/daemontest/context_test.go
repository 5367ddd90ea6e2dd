package daemontest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// recorder implements testing.TB. It records failures instead of failing the test.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Cleanup(f func())             { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(f string, args ...any) { r.errors = append(r.errors, f) }

func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func TestContext_CancelsAndWaitsAtTheEndOfTheTest(t *testing.T) {
	r := &recorder{TB: t}
	var ended atomic.Bool
	ctx := daemontest.Context(r)
	daemon.Logger(ctx).Info("this is in the log of the test")
	daemon.Go(ctx, func(ctx context.Context) error {
		<-ctx.Done()
		ended.Store(true)
		return ctx.Err()
	})
	r.end()
	if !ended.Load() || len(r.errors) > 0 {
		t.Errorf("ended: %t, errors: %q", ended.Load(), r.errors)
	}
}

func TestContext_FailuresAreErrorsOfTheTest(t *testing.T) {
	r := &recorder{TB: t}
	ctx := daemontest.Context(r)
	daemon.Fail(ctx, errors.New("boom"))
	daemon.Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return errors.New("boom") })
	r.end()
	if len(r.errors) != 2 || !strings.Contains(r.errors[0], "daemon.Fail") || !strings.Contains(r.errors[1], "goroutine") {
		t.Errorf("errors: %q", r.errors)
	}
}

func TestHandOver_ClosesWhatWasNotRequested(t *testing.T) {
	r := &recorder{TB: t}
	ctx := daemontest.Context(r)
	files := make(map[string]*os.File)
	for _, name := range []string{"asked", "left"} {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
		daemontest.HandOver(ctx, name, f)
	}
	if got := daemon.Socket(ctx, "asked"); got != files["asked"] {
		t.Errorf("got %v", got)
	}
	r.end()
	if err := files["asked"].Close(); err != nil {
		t.Errorf("what was asked for: %v", err)
	}
	if err := files["left"].Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("what was left: %v", err)
	}
}

func TestHandOver_RefusesOtherContexts(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it takes any context")
		}
	}()
	daemontest.HandOver(t.Context(), "http", nil)
}
