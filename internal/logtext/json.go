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

	"github.com/go-glidepath/glidepath/internal/logmeta"
)

// JSONEncoder returns the encoder of the format JSON. Every key that reaches the top level
// of a record, from a field, an inline object or With, is compared with the record's own:
// one that is the same gets field_ before it, since readers take the last of two. Keys of
// the program's that are the same as one another all stay.
//
// A value has at most 64 KiB, and a line is shorter than o.MaxLine: the longest texts of a
// record that is longer are cut, then whole fields left out. Texts say so where they end;
// all are listed in the field cut.
func JSONEncoder(o JSONOptions) zapcore.Encoder { return newJSONEncoder(o) }

// JSONOptions say how records look as JSON. The zero value is what a service needs.
type JSONOptions struct {
	// MaxLine is the number of bytes that each line is shorter than, its newline included:
	// 16 KiB if zero, at which container runtimes split lines, at least 4 KiB. Lines have
	// no bound if it is negative.
	MaxLine int
}

func newJSONEncoder(o JSONOptions) *jsonEncoder {
	j := &layout{buffers: buffer.NewPool(), most: math.MaxInt}
	switch {
	case o.MaxLine == 0:
		j.most = defaultLine - 1
	case o.MaxLine > 0:
		j.most = max(o.MaxLine, minLine) - 1
	}
	j.pool.New = func() any { return &jsonEncoder{layout: j} }
	return &jsonEncoder{layout: j}
}

// layout is what the encoders of one log share. It does not change.
type layout struct {
	most    int       // bytes of a line
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
	r.buf, r.open, r.in = r.buf[:0], 0, 0
	var m logmeta.Meta
	m.Add(fields)
	r.begin(entry, &m)
	head := len(r.buf)
	r.buf, r.open = append(r.buf, e.buf...), e.open
	r.addAll(fields)
	r.closeNamespaces()
	r.stack(entry)
	const tail = "}\n"
	if room := r.most - len(tail); len(r.buf) > room {
		short := shorten(r.buf[head+len(","):], room-head-len(","), "cut")
		r.buf = append(r.buf[:head+len(",")], short...)
	}
	r.raw(tail)
	write(r.buf)
	if cap(r.buf) < 4*maxValue {
		e.pool.Put(r) // what was large once is not kept for ever
	}
}

// begin writes what is before the fields. It takes less than the whole of a line.
func (e *jsonEncoder) begin(entry *zapcore.Entry, m *logmeta.Meta) {
	e.raw(`{"level":`)
	number, named := m.Number(entry.Level)
	e.text(min(max(entry.Level, zapcore.DebugLevel), zapcore.FatalLevel).String())
	if !entry.Time.IsZero() { // slog.Handler: a zero time is left out
		e.raw(`,"time":`)
		e.time(entry.Time)
	}
	if entry.LoggerName != "" {
		e.raw(`,"logger":`)
		e.short(entry.LoggerName)
	}
	if entry.Caller.Defined {
		e.raw(`,"caller":`)
		e.short(entry.Caller.TrimmedPath())
	}
	e.raw(`,"msg":`)
	e.bounded(entry.Message, e.most/2)
	if !named {
		e.raw(`,"` + logmeta.NumberKey + `":`)
		e.buf = strconv.AppendInt(e.buf, int64(number), 10)
	}
}

// stack writes what is behind the fields.
func (e *jsonEncoder) stack(entry *zapcore.Entry) {
	if entry.Stack != "" {
		e.raw(`,"stack":`)
		e.text(entry.Stack)
	}
}

// own reports whether a key is one of the record's own.
func own(key string) bool {
	switch key {
	case "time", "level", "logger", "msg", "caller", "stack", "cut", logmeta.NumberKey:
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
	case zapcore.InlineMarshalerType:
		if _, level := f.Interface.(logmeta.Level); level {
			return // which begin has written
		}
		Bounded(*f).AddTo(e)
	case zapcore.ObjectMarshalerType, zapcore.ArrayMarshalerType, zapcore.ReflectType:
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

// short is text for what is before the fields and not the message.
func (e *jsonEncoder) short(s string) { e.bounded(s, e.most/32) }

// bounded is text, of at most most bytes in the line.
func (e *jsonEncoder) bounded(s string, most int) {
	start := len(e.buf) + len(`"`)
	e.text(s)
	if inside := e.buf[start : len(e.buf)-len(`"`)]; len(inside) > most {
		e.buf = e.buf[:start+encodedEnd(inside, most-maxMark)]
		e.buf = append(appendCut(e.buf, 0, len(s)), '"')
	}
}

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
