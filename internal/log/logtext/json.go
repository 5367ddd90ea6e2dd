package logtext

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/logkeys"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// JSONEncoder returns the encoder of the format JSON, with the names of o.Keys. It compares
// every key at the top level of a record, from a field, an inline object or With, with the
// record's own keys. If they are equal, it adds the prefix field_, because most readers
// take the last of two equal keys. Equal keys of the program are all kept.
//
// A value has at most 64 KiB, and a line is shorter than o.MaxLine. In a longer record, the
// longest texts are cut first, then whole fields are omitted. A text that was cut says so
// at its end. The field cut lists everything that was cut.
func JSONEncoder(o JSONOptions) zapcore.Encoder { return newJSONEncoder(o) }

// JSONOptions configure JSON records. The zero value suits a service.
type JSONOptions struct {
	// Keys selects the names, KeysGlidepath by default.
	Keys logkeys.Keys
	// Service and Version describe the service. Records include them in all sets of names
	// except KeysGlidepath.
	Service, Version string
	// MaxLine limits the bytes of a line, including its newline: each line is shorter. The
	// default is 16 KiB, at which container runtimes split lines. The minimum is 4 KiB. If
	// it is negative, there is no limit.
	MaxLine int
}

// FieldsEncoder returns an encoder for only the fields of a record: a JSON object of any
// length, without a newline.
func FieldsEncoder() zapcore.Encoder { return newJSONEncoder(JSONOptions{Keys: noKeys, MaxLine: -1}) }

func newJSONEncoder(o JSONOptions) *jsonEncoder {
	j := &layout{buffers: buffer.NewPool(), most: math.MaxInt, schema: schemaOf(o.Keys), resource: resource(o.Keys, o.Service, o.Version)}
	switch {
	case o.MaxLine == 0:
		j.most = defaultLine - 1
	case o.MaxLine > 0:
		j.most = max(o.MaxLine, minLine) - 1
	}
	j.pool.New = func() any { return &jsonEncoder{layout: j} }
	return &jsonEncoder{layout: j}
}

// layout holds what the encoders of a log share. It does not change.
type layout struct {
	schema
	resource string
	most     int       // the maximum length of a line in bytes
	pool     sync.Pool // holds *jsonEncoder
	buffers  buffer.Pool
}

// jsonEncoder encodes records as JSON. It holds either the fields of With, each after a
// comma, or the record that it is encoding.
type jsonEncoder struct {
	*layout
	buf    []byte
	open   int          // the number of open namespaces
	in     int          // the number of open objects and arrays in them
	traced bool         // an error has added its stack
	meta   logmeta.Meta // from the fields of With
}

// Clone returns a copy that shares no mutable memory.
func (e *jsonEncoder) Clone() zapcore.Encoder { return e.clone() }

func (e *jsonEncoder) clone() *jsonEncoder {
	c := *e
	c.buf = slices.Clone(e.buf)
	return &c
}

func (e *jsonEncoder) with(fields []zapcore.Field) *jsonEncoder {
	c := e.clone()
	c.meta.Add(fields)
	c.addAll(fields)
	return c
}

// EncodeEntry returns a record that ends with a newline.
func (e *jsonEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	b := e.buffers.Get()
	e.record(&entry, fields, func(line []byte) { _, _ = b.Write(line) })
	return b, nil
}

// record calls write with an encoded record. It reuses the memory when write returns.
func (e *jsonEncoder) record(entry *zapcore.Entry, fields []zapcore.Field, write func(line []byte)) {
	r, _ := e.pool.Get().(*jsonEncoder)
	r.buf, r.open, r.in, r.traced, r.meta = r.buf[:0], 0, 0, e.traced, e.meta
	r.meta.Add(fields)
	r.begin(entry, &r.meta)
	head := len(r.buf)
	if r.buf[len(r.buf)-1] == '{' && len(e.buf) > 0 {
		r.buf = append(r.buf, e.buf[len(","):]...)
	} else {
		r.buf = append(r.buf, e.buf...)
	}
	r.open = e.open
	r.addAll(fields)
	r.closeNamespaces()
	if entry.Stack != "" {
		r.stack(entry)
	}
	if len(r.buf) > r.most-len(r.tail) {
		r.shorten(head)
	}
	r.raw(r.tail)
	write(r.buf)
	if cap(r.buf) < 4*maxValue {
		e.pool.Put(r) // large buffers are not kept
	}
}

// shorten cuts the fields from offset start on, until they fit into the line.
func (e *jsonEncoder) shorten(start int) {
	if e.buf[start] == ',' { // the first member of Attributes has no comma
		start++
	}
	short := shorten(e.buf[start:], e.most-len(e.tail)-start, "cut")
	e.buf = append(e.buf[:start], short...)
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

// addGuarded adds a field with methods. If its value panics, the panic becomes its value.
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
		if !logmeta.In(f) { // begin has written it
			Bounded(*f).AddTo(e)
		}
	case zapcore.StringerType:
		if !e.event || logevent.In(*f) == 0 {
			f.AddTo(e)
		}
	case zapcore.ErrorType:
		if err, ok := f.Interface.(error); ok && f.Key == "error" && e.message != "" && e.open == 0 && e.in == 0 {
			e.addError(err)
			return
		}
		f.AddTo(e)
	case zapcore.ObjectMarshalerType, zapcore.ArrayMarshalerType, zapcore.ReflectType:
		Bounded(*f).AddTo(e)
	default:
		f.AddTo(e)
	}
}

// addError adds the parts of an error for which the schema has names.
func (e *jsonEncoder) addError(err error) {
	text := err.Error()
	e.member(e.message, text)
	e.member(e.kind, fmt.Sprintf("%T", err))
	if _, rich := err.(fmt.Formatter); !rich {
		return
	}
	if verbose := fmt.Sprintf("%+v", err); verbose != text {
		e.traced = true
		e.member(e.trace, verbose)
	}
}

// member adds a text under a key of the record itself.
func (e *jsonEncoder) member(key, value string) {
	e.comma()
	e.raw(`"`)
	e.raw(key)
	e.raw(`":`)
	e.text(value)
}

// comma separates the next value from the previous one.
func (e *jsonEncoder) comma() {
	if n := len(e.buf); n == 0 || e.buf[n-1] != '{' && e.buf[n-1] != '[' {
		e.buf = append(e.buf, ',')
	}
}

// key begins a member of an object.
func (e *jsonEncoder) key(key string, object bool) {
	e.comma()
	e.buf = append(e.buf, '"')
	if e.open == 0 && e.in == 0 {
		var prefix string
		prefix, key = e.rename(key, object)
		e.raw(prefix)
	}
	e.buf = appendJSON(e.buf, clip(key, maxValue))
	e.buf = append(e.buf, '"', ':')
}

func (e *jsonEncoder) raw(s string) { e.buf = append(e.buf, s...) }

// text appends a quoted text.
func (e *jsonEncoder) text(s string) { e.buf = appendJSONText(e.buf, s) }

// short appends a text that precedes the fields, other than the message.
func (e *jsonEncoder) short(s string) { e.bounded(s, e.most/40) }

// bounded appends a text that takes up at most most bytes of the line.
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
	if im := imag(v); im >= 0 && !math.IsInf(im, 1) { // an infinity includes its sign
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

// objects implements form for JSON.
type objects struct{ enc *jsonEncoder }

func (o objects) with(fields []zapcore.Field) form { return objects{o.enc.with(fields)} }

func (o objects) encode(e zapcore.Entry, fields []zapcore.Field, write func([]byte)) {
	o.enc.record(&e, fields, write)
}
