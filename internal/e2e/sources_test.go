//go:build linux

package e2e

import (
	"io/fs"
	"path/filepath"
	"testing"
)

// go test takes an old result for a new one unless something has changed that a test
// has looked at, and it does not see what go build reads for the programs here. So
// this looks at every folder that they are made of; it has to be within a test.
func TestAnOldResultIsNotTakenForThatOfAChangedLibrary(t *testing.T) {
	for _, dir := range []string{"daemon", "examples", "internal"} {
		files := 0
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, _ fs.DirEntry, err error) error {
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
