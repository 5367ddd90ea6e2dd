package logtext

import (
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// JSONEncoder is the encoder of the format JSON. A field of the program that is called as
// one of the record's own is field_msg, and so on: of two keys that are the same, readers
// take the last.
func JSONEncoder() zapcore.Encoder {
	return jsonEncoder{Encoder: zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		TimeKey: "time", LevelKey: "level", NameKey: "logger", MessageKey: "msg", CallerKey: "caller", StacktraceKey: "stack",
		EncodeLevel:    zapcore.LowercaseLevelEncoder,
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeCaller:   zapcore.ShortCallerEncoder,
	})}
}

type jsonEncoder struct {
	zapcore.Encoder
	inside bool // a namespace is open: no key is the record's own
}

func (e jsonEncoder) Clone() zapcore.Encoder { return jsonEncoder{e.Encoder.Clone(), e.inside} }

func (e jsonEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	fields, _ = e.distinct(fields)
	return e.Encoder.EncodeEntry(entry, fields)
}

// distinct are the fields with other names for those that are called as one of the
// record's own, which hardly any are; and whether a namespace is open after them.
func (e jsonEncoder) distinct(fields []zapcore.Field) (_ []zapcore.Field, inside bool) {
	renamed := false
	for i := range fields {
		switch {
		case e.inside:
		case fields[i].Type == zapcore.NamespaceType && !reserved(fields[i].Key):
			e.inside = true
		case reserved(fields[i].Key):
			if !renamed {
				renamed, fields = true, slices.Clone(fields)
			}
			fields[i].Key = "field_" + fields[i].Key
			e.inside = fields[i].Type == zapcore.NamespaceType
		}
	}
	return fields, e.inside
}

func reserved(key string) bool {
	switch key {
	case "time", "level", "logger", "msg", "caller", "stack":
		return true
	}
	return false
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

// With is a clone of enc with fields more, bounded as [Bounded] has them. A field that
// panics when it is asked for its value is replaced by a text that says so.
func With(enc zapcore.Encoder, fields []zapcore.Field) zapcore.Encoder {
	fields = bounded(fields)
	if own, ok := enc.(jsonEncoder); ok {
		fields, own.inside = own.distinct(fields)
		enc = own
	}
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
