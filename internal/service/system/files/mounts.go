package files

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Mounts are the file systems that are mounted at a folder or below it. They are known
// on Linux alone.
func (t Tree) Mounts(folder string) []string {
	text, _, _ := t.Read("/proc/self/mountinfo")
	folders := []string{folder}
	if real, err := filepath.EvalSymlinks(t.Path(folder)); err == nil && t == "" {
		folders = append(folders, real)
	}
	var found []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		at := unescape(f[4])
		if slices.ContainsFunc(folders, func(p string) bool { return at == p || strings.HasPrefix(at, p+"/") }) {
			found = append(found, at)
		}
	}
	return found
}

// unescape reads what the kernel writes for blanks: \040 for one.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, `\`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		n, err := strconv.ParseUint(after[:min(3, len(after))], 8, 8)
		if err != nil {
			b.WriteByte('\\')
			s = after
			continue
		}
		b.WriteByte(byte(n))
		s = after[3:]
	}
}
