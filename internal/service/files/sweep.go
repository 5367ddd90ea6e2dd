package files

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Sweep removes what a process that was killed has left of a change to p: the new text, or
// the old one that it kept. Their names have its process ID, and what belongs to a process
// that is alive stays. What cannot be removed is left for the next time.
func (c *Change) Sweep(p string) {
	dir, base := filepath.Split(c.tree.Path(p))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "."+base+".")
		if !ok || !e.Type().IsRegular() && e.Type()&os.ModeSymlink == 0 {
			continue
		}
		number, isNew := strings.CutPrefix(rest, "new")
		number, isOld := strings.CutPrefix(number, "old")
		number, _, _ = strings.Cut(number, ".")
		pid, err := strconv.Atoi(number)
		if isNew == isOld || err != nil || pid <= 0 || alive(pid) {
			continue
		}
		_ = os.Remove(filepath.Join(dir, e.Name()))
	}
}
