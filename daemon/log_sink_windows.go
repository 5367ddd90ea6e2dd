package daemon

import (
	"errors"
	"fmt"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/eventlog"
)

func hostTargets() []target { return []target{toEventLog} }

// openHost opens a sink that only this kind of system has. Programs for other systems do not
// contain it.
func (t target) openHost(name string, level zapcore.LevelEnabler) (sink, error) {
	if t == toEventLog {
		return eventlog.New(eventlog.Options{Source: name}, level)
	}
	return nil, fmt.Errorf("%s: %w", t, errors.ErrUnsupported)
}
