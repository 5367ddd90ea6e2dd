package logtext

import (
	"errors"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// With returns a clone of enc with more fields, bounded as by [Bounded]. A field whose
// value panics is replaced by a text that says so.
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

// Encode calls enc.EncodeEntry with the fields bounded as by [Bounded]. A field whose value
// panics is replaced by a text that says so.
func Encode(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if own, ok := enc.(*jsonEncoder); ok {
		return own.EncodeEntry(e, fields)
	}
	fields = bounded(fields)
	b, err, ok := try(enc, e, fields)
	if !ok {
		b, err, ok = try(enc, e, harmless(enc, fields))
	}
	if !ok { // a field that panics only sometimes
		b, err, ok = try(enc, e, mute(fields))
	}
	if !ok {
		return nil, errPanics
	}
	return b, err
}

var errPanics = errors.New("the encoder panicked")

// addAll adds the fields. It returns false if one panicked.
func addAll(enc zapcore.Encoder, fields []zapcore.Field) (ok bool) {
	defer func() { ok = recover() == nil }()
	for i := range fields {
		fields[i].AddTo(enc)
	}
	return true
}

// try encodes an entry. It returns false if something panicked.
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

// mute replaces all fields whose methods zap would call.
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

// what returns the value that encoding f panics with, nil if it does not panic.
func what(enc zapcore.ObjectEncoder, f zapcore.Field) (value any) {
	defer func() { value = recover() }()
	f.AddTo(enc)
	return nil
}
