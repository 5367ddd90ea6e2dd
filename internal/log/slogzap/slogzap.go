// Package slogzap provides a slog.Handler that logs to a zap core. go.uber.org/zap/exp has
// one too, but it makes each program 0.2 MB larger.
package slogzap

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// Handler implements slog.Handler. An attribute becomes a field. A group becomes an object,
// and a namespace if it is opened by WithGroup. A level that zap has no name for becomes
// the next lower level of zap, or debug, and the record carries it as [logmeta.Level]. As
// in slog.TextHandler, a list of errors becomes a list of their texts, and bytes become
// text.
type Handler struct {
	core   zapcore.Core
	name   string
	trace  func(context.Context) logmeta.Trace // may be nil
	groups []string                            // open groups without attributes so far: slog omits empty groups
}

var _ slog.Handler = (*Handler)(nil)

// New returns a handler for core. name is the logger name of its records. If trace is not
// nil, it returns the trace for the context that a record is logged with.
func New(core zapcore.Core, name string, trace func(context.Context) logmeta.Trace) *Handler {
	return &Handler{core: core, name: name, trace: trace}
}

// Enabled reports whether the core logs at level l.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return h.core.Enabled(level(l)) }

// Handle logs a record, with its source position if it has one. A program may exit right
// after logging above error level, so Handle writes such a record before it returns.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Log(ctx, level(r.Level), r)
	if r.Level > slog.LevelError {
		_ = h.core.Sync() // terminals and pipes always return an error
	}
	return err
}

// Log logs a record at the level l instead of its own.
func (h *Handler) Log(ctx context.Context, l zapcore.Level, r slog.Record) error {
	e := zapcore.Entry{Level: l, Time: r.Time, Message: r.Message, LoggerName: h.name}
	ce := h.core.Check(e, nil)
	if ce == nil {
		return nil
	}
	if r.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		ce.Caller = zapcore.EntryCaller{Defined: frame.PC != 0, PC: frame.PC, File: frame.File, Line: frame.Line, Function: frame.Function}
	}
	fields := make([]zapcore.Field, 0, 2+len(h.groups)+r.NumAttrs())
	if h.trace != nil && ctx != nil {
		if f := h.trace(ctx).Field(); f.Type != zapcore.SkipType {
			fields = append(fields, f)
		}
	}
	if f := logmeta.Level(r.Level).Field(); f.Type != zapcore.SkipType {
		fields = append(fields, f)
	}
	own := len(fields)
	fields = h.open(fields)
	groups := len(fields)
	r.Attrs(func(a slog.Attr) bool {
		fields = add(fields, a)
		return true
	})
	if len(fields) == groups { // slog omits empty groups
		fields = fields[:own]
	}
	ce.Write(fields...)
	return nil
}

// WithAttrs returns a handler that adds attributes to each record. It encodes them
// immediately.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := h.open(nil)
	groups := len(fields)
	for _, a := range attrs {
		fields = add(fields, a)
	}
	if len(fields) == groups {
		return h
	}
	return &Handler{core: h.core.With(fields), name: h.name, trace: h.trace}
}

// WithGroup returns a handler that puts all further attributes into a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &Handler{core: h.core, name: h.name, trace: h.trace, groups: append(slices.Clip(h.groups), name)}
}

func (h *Handler) open(fields []zapcore.Field) []zapcore.Field {
	for _, g := range h.groups {
		fields = append(fields, zap.Namespace(g))
	}
	return fields
}

func level(l slog.Level) zapcore.Level {
	switch {
	case l >= slog.LevelError:
		return zapcore.ErrorLevel
	case l >= slog.LevelWarn:
		return zapcore.WarnLevel
	case l >= slog.LevelInfo:
		return zapcore.InfoLevel
	}
	return zapcore.DebugLevel
}

// add appends the field for an attribute, unless the attribute is empty.
func add(fields []zapcore.Field, a slog.Attr) []zapcore.Field {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		switch attrs := v.Group(); {
		case len(attrs) == 0:
		case a.Key == "":
			for _, a := range attrs {
				fields = add(fields, a)
			}
		default:
			var in group
			for _, a := range attrs {
				in = add(in, a)
			}
			if len(in) > 0 {
				fields = append(fields, zap.Object(a.Key, in))
			}
		}
		return fields
	case slog.KindString:
		return append(fields, zap.String(a.Key, v.String()))
	case slog.KindInt64:
		return append(fields, zap.Int64(a.Key, v.Int64()))
	case slog.KindUint64:
		return append(fields, zap.Uint64(a.Key, v.Uint64()))
	case slog.KindFloat64:
		return append(fields, zap.Float64(a.Key, v.Float64()))
	case slog.KindBool:
		return append(fields, zap.Bool(a.Key, v.Bool()))
	case slog.KindDuration:
		return append(fields, zap.Duration(a.Key, v.Duration()))
	case slog.KindTime:
		return append(fields, zap.Time(a.Key, v.Time()))
	}
	return addAny(fields, a.Key, v.Any())
}

// addAny adds a value of a type that slog does not know.
func addAny(fields []zapcore.Field, key string, value any) []zapcore.Field {
	if p := reflect.ValueOf(value); p.Kind() == reflect.Pointer && p.IsNil() {
		return append(fields, zap.Reflect(key, nil)) // methods may not accept a nil receiver
	}
	switch x := value.(type) {
	case nil:
		if key == "" {
			return fields
		}
		return append(fields, zap.Reflect(key, nil))
	case error:
		return append(fields, zap.NamedError(key, x))
	case zapcore.ObjectMarshaler:
		return append(fields, zap.Object(key, x))
	case zapcore.ArrayMarshaler:
		return append(fields, zap.Array(key, x))
	case []byte:
		return append(fields, zap.ByteString(key, x))
	case []error:
		return append(fields, zap.Array(key, texts(x)))
	case fmt.Stringer:
		return append(fields, zap.Stringer(key, x))
	default:
		return append(fields, zap.Reflect(key, x))
	}
}

// texts marshals errors as an array of their texts.
type texts []error

// MarshalLogArray appends the texts to enc, and null for a nil error.
func (t texts) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, err := range t {
		if err == nil {
			_ = enc.AppendReflected(nil)
			continue
		}
		enc.AppendString(text(err))
	}
	return nil
}

// text returns err.Error(), or a replacement if that panics.
func text(err error) (s string) {
	defer func() {
		if what := recover(); what != nil {
			s = fmt.Sprint("PANIC=", what)
			if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
				s = "<nil>"
			}
		}
	}()
	return err.Error()
}

// group marshals the fields of a group as an object.
type group []zapcore.Field

// MarshalLogObject adds the fields to enc.
func (g group) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for i := range g {
		g[i].AddTo(enc)
	}
	return nil
}
