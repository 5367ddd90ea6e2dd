//go:build linux

package testbed

import (
	"io/fs"
	"path/filepath"
	"testing"
)

// LookAtSources makes go test run the tests of a package again when a Go file below one of dirs
// has changed. go test reuses an earlier result unless a file that a test opened has changed,
// and it does not know what [Build] reads. So LookAtSources opens those folders. Call it within
// a test.
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
