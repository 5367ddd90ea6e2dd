// Package logmeta defines metadata that a record carries besides its level, message and
// fields: the trace that it belongs to, and a level that zap has no name for. Both travel
// as fields, which every zap core understands. A sink with a special place for them finds
// them with [Meta.Add].
package logmeta

import (
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Trace identifies the trace and the span that a record belongs to.
type Trace struct{ TraceID, SpanID string }

// Field returns a field that adds trace_id and span_id, unless they are empty.
func (t Trace) Field() zap.Field {
	if t == (Trace{}) {
		return zap.Skip()
	}
	return zap.Inline(t)
}

// MarshalLogObject adds the IDs to enc.
func (t Trace) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	if t.TraceID != "" {
		enc.AddString("trace_id", t.TraceID)
	}
	if t.SpanID != "" {
		enc.AddString("span_id", t.SpanID)
	}
	return nil
}

// Level holds a level of slog that has no name: one between, below or above the named
// levels.
type Level slog.Level

// Field returns the field for l, or one that zap skips if l has a name.
func (l Level) Field() zap.Field {
	switch slog.Level(l) {
	case slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError:
		return zap.Skip()
	}
	return zap.Inline(l)
}

// NumberKey is the key of the severity number in records that follow no standard.
const NumberKey = "severity_number"

// MarshalLogObject adds the number of the level to enc.
func (l Level) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddInt64(NumberKey, int64(l.number()))
	return nil
}

// number returns the severity number that OpenTelemetry's bridge gives a slog level.
func (l Level) number() int { return min(max(int(l)+9, 1), 24) }

// In reports whether f holds a Trace or a Level.
func In(f *zapcore.Field) bool {
	if f.Type != zapcore.InlineMarshalerType {
		return false
	}
	switch f.Interface.(type) {
	case Trace, Level:
		return true
	}
	return false
}

// Meta collects the metadata in the fields of a record. The zero value holds none.
type Meta struct {
	Event logevent.Event
	Trace Trace
	level Level
	named bool // level is set
}

// Add collects the metadata in fields. A later field replaces an earlier one.
func (m *Meta) Add(fields []zapcore.Field) {
	for i := range fields {
		switch f := &fields[i]; f.Type {
		case zapcore.StringerType:
			if e := logevent.In(*f); e != 0 {
				m.Event = e
			}
		case zapcore.InlineMarshalerType:
			switch v := f.Interface.(type) {
			case Trace:
				m.Trace = v
			case Level:
				m.level, m.named = v, true
			}
		}
	}
}

// Number returns the severity number of a record as OpenTelemetry defines it, 1 to 24:
// debug is 5, info 9, warn 13, error 17, and the levels that end a program 21 to 23. The
// numbers also sort levels that zap has no name for; for those, named is false.
func (m *Meta) Number(l zapcore.Level) (number int, named bool) {
	if m.named {
		return m.level.number(), false
	}
	switch {
	case l < zapcore.DebugLevel:
		return max(5+int(l-zapcore.DebugLevel), 1), false
	case l > zapcore.FatalLevel:
		return 24, false
	case l < zapcore.DPanicLevel:
		return 9 + 4*int(l), true
	}
	return 21 + int(l-zapcore.DPanicLevel), true
}

// Distance returns how far the level of a record is above the next lower level with a name:
// 2 for slog's INFO+2. For a level below debug, it returns the negative distance from
// debug.
func (m *Meta) Distance(l zapcore.Level) int {
	switch {
	case m.named && m.level < Level(slog.LevelDebug):
		return int(m.level) - int(slog.LevelDebug)
	case m.named:
		return int(m.level) - 4*int(min(l, zapcore.ErrorLevel))
	case l < zapcore.DebugLevel:
		return int(l - zapcore.DebugLevel)
	case l > zapcore.FatalLevel:
		return int(l - zapcore.FatalLevel)
	}
	return 0
}
