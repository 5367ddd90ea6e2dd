package files

import (
	"io/fs"
	"os"
)

// Identity returns a word that tells a folder or a link from any that is made later at the
// same path. It stays the same when somebody moves the folder or restarts the machine, so it
// contains no device: their numbers can change. It is "" for other files, which programs such
// as newsyslog(8) replace, and where the system has no such word.
func (t Tree) Identity(p string) string {
	info, err := os.Lstat(t.Path(p))
	if err != nil || !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
		return ""
	}
	return identity(t.Path(p))
}
