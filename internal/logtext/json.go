package logtext

import (
	"fmt"

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

func newObjects() form { return objects{JSONEncoder()} }

func (o objects) with(fields []zapcore.Field) form {
	enc, ok := o.add(fields)
	if !ok {
		enc, _ = o.add(o.harmless(fields))
	}
	return objects{enc}
}

// add is not ok if something in fields panics.
func (o objects) add(fields []zapcore.Field) (enc zapcore.Encoder, ok bool) {
	defer func() { ok = recover() == nil }()
	enc = o.enc.Clone()
	for i := range fields {
		fields[i].AddTo(enc)
	}
	return enc, true
}

func (o objects) encode(e zapcore.Entry, fields []zapcore.Field, write func([]byte)) {
	b, err := Encode(o.enc, e, fields)
	if err != nil {
		return // no encoder of ours gives one
	}
	write(b.Bytes())
	b.Free()
}

// Encode is enc.EncodeEntry. If a field panics when it is asked for its value, it is
// replaced by a text that says so.
func Encode(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b, err, ok := try(enc, e, fields)
	if !ok {
		b, err, _ = try(enc, e, objects{enc}.harmless(fields))
	}
	return b, err
}

func try(enc zapcore.Encoder, e zapcore.Entry, fields []zapcore.Field) (b *buffer.Buffer, err error, ok bool) {
	defer func() { ok = recover() == nil }()
	b, err = enc.EncodeEntry(e, fields)
	return b, err, true
}

// harmless replaces the fields that panic.
func (o objects) harmless(fields []zapcore.Field) []zapcore.Field {
	safe := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		if safe[i] = f; panics(o.enc.Clone(), f) != nil {
			safe[i] = zap.String(f.Key, fmt.Sprint("PANIC=", panics(o.enc.Clone(), f)))
		}
	}
	return safe
}

func panics(enc zapcore.ObjectEncoder, f zapcore.Field) (what any) {
	defer func() { what = recover() }()
	f.AddTo(enc)
	return nil
}
