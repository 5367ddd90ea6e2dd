package logmeta

import (
	"log/slog"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

func TestMeta_NumberAndDistance(t *testing.T) {
	for _, c := range []struct {
		level    zapcore.Level
		field    zap.Field
		number   int
		named    bool
		distance int
	}{
		{-9, zap.Skip(), 1, false, -8},
		{-2, zap.Skip(), 4, false, -1},
		{zap.DebugLevel, zap.Skip(), 5, true, 0},
		{zap.InfoLevel, zap.Skip(), 9, true, 0},
		{zap.WarnLevel, zap.Skip(), 13, true, 0},
		{zap.ErrorLevel, zap.Skip(), 17, true, 0},
		{zap.DPanicLevel, zap.Skip(), 21, true, 0},
		{zap.PanicLevel, zap.Skip(), 22, true, 0},
		{zap.FatalLevel, zap.Skip(), 23, true, 0},
		{9, zap.Skip(), 24, false, 4},
		{zap.DebugLevel, Level(-8).Field(), 1, false, -4},
		{zap.DebugLevel, Level(-2).Field(), 7, false, 2},
		{zap.InfoLevel, Level(slog.LevelInfo).Field(), 9, true, 0},
		{zap.InfoLevel, Level(2).Field(), 11, false, 2},
		{zap.WarnLevel, Level(7).Field(), 16, false, 3},
		{zap.ErrorLevel, Level(12).Field(), 21, false, 4},
		{zap.ErrorLevel, Level(100).Field(), 24, false, 92},
	} {
		var m Meta
		m.Add([]zap.Field{c.field})
		number, named := m.Number(c.level)
		if number != c.number || named != c.named || m.Distance(c.level) != c.distance {
			t.Errorf("%d, %v: %d, %t, %d", c.level, c.field.Interface, number, named, m.Distance(c.level))
		}
	}
}

func TestAdd_LaterFieldReplacesEarlier(t *testing.T) {
	var m Meta
	m.Add([]zap.Field{Trace{"a", "b"}.Field(), logevent.Ready.Field(), zap.String("trace_id", "z"), zap.Stringer("event", zap.InfoLevel)})
	m.Add([]zap.Field{zap.Int("x", 1), Trace{TraceID: "c"}.Field()})
	if m.Trace != (Trace{TraceID: "c"}) || m.Event != logevent.Ready {
		t.Errorf("got %+v", m)
	}
	if f := (Trace{}).Field(); f.Type != zapcore.SkipType {
		t.Errorf("no trace is the field %v", f)
	}
}
