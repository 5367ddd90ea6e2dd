package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// atWork starts a courier in synthetic time, with letters in its outbox, and calls body. Then
// it stops the courier, and calls after.
func atWork(t *testing.T, letters []string, body func(context.Context, *testing.T, *courier), after func(*testing.T, *courier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &courier{pace: 8 * time.Second}
		t.TempDir() // so that the folders are removed last
		t.Cleanup(func() { after(t, c) })
		ctx := daemontest.Context(t)
		paths, err := daemon.Directories(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range letters {
			file := filepath.Join(paths.State, "outbox", name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("dear "+name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		body(ctx, t, c)
	})
}

// arrived checks how many letters have been delivered.
func arrived(t *testing.T, c *courier, want int) {
	t.Helper()
	entries, err := os.ReadDir(c.delivered)
	if err != nil || len(entries) != want {
		t.Errorf("%d letters have arrived, want %d; %v", len(entries), want, err)
	}
}

func TestRun_DeliversOneLetterAtATime(t *testing.T) {
	atWork(t, []string{"a", "b"}, func(_ context.Context, t *testing.T, c *courier) {
		for i, after := range []time.Duration{7 * time.Second, 2 * time.Second, 8 * time.Second} {
			daemontest.Sleep(after)
			arrived(t, c, i)
		}
	}, func(t *testing.T, c *courier) { arrived(t, c, 2) })
}

func TestReload_FindsALaterLetterAtOnce(t *testing.T) {
	atWork(t, nil, func(ctx context.Context, t *testing.T, c *courier) {
		daemontest.Sleep(time.Millisecond)
		if err := os.WriteFile(filepath.Join(c.outbox, "late"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		daemontest.Sleep(c.pace + time.Millisecond)
		arrived(t, c, 1)
	}, func(*testing.T, *courier) {})
}

func TestRun_IgnoresALetterThatIsGone(t *testing.T) {
	atWork(t, []string{"a"}, func(_ context.Context, t *testing.T, c *courier) {
		daemontest.Sleep(time.Millisecond)
		if err := os.Remove(filepath.Join(c.outbox, "a")); err != nil {
			t.Fatal(err)
		}
		daemontest.Sleep(c.pace + time.Millisecond)
	}, func(t *testing.T, c *courier) { arrived(t, c, 0) })
}

func TestStop_WaitsForOneLetterAndTakesNoOther(t *testing.T) {
	atWork(t, []string{"a", "b"}, func(context.Context, *testing.T, *courier) {
		daemontest.Sleep(time.Second)
	}, func(t *testing.T, c *courier) { arrived(t, c, 1) })
}

var _ daemon.Reloader = (*courier)(nil)
