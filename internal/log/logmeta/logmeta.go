// Package logmeta carries what a record has besides its level, message and fields: the
// trace that it belongs to, and a level that zap has no name for. Both travel as fields,
// which every core of zap understands; a sink that has a place of its own for them finds
// them with [Meta.Add].
package logmeta

import (
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Trace names the trace and the span that a record belongs to.
type Trace struct{ TraceID, SpanID string }

// Field returns the field that carries t: trace_id and span_id, whichever is known.
func (t Trace) Field() zap.Field {
	if t == (Trace{}) {
		return zap.Skip()
	}
	return zap.Inline(t)
}

// MarshalLogObject adds the IDs as fields.
func (t Trace) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	if t.TraceID != "" {
		enc.AddString("trace_id", t.TraceID)
	}
	if t.SpanID != "" {
		enc.AddString("span_id", t.SpanID)
	}
	return nil
}

// Level is a level of slog between, below or above those that have a name.
type Level slog.Level

// Field returns the field that carries l, none if l has a name.
func (l Level) Field() zap.Field {
	switch slog.Level(l) {
	case slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError:
		return zap.Skip()
	}
	return zap.Inline(l)
}

// NumberKey is the key of a severity number in a record that is not of one of the
// standards.
const NumberKey = "severity_number"

// MarshalLogObject adds the number of the level as a field.
func (l Level) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddInt64(NumberKey, int64(l.number()))
	return nil
}

// number is what OpenTelemetry's bridge makes of a level of slog.
func (l Level) number() int { return min(max(int(l)+9, 1), 24) }

// In reports whether f carries one of the types of this package.
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

// Meta is what the fields of a record carry. The zero value is that of a record that
// carries nothing.
type Meta struct {
	Event logevent.Event
	Trace Trace
	level Level
	named bool // level is set
}

// Add adds what fields carry; a later field replaces an earlier one.
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
// debug is 5, info 9, warn 13, error 17, and what ends a program 21 to 23. It sorts, also
// the levels that zap has no name for; named is false for those.
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

// Distance returns how far the level of a record is from the next lower one that has a
// name, or from debug if it is below that: 2 for slog's INFO+2.
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
