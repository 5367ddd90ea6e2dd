//go:build linux

package openrc

import (
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestAnOldResultIsNotTakenForThatOfAChangedLibrary(t *testing.T) {
	testbed.LookAtSources(t, "../../../daemon", "../../../internal")
}
