//go:build !unix && !windows

package daemon

import (
	"errors"
	"fmt"

	"go.uber.org/zap/zapcore"
)

func hostTargets() []target { return nil }

func (t target) openHost(string, zapcore.LevelEnabler) (sink, error) {
	return nil, fmt.Errorf("%s: %w", t, errors.ErrUnsupported)
}
