//go:build linux

package testbed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"
)

// Notebook reads a file in which a program records which of its methods were called, one note
// per line. Managers cannot tell that. The file need not exist before the first note.
type Notebook struct {
	t    testing.TB
	path string
}

// NewNotebook returns a Notebook for the test t. path is the path of the file on the host, for
// example from [Machine.Path].
func NewNotebook(t testing.TB, path string) *Notebook { return &Notebook{t, path} }

// notes returns the complete lines.
func (n *Notebook) notes() []string {
	n.t.Helper()
	text, err := os.ReadFile(n.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines[:len(lines)-1]
}

// Count returns how often note was recorded.
func (n *Notebook) Count(note string) int {
	n.t.Helper()
	count := 0
	for _, line := range n.notes() {
		if line == note {
			count++
		}
	}
	return count
}

// Await waits until note is recorded, and fails the test after half a minute.
func (n *Notebook) Await(note string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := poll(ctx, func() (bool, error) { return n.Count(note) > 0, nil }); err != nil {
		n.t.Fatalf("no note %q among %q", note, n.notes())
	}
}

// Says fails the test unless exactly these notes were recorded, in this order.
func (n *Notebook) Says(notes ...string) {
	n.t.Helper()
	if got, want := strings.Join(n.notes(), "\n"), strings.Join(notes, "\n"); got != want {
		n.t.Errorf("the notes are %q, want %q", got, want)
	}
}
