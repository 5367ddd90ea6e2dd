//go:build linux

package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// notebook is where a probe says what was called, for what no manager can tell.
type notebook struct {
	t    *testing.T
	flag string // for the probe's command line
	path string // for the test
}

// newNotebook is for a probe that runs in the machine, as root.
func newNotebook(t *testing.T) notebook {
	t.Helper()
	n := inMachine(t, "notes")
	return notebook{t: t, flag: "-notes=" + n, path: machine.Path(n)}
}

// newHostNotebook is for a probe that runs beside the test.
func newHostNotebook(t *testing.T) notebook {
	t.Helper()
	n := filepath.Join(t.TempDir(), "notes")
	return notebook{t: t, flag: "-notes=" + n, path: n}
}

// count says how often something was noted.
func (n notebook) count(note string) int {
	n.t.Helper()
	text, err := os.ReadFile(n.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == note {
			count++
		}
	}
	return count
}

// await waits until something was noted.
func (n notebook) await(note string) {
	n.t.Helper()
	eventually(n.t, func() string {
		if n.count(note) > 0 {
			return ""
		}
		text, _ := os.ReadFile(n.path)
		return "there is no note " + note + " in:\n" + string(text)
	})
}

// says asserts what was noted, and nothing else.
func (n notebook) says(notes ...string) {
	n.t.Helper()
	text, err := os.ReadFile(n.path)
	if err != nil {
		n.t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(text)), strings.Join(notes, "\n"); got != want {
		n.t.Errorf("the notes are %q, want %q", got, want)
	}
}
