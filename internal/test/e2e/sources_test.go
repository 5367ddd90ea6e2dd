//go:build linux

package e2e

import (
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestAnOldResultIsNotTakenForThatOfAChangedLibrary(t *testing.T) {
	testbed.LookAtSources(t, "../../../daemon", "../../../examples", "../../../internal")
}
