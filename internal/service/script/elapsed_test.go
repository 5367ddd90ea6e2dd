//go:build unix

package script

import (
	"testing"
	"time"
)

func TestElapsed(t *testing.T) {
	for s, want := range map[string]time.Duration{"01:05": 65 * time.Second, "02:01:05": 2*time.Hour + 65*time.Second, "3-00:00:01": 72*time.Hour + time.Second} {
		if got, ok := elapsed(s); !ok || got != want {
			t.Errorf("%s: %s, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "1-", "1:x"} {
		if _, ok := elapsed(s); ok {
			t.Errorf("%q is a time", s)
		}
	}
}
