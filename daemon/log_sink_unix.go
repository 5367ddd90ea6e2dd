//go:build unix

package daemon

import (
	"errors"
	"fmt"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/log/syslog"
)

func hostTargets() []target { return []target{toJournal, toPrefixed, toSyslog} }

// openHost opens a sink that only this kind of system has. Programs for other systems do not
// contain it.
func (t target) openHost(name string, level zapcore.LevelEnabler) (sink, error) {
	switch t {
	case toJournal:
		return journal.New(journal.Options{Identifier: name}, level)
	case toSyslog:
		return syslog.New(syslog.Options{Tag: name}, level)
	}
	return nil, fmt.Errorf("%s: %w", t, errors.ErrUnsupported)
}
