package logtext

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// JSONEncoder returns the encoder of the format JSON. Every key that reaches the top level
// of a record, from a field, an inline object or With, is compared with the record's own:
// one that is the same gets field_ before it, since readers take the last of two. Keys of
// the program's that are the same as one another all stay.
func JSONEncoder() zapcore.Encoder { return newJSONEncoder() }

func newJSONEncoder() *jsonEncoder {
	j := &layout{buffers: buffer.NewPool()}
	j.pool.New = func() any { return &jsonEncoder{layout: j} }
	return &jsonEncoder{layout: j}
}

// layout is what the encoders of one log share. It does not change.
type layout struct {
	pool    sync.Pool // of *jsonEncoder
	buffers buffer.Pool
}

// jsonEncoder writes records as JSON. It holds either the fields of With, each with a
// comma before it, or a record in the making.
type jsonEncoder struct {
	*layout
	buf  []byte
	open int // namespaces that are open
	in   int // objects and arrays that are open inside of those
}

// Clone returns a copy that shares nothing that changes.
func (e *jsonEncoder) Clone() zapcore.Encoder { return e.clone() }

func (e *jsonEncoder) clone() *jsonEncoder {
	c := *e
	c.buf = slices.Clone(e.buf)
	return &c
}

func (e *jsonEncoder) with(fields []zapcore.Field) *jsonEncoder {
	c := e.clone()
	c.addAll(fields)
	return c
}

// EncodeEntry returns a record, which ends with a newline.
func (e *jsonEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b := e.buffers.Get()
	e.record(&entry, fields, func(line []byte) { _, _ = b.Write(line) })
	return b, nil
}

// record calls write with a record, whose memory is used again after that.
func (e *jsonEncoder) record(entry *zapcore.Entry, fields []zapcore.Field, write func(line []byte)) {
	r, _ := e.pool.Get().(*jsonEncoder)
	r.buf = r.buf[:0]
	r.begin(entry)
	r.buf, r.open, r.in = append(r.buf, e.buf...), e.open, 0
	r.addAll(fields)
	r.closeNamespaces()
	r.end(entry)
	write(r.buf)
	if cap(r.buf) < 4*maxValue {
		e.pool.Put(r) // what was large once is not kept for ever
	}
}

// begin writes what is before the fields.
func (e *jsonEncoder) begin(entry *zapcore.Entry) {
	e.raw(`{"level":`)
	e.text(entry.Level.String())
	if !entry.Time.IsZero() { // slog.Handler: a zero time is left out
		e.raw(`,"time":`)
		e.time(entry.Time)
	}
	if entry.LoggerName != "" {
		e.raw(`,"logger":`)
		e.text(entry.LoggerName)
	}
	if entry.Caller.Defined {
		e.raw(`,"caller":`)
		e.text(entry.Caller.TrimmedPath())
	}
	e.raw(`,"msg":`)
	e.text(entry.Message)
}

// end writes what is behind the fields.
func (e *jsonEncoder) end(entry *zapcore.Entry) {
	if entry.Stack != "" {
		e.raw(`,"stack":`)
		e.text(entry.Stack)
	}
	e.raw("}\n")
}

// own reports whether a key is one of the record's own.
func own(key string) bool {
	switch key {
	case "time", "level", "logger", "msg", "caller", "stack":
		return true
	}
	return false
}

func (e *jsonEncoder) addAll(fields []zapcore.Field) {
	for i := range fields {
		e.add(&fields[i])
	}
}

// add adds a field.
func (e *jsonEncoder) add(f *zapcore.Field) {
	switch f.Type {
	case zapcore.StringType:
		e.AddString(f.Key, f.String)
	case zapcore.Int64Type, zapcore.Int32Type, zapcore.Int16Type, zapcore.Int8Type:
		e.AddInt64(f.Key, f.Integer)
	case zapcore.BoolType:
		e.AddBool(f.Key, f.Integer == 1)
	case zapcore.DurationType:
		e.AddDuration(f.Key, time.Duration(f.Integer))
	case zapcore.SkipType:
	default:
		e.addGuarded(f)
	}
}

