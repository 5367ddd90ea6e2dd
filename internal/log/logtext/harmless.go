package logtext

import (
	"errors"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// With is a clone of enc with fields more, bounded as [Bounded] has them. A field that
// panics when it is asked for its value is replaced by a text that says so.
func With(enc zapcore.Encoder, fields []zapcore.Field) zapcore.Encoder {
	if own, ok := enc.(*jsonEncoder); ok {
		return own.with(fields)
	}
	fields = bounded(fields)
	for _, f := range []func() []zapcore.Field{
		func() []zapcore.Field { return fields },
		func() []zapcore.Field { return harmless(enc, fields) },
		func() []zapcore.Field { return mute(fields) },
	} {
		more := enc.Clone()
		if addAll(more, f()) {
			return more
		}
	}
	return enc
}

// Encode is enc.EncodeEntry, with the fields bounded as [Bounded] has them. A field that
// panics when it is asked for its value is replaced by a text that says so.
func Encode(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if own, ok := enc.(*jsonEncoder); ok {
		return own.EncodeEntry(e, fields)
	}
	fields = bounded(fields)
	b, err, ok := try(enc, e, fields)
	if !ok {
		b, err, ok = try(enc, e, harmless(enc, fields))
	}
	if !ok { // one that panics only sometimes
		b, err, ok = try(enc, e, mute(fields))
	}
	if !ok {
		return nil, errPanics
	}
	return b, err
}

var errPanics = errors.New("the encoder panics")

// addAll reports whether nothing has panicked.
func addAll(enc zapcore.Encoder, fields []zapcore.Field) (ok bool) {
	defer func() { ok = recover() == nil }()
	for i := range fields {
		fields[i].AddTo(enc)
	}
	return true
}

// try is not ok if something has panicked.
func try(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (b *buffer.Buffer, err error, ok bool) {
	defer func() { ok = recover() == nil }()
	b, err = enc.EncodeEntry(e, fields)
	return b, err, true
}

// harmless replaces the fields that panic.
func harmless(enc zapcore.Encoder, fields []zapcore.Field) []zapcore.Field {
	safe := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		safe[i] = f
		if p := what(enc.Clone(), f); p != nil {
			safe[i] = zap.String(f.Key, panicked(p))
		}
	}
	return safe
}

// mute replaces the fields that have a method of the program's called.
func mute(fields []zapcore.Field) []zapcore.Field {
	safe := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		safe[i] = f
		switch f.Interface.(type) {
		case nil, []byte, time.Time, *time.Location, complex64, complex128:
		default:
			safe[i] = zap.String(f.Key, "PANIC")
		}
	}
	return safe
}

// what is the value that a field panics with.
func what(enc zapcore.ObjectEncoder, f zapcore.Field) (value any) {
	defer func() { value = recover() }()
	f.AddTo(enc)
	return nil
}
