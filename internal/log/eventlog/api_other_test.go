//go:build !windows

package eventlog

import (
	"errors"
	"testing"

	"go.uber.org/zap"
)

func TestNew_FailsWithoutWindows(t *testing.T) {
	if c, err := New(Options{Source: "web"}, zap.DebugLevel); c != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, %v", c, err)
	}
}
