//go:build linux

package e2e

import (
	"strings"
	"syscall"
	"testing"
)

func TestExitCodesOfProcesses(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags string
		term  bool // it has to be asked
		code  int
	}{
		{"is 0 where it stops as asked", "", true, 0},
		{"is 0 where its work is done", "-job=100ms", false, 0},
		{"is 1 where Start fails", "-start-fail", false, 1},
		{"is 1 where it fails", "-fail-after=100ms", false, 1},
		{"is 1 where a goroutine panics", "-panic-after=100ms", false, 1},
		{"is 1 where Stop fails", "-stop-fail", true, 1},
		{"is 2 where the command is unknown", "no-such-command", false, 2},
		{"is 2 where the flag is unknown", "-no-such-flag", false, 2},
		{"is 78 where the configuration is wrong", "-start-config-error", false, 78},
		{"is 78 where Config is wrong", "-stop-timeout=-1s", false, 78},
		{"is 124 where Stop hangs", "-stop-ignores-deadline -stop-timeout=200ms", true, 124},
		{"is 124 where Start hangs", "-start-ignores-context -start-timeout=200ms -stop-timeout=200ms", false, 124},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			notes := newHostNotebook(t)
			p := launch(t, command("probe", append([]string{notes.flag}, strings.Fields(c.flags)...)...))
			if c.term {
				notes.await("started")
				p.signal(syscall.SIGTERM)
			}
			p.exits(c.code)
		})
	}
}
