//go:build linux

package testbed

import (
	"io/fs"
	"path/filepath"
	"testing"
)

// LookAtSources makes go test run the tests of a package again when a file of Go
// below one of dirs has changed. go test takes an old result for a new one unless
// something has changed that a test has looked at, and it does not see what [Build]
// reads. So this looks at all of it; it has to be within a test.
func LookAtSources(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		files := 0
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if filepath.Ext(path) == ".go" {
				files++
			}
			return err
		})
		if err != nil || files == 0 {
			t.Errorf("%d files in %s, %v", files, dir, err)
		}
	}
}
