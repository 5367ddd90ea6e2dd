package logtext

import (
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// JSONEncoder is the encoder of the format JSON.
func JSONEncoder() zapcore.Encoder {
	return zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", CallerKey: "caller", StacktraceKey: "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeCaller:   zapcore.ShortCallerEncoder,
	})
}

// objects is the form JSON.
type objects struct{ enc zapcore.Encoder }

func (o objects) with(fields []zapcore.Field) form { return objects{With(o.enc, fields)} }

func (o objects) encode(e zapcore.Entry, fields []zapcore.Field, write func([]byte)) {
	b, err := Encode(o.enc, e, fields)
	if err != nil {
		return // the encoder of JSON gives none
	}
	write(b.Bytes())
	b.Free()
}

// With is a clone of enc with fields more. A field that panics when it is asked for its
// value is replaced by a text that says so.
func With(enc zapcore.Encoder, fields []zapcore.Field) zapcore.Encoder {
	more := enc.Clone()
	if !addAll(more, fields) {
		more = enc.Clone()
		addAll(more, harmless(enc, fields))
	}
	return more
}

// Encode is enc.EncodeEntry. A field that panics when it is asked for its value is
// replaced by a text that says so.
func Encode(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b, err, ok := try(enc, e, fields)
	if !ok {
		b, err, _ = try(enc, e, harmless(enc, fields))
	}
	return b, err
}

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
		if safe[i] = f; what(enc.Clone(), f) != nil {
			safe[i] = zap.String(f.Key, panicked(what(enc.Clone(), f)))
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
