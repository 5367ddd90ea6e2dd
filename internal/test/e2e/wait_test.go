//go:build linux

package e2e

import (
	"os"
	"testing"
	"time"
)

// eventually waits until wrong has nothing to say any more.
func eventually(t *testing.T, wrong func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		last := wrong()
		switch {
		case last == "":
			return
		case time.Now().After(deadline):
			t.Fatalf("still after %s: %s", patience, last)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stays asserts for a while that wrong has nothing to say.
func stays(t *testing.T, d time.Duration, wrong func() string) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if now := wrong(); now != "" {
			t.Fatal(now)
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
