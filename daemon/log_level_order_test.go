package daemon

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// levels notes the level of the log whenever a record is written.
type levels struct {
	zapcore.Core
	level *level
	at    []zapcore.Level
}

func (c *levels) Enabled(zapcore.Level) bool { return true }

func (c *levels) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, c)
}

func (c *levels) Write(zapcore.Entry, []zapcore.Field) error {
	c.at = append(c.at, c.level.Level())
	return nil
}

func TestSetLevel_ItsRecordComesFirst(t *testing.T) {
	l := &level{AtomicLevel: zap.NewAtomicLevel()}
	c := &levels{Core: zapcore.NewNopCore(), level: l}
	r := &run{level: l, book: newLogbook(zap.New(c), true)}
	r.setLevel(zap.DebugLevel, "USR1")
	if len(c.at) != 1 || c.at[0] != zap.InfoLevel || l.Level() != zap.DebugLevel {
		t.Errorf("the record was written while the level was %v; now it is %s", c.at, l.Level())
	}
}
