// Package slogzap is a slog.Handler that logs to a core of zap. The one of go.uber.org/zap/exp
// does the same; it has every program that has it 0.2 MB larger.
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

// Handler is a slog.Handler. Attributes are fields, groups are objects, and namespaces
// once a group is open. A level that zap has no name for is the next lower one of zap, or
// debug, and the record carries it as [logmeta.Level]. A list of errors is one of their
// texts, and bytes are a text, as slog.TextHandler has them.
type Handler struct {
	core   zapcore.Core
	name   string
	trace  func(context.Context) logmeta.Trace // nil if nobody knows
	groups []string                            // open ones that have no attribute yet: slog leaves empty ones out
}

var _ slog.Handler = (*Handler)(nil)

// New returns a handler for core. Records have the name of a logger, and the trace that
// trace finds in the context that they are logged with, if it is not nil.
func New(core zapcore.Core, name string, trace func(context.Context) logmeta.Trace) *Handler {
	return &Handler{core: core, name: name, trace: trace}
}

// Enabled reports whether the core logs at that level.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return h.core.Enabled(level(l)) }

// Handle logs a record, with its place in the source if it has one. One above error is what
// programs say before they exit: it is written when Handle returns.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Log(ctx, level(r.Level), r)
	if r.Level > slog.LevelError {
		_ = h.core.Sync() // terminals and pipes cannot, and say so each time
	}
	return err
}

// Log logs a record at another level than its own.
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
	if len(fields) == groups { // slog leaves out groups that are empty
		fields = fields[:own]
	}
	ce.Write(fields...)
	return nil
}

// WithAttrs returns a handler that adds attributes to each record. They are encoded here
// and now.
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

// WithGroup returns a handler whose further attributes are in a group.
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

// add appends the field of an attribute, none for one that is empty.
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
	value := v.Any()
	if p := reflect.ValueOf(value); p.Kind() == reflect.Pointer && p.IsNil() {
		return append(fields, zap.Reflect(a.Key, nil)) // its methods may not expect that
	}
	switch x := value.(type) {
	case nil:
		if a.Key == "" {
			return fields
		}
		return append(fields, zap.Reflect(a.Key, nil))
	case error:
		return append(fields, zap.NamedError(a.Key, x))
	case zapcore.ObjectMarshaler:
		return append(fields, zap.Object(a.Key, x))
	case zapcore.ArrayMarshaler:
		return append(fields, zap.Array(a.Key, x))
	case []byte:
		return append(fields, zap.ByteString(a.Key, x))
	case []error:
		return append(fields, zap.Array(a.Key, texts(x)))
	case fmt.Stringer:
		return append(fields, zap.Stringer(a.Key, x))
	default:
		return append(fields, zap.Reflect(a.Key, x))
	}
}

// texts are those of errors.
type texts []error

// MarshalLogArray adds them. An error that is nil is null.
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

// text is that of an error, whose method may not expect a nil pointer.
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

// group is what is in one.
type group []zapcore.Field

// MarshalLogObject adds its fields.
func (g group) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for i := range g {
		g[i].AddTo(enc)
	}
	return nil
}