// addGuarded adds a field that is asked for its value. If it panics, that is its value.
func (e *jsonEncoder) addGuarded(f *zapcore.Field) {
	end, open, in := len(e.buf), e.open, e.in
	defer func() {
		if what := recover(); what != nil {
			e.buf, e.open, e.in = e.buf[:end], open, in
			e.AddString(f.Key, panicked(what))
		}
	}()
	switch f.Type {
	case zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType, zapcore.ArrayMarshalerType, zapcore.ReflectType:
		Bounded(*f).AddTo(e)
	default:
		f.AddTo(e)
	}
}

// comma separates what comes next from what is before it.
func (e *jsonEncoder) comma() {
	if n := len(e.buf); n == 0 || e.buf[n-1] != '{' && e.buf[n-1] != '[' {
		e.buf = append(e.buf, ',')
	}
}

func (e *jsonEncoder) key(key string) {
	e.comma()
	e.buf = append(e.buf, '"')
	if e.open == 0 && e.in == 0 && own(key) {
		e.raw("field_")
	}
	e.buf = appendJSON(e.buf, clip(key, maxValue))
	e.buf = append(e.buf, '"', ':')
}

func (e *jsonEncoder) raw(s string) { e.buf = append(e.buf, s...) }

// text appends a text in quotes.
func (e *jsonEncoder) text(s string) { e.buf = appendJSONText(e.buf, s) }

func (e *jsonEncoder) duration(d time.Duration) {
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, d.String()...)
	e.buf = append(e.buf, '"')
}

func (e *jsonEncoder) time(t time.Time) {
	e.buf = append(e.buf, '"')
	e.buf = t.AppendFormat(e.buf, time.RFC3339Nano)
	e.buf = append(e.buf, '"')
}

func (e *jsonEncoder) float(v float64, bits int) {
	switch {
	case math.IsNaN(v):
		e.raw(`"NaN"`)
	case math.IsInf(v, 1):
		e.raw(`"+Inf"`)
	case math.IsInf(v, -1):
		e.raw(`"-Inf"`)
	default:
		e.buf = strconv.AppendFloat(e.buf, v, 'f', -1, bits)
	}
}

func (e *jsonEncoder) complex(v complex128, bits int) {
	e.buf = append(e.buf, '"')
	e.buf = strconv.AppendFloat(e.buf, real(v), 'f', -1, bits)
	if im := imag(v); im >= 0 && !math.IsInf(im, 1) { // infinity has a sign of its own
		e.buf = append(e.buf, '+')
	}
	e.buf = strconv.AppendFloat(e.buf, imag(v), 'f', -1, bits)
	e.buf = append(e.buf, 'i', '"')
}

func (e *jsonEncoder) object(m zapcore.ObjectMarshaler) error {
	open := e.open
	e.buf = append(e.buf, '{')
	e.open, e.in = 0, e.in+1
	err := m.MarshalLogObject(e)
	e.closeNamespaces()
	e.open, e.in = open, e.in-1
	e.buf = append(e.buf, '}')
	return err
}

func (e *jsonEncoder) array(m zapcore.ArrayMarshaler) error {
	e.buf = append(e.buf, '[')
	e.in++
	err := m.MarshalLogArray(e)
	e.in--
	e.buf = append(e.buf, ']')
	return err
}

func (e *jsonEncoder) closeNamespaces() {
	for ; e.open > 0; e.open-- {
		e.buf = append(e.buf, '}')
	}
}

func (e *jsonEncoder) binary(v []byte) {
	e.buf = append(e.buf, '"')
	e.buf = base64.StdEncoding.AppendEncode(e.buf, clipBytes(v))
	e.buf = appendCut(e.buf, len(clipBytes(v)), len(v))
	e.buf = append(e.buf, '"')
}

// objects is the form JSON.
type objects struct{ enc *jsonEncoder }

func (o objects) with(fields []zapcore.Field) form { return objects{o.enc.with(fields)} }

func (o objects) encode(e zapcore.Entry, fields []zapcore.Field, write func([]byte)) {
	o.enc.record(&e, fields, write)
}
