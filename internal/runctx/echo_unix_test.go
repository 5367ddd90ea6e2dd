//go:build unix

package runctx

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
)

func TestEcho_ChildProcess(t *testing.T) {
	alive, cancelled := context.Background(), cancelledWith(context.Canceled)
	for name, test := range map[string]struct {
		script   string
		ctx, run context.Context
		want     bool
	}{
		"killed on the way down":             {"kill -KILL $$", cancelled, cancelled, true},
		"terminated on the way down":         {"kill -TERM $$", cancelled, cancelled, true},
		"killed while the run goes on":       {"kill -KILL $$", cancelled, alive, false},
		"crashed on the way down":            {"kill -SEGV $$", cancelled, cancelled, false},
		"failed on the way down":             {"exit 1", cancelled, cancelled, false},
		"failed as a shell reports a signal": {"exit 143", cancelled, cancelled, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("convert: %w", exec.Command("sh", "-c", test.script).Run())
			if got := Echo(err, test.ctx, test.run); got != test.want {
				t.Errorf("Echo(%v) is %t", err, got)
			}
		})
	}
}
