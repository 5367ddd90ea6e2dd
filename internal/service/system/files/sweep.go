package files

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// part is what the names of temporary files have after the name of the service.
const part = ".glidepath"

// Sweep removes from a folder what a command that was killed has left of a change for the
// same service: new texts, old ones that it kept, folders that are nobody's yet. The
// caller holds the lock of the service, so nobody is at work on them. What cannot be
// removed is left for the next time. Other methods sweep the folders that they change.
func (c *Change) Sweep(dir string) {
	at := c.tree.Path(dir)
	if slices.Contains(c.swept, at) {
		return // what is there now may be this change's own
	}
	c.swept = append(c.swept, at)
	entries, err := os.ReadDir(at)
	if err != nil {
		return
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), "."+c.name+part); ok && isTemporary(rest) {
			_ = os.Remove(filepath.Join(at, e.Name()))
		}
	}
}

// isTemporary reports whether the rest of a name is a number, and what marks an old text.
func isTemporary(rest string) bool {
	digits := strings.TrimRight(strings.TrimSuffix(rest, old), "0123456789")
	return digits == "" && rest != "" && rest != old
}
