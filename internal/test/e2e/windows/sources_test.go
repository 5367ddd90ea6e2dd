//go:build linux

package windows

import (
	"path/filepath"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestAnOldResultIsNotTakenForThatOfAChangedLibrary(t *testing.T) {
	module := filepath.Join("..", "..", "..", "..")
	testbed.LookAtSources(t, filepath.Join(module, "daemon"), filepath.Join(module, "examples"), filepath.Join(module, "internal"))
}
