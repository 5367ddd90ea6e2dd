package logtext

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

const (
	maxValue = 64 << 10 // bytes of a value
	maxDepth = 32       // nested objects
)

// fields holds the fields of a record as text: each as " key=value", and each value of
// several lines as a block. It implements zapcore.ObjectEncoder.
type fields struct {
	line   []byte
	blocks []byte // complete lines, safe to show, with their indents
	space  []byte // the namespaces and objects, each followed by a dot
	depth  int    // of lists and the objects in them, whose contents stay in the line
	first  bool   // in a list or an object in one: no comma yet
	paint  paint
	below  bool // each field has a line of its own below the message, as "key: value"
	level  bool // the level is shown elsewhere, including one without a name
}

func (f *fields) reset(source *fields) {
	f.line = append(f.line[:0], source.line...)
	f.blocks = append(f.blocks[:0], source.blocks...)
	f.space = append(f.space[:0], source.space...)
	f.depth, f.first, f.paint, f.below = 0, false, source.paint, source.below
}

func (f *fields) clone() *fields {
	return &fields{line: slices.Clone(f.line), blocks: slices.Clone(f.blocks), space: slices.Clone(f.space), paint: f.paint, below: f.below}
}

func (f *fields) addAll(all []zapcore.Field) {
	for i := range all {
		if logevent.In(all[i]) == 0 { // the message expresses the event
			f.add(&all[i])
		}
	}
}

// add adds a field. If its value panics, the panic becomes its value.
func (f *fields) add(field *zapcore.Field) {
	line, blocks, space := len(f.line), len(f.blocks), len(f.space)
	defer func() {
		if what := recover(); what != nil {
			f.line, f.blocks, f.space = f.line[:line], f.blocks[:blocks], f.space[:space]
			f.depth, f.first = 0, false
			f.AddString(field.Key, panicked(what))
		}
	}()
	switch field.Type {
	case zapcore.InlineMarshalerType:
		switch m := field.Interface.(type) {
		case logmeta.Level:
			if !f.level {
				f.outside(m)
			}
		case logmeta.Trace:
			f.outside(m)
		default:
			Bounded(*field).AddTo(f)
		}
	case zapcore.ObjectMarshalerType, zapcore.ArrayMarshalerType, zapcore.ReflectType:
		Bounded(*field).AddTo(f)
	default:
		field.AddTo(f)
	}
}

// outside adds a part of the record, independent of open namespaces.
func (f *fields) outside(m zapcore.ObjectMarshaler) {
	space := f.space
	f.space = nil
	_ = m.MarshalLogObject(f)
	f.space = space
}

func panicked(what any) (text string) {
	defer func() {
		if recover() != nil {
			text = "PANIC" // printing it panics too
		}
	}()
	return fmt.Sprint("PANIC=", what)
}

// key begins a field.
func (f *fields) key(key string) {
	if f.depth > 0 {
		if !f.first {
			f.line = append(f.line, ' ')
		}
		f.first = false
		f.name(key)
		f.line = append(f.line, '=')
		return
	}
	before, after := " ", "="
	if f.below {
		before, after = below, ": "
	}
	f.line = append(f.line, before...)
	f.line = append(f.line, f.paint.key(key)...)
	f.line = append(f.line, f.space...)
	f.name(key)
	f.line = append(f.line, after...)
	f.line = append(f.line, f.paint.off...)
}

// below precedes a field that has a line of its own.
const below = "\n" + indent

// name appends a key, quoted so that it cannot look like a value.
func (f *fields) name(key string) {
	if bare(key) {
		f.line = append(f.line, clip(key, maxValue)...)
		return
	}
	f.line = appendQuoted(f.line, clip(key, maxValue))
}

// item begins an element of a list.
func (f *fields) item() {
	if !f.first {
		f.line = append(f.line, ", "...)
	}
	f.first = false
}

// text appends a value.
func text[T ~string | ~[]byte](f *fields, s T) {
	cut := clip(s, maxValue)
	switch {
	case f.depth == 0 && bare(cut), f.depth > 0 && bareInList(cut), f.depth == 0 && f.below && bareInLine(cut):
		f.line = append(f.line, cut...)
	default:
		f.line = appendQuoted(f.line, cut)
	}
	if len(cut) < len(s) {
		f.line = append(f.line, "…("...)
		f.line = strconv.AppendInt(f.line, int64(len(s)), 10)
		f.line = append(f.line, " bytes)"...)
	}
}

// AddString adds a text. If it has several lines, it becomes a block.
func (f *fields) AddString(key, value string) {
	if f.depth == 0 && strings.Contains(strings.TrimRight(value, "\r\n"), "\n") {
		f.block(key, value)
		return
	}
	f.key(key)
	text(f, value)
}

const indent = "    "

// block adds a value of several lines below the record.
func (f *fields) block(key, value string) {
	f.blocks = append(f.blocks, indent...)
	f.blocks = append(f.blocks, f.paint.key(key)...)
	f.blocks = append(f.blocks, f.space...)
	f.blocks = AppendSafe(f.blocks, clip(key, maxValue))
	f.blocks = append(f.blocks, ':')
	f.blocks = append(f.blocks, f.paint.off...)
	f.blocks = append(f.blocks, '\n')
	f.blocks = appendBlock(f.blocks, value, indent+indent)
}

// appendBlock appends the lines of value, each with an indent. It widens tabs, because
// terminals differ in how they show them.
func appendBlock(b []byte, value, indent string) []byte {
	cut := clip(value, maxValue)
	for line := range strings.Lines(strings.TrimRight(cut, "\r\n")) {
		line = strings.TrimRight(line, "\r\n")
		b = append(b, indent...)
		for {
			before, after, tab := strings.Cut(line, "\t")
			b = AppendSafe(b, before)
			if !tab {
				break
			}
			b = append(b, "    "...)
			line = after
		}
		b = append(b, '\n')
	}
	if len(cut) < len(value) {
		b = append(append(b, indent...), "…("...)
		b = strconv.AppendInt(b, int64(len(value)), 10)
		b = append(b, " bytes)\n"...)
	}
	return b
}

func (f *fields) AddObject(key string, o zapcore.ObjectMarshaler) error {
	if f.depth > 0 {
		f.key(key)
		return f.object(o)
	}
	if bytes.Count(f.space, []byte{'.'}) >= maxDepth {
		f.key(key)
		f.line = append(f.line, "{…}"...)
		return nil
	}
	space, line, blocks := len(f.space), len(f.line), len(f.blocks)
	f.OpenNamespace(key)
	err := o.MarshalLogObject(f)
	f.space = f.space[:space]
	if err == nil && len(f.line) == line && len(f.blocks) == blocks {
		f.key(key)
		f.line = append(f.line, "{}"...)
	}
	return err
}

// object appends an object in a list.
func (f *fields) object(o zapcore.ObjectMarshaler) error {
	if f.depth >= maxDepth {
		f.line = append(f.line, "{…}"...)
		return nil
	}
	f.line = append(f.line, '{')
	f.depth++
	f.first = true
	err := o.MarshalLogObject(f)
	f.depth--
	f.first = false
	f.line = append(f.line, '}')
	return err
}

func (f *fields) AddArray(key string, a zapcore.ArrayMarshaler) error {
	f.key(key)
	return f.array(a)
}

func (f *fields) array(a zapcore.ArrayMarshaler) error {
	if f.depth >= maxDepth {
		f.line = append(f.line, "[…]"...)
		return nil
	}
	f.line = append(f.line, '[')
	f.depth++
	f.first = true
	err := a.MarshalLogArray((*items)(f))
	f.depth--
	f.first = false
	f.line = append(f.line, ']')
	return err
}

func (f *fields) OpenNamespace(key string) {
	if f.depth > 0 {
		return // further fields are in the same braces
	}
	if len(f.space) >= maxValue {
		return // the names are prefixes of each field
	}
	f.space = append(AppendSafe(f.space, clip(key, maxValue)), '.')
}

func (f *fields) AddReflected(key string, value any) error {
	b, err := asJSON(value)
	if err != nil {
		return err
	}
	f.key(key)
	f.json(b)
	return nil
}

// json appends a JSON value without quotes.
func (f *fields) json(b []byte) {
	cut := clip(b, maxValue)
	f.line = AppendSafe(f.line, cut)
	if len(cut) < len(b) {
		f.line = fmt.Appendf(f.line, "…(%d bytes)", len(b))
	}
}

func asJSON(value any) ([]byte, error) {
	if value == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func (f *fields) AddBinary(key string, v []byte) {
	f.key(key)
	f.line = base64.StdEncoding.AppendEncode(f.line, clipBytes(v))
	if len(v) > maxValue {
		f.line = fmt.Appendf(f.line, "…(%d bytes)", len(v))
	}
}

func clipBytes(v []byte) []byte { return v[:min(len(v), maxValue)] }

func (f *fields) AddByteString(key string, v []byte) { f.AddString(key, string(v)) }
func (f *fields) AddBool(key string, v bool)         { f.key(key); f.line = strconv.AppendBool(f.line, v) }

func (f *fields) AddComplex128(key string, v complex128) {
	f.key(key)
	(*items)(f).complex(v, 64)
}

func (f *fields) AddComplex64(key string, v complex64) {
	f.key(key)
	(*items)(f).complex(complex128(v), 32)
}
func (f *fields) AddDuration(key string, v time.Duration) { f.key(key); f.duration(v) }
func (f *fields) AddFloat64(key string, v float64)        { f.key(key); f.float(v, 64) }
func (f *fields) AddFloat32(key string, v float32)        { f.key(key); f.float(float64(v), 32) }
func (f *fields) AddInt(key string, v int)                { f.AddInt64(key, int64(v)) }
func (f *fields) AddInt64(key string, v int64)            { f.key(key); f.line = strconv.AppendInt(f.line, v, 10) }
func (f *fields) AddInt32(key string, v int32)            { f.AddInt64(key, int64(v)) }
func (f *fields) AddInt16(key string, v int16)            { f.AddInt64(key, int64(v)) }
func (f *fields) AddInt8(key string, v int8)              { f.AddInt64(key, int64(v)) }
func (f *fields) AddTime(key string, v time.Time)         { f.key(key); f.time(v) }
func (f *fields) AddUint(key string, v uint)              { f.AddUint64(key, uint64(v)) }
func (f *fields) AddUint64(key string, v uint64) {
	f.key(key)
	f.line = strconv.AppendUint(f.line, v, 10)
}
func (f *fields) AddUint32(key string, v uint32)   { f.AddUint64(key, uint64(v)) }
func (f *fields) AddUint16(key string, v uint16)   { f.AddUint64(key, uint64(v)) }
func (f *fields) AddUint8(key string, v uint8)     { f.AddUint64(key, uint64(v)) }
func (f *fields) AddUintptr(key string, v uintptr) { f.AddUint64(key, uint64(v)) }

func (f *fields) float(v float64, bits int) { f.line = strconv.AppendFloat(f.line, v, 'g', -1, bits) }

func (f *fields) time(v time.Time) { f.line = v.AppendFormat(f.line, "2006-01-02T15:04:05.000Z07:00") }

func (f *fields) duration(v time.Duration) {
	if v == 0 {
		f.line = append(f.line, "0s"...)
		return
	}
	f.line = append(f.line, v.String()...)
}

// items is the zapcore.ArrayEncoder for a list in fields.
type items fields

func (i *items) element() *fields {
	f := (*fields)(i)
	f.item()
	return f
}

func (i *items) complex(v complex128, bits int) {
	f := (*fields)(i)
	f.float(real(v), bits)
	sign := len(f.line)
	f.float(imag(v), bits)
	if c := f.line[sign]; c != '-' && c != '+' {
		f.line = slices.Insert(f.line, sign, '+')
	}
	f.line = append(f.line, 'i')
}

func (i *items) AppendArray(a zapcore.ArrayMarshaler) error   { return i.element().array(a) }
func (i *items) AppendObject(o zapcore.ObjectMarshaler) error { return i.element().object(o) }

func (i *items) AppendReflected(v any) error {
	b, err := asJSON(v)
	if err != nil {
		return err
	}
	i.element().json(b)
	return nil
}

func (i *items) AppendBool(v bool)              { f := i.element(); f.line = strconv.AppendBool(f.line, v) }
func (i *items) AppendByteString(v []byte)      { text(i.element(), v) }
func (i *items) AppendComplex128(v complex128)  { i.element(); i.complex(v, 64) }
func (i *items) AppendComplex64(v complex64)    { i.element(); i.complex(complex128(v), 32) }
func (i *items) AppendFloat64(v float64)        { i.element().float(v, 64) }
func (i *items) AppendFloat32(v float32)        { i.element().float(float64(v), 32) }
func (i *items) AppendInt(v int)                { i.AppendInt64(int64(v)) }
func (i *items) AppendInt64(v int64)            { f := i.element(); f.line = strconv.AppendInt(f.line, v, 10) }
func (i *items) AppendInt32(v int32)            { i.AppendInt64(int64(v)) }
func (i *items) AppendInt16(v int16)            { i.AppendInt64(int64(v)) }
func (i *items) AppendInt8(v int8)              { i.AppendInt64(int64(v)) }
func (i *items) AppendString(v string)          { text(i.element(), v) }
func (i *items) AppendUint(v uint)              { i.AppendUint64(uint64(v)) }
func (i *items) AppendUint64(v uint64)          { f := i.element(); f.line = strconv.AppendUint(f.line, v, 10) }
func (i *items) AppendUint32(v uint32)          { i.AppendUint64(uint64(v)) }
func (i *items) AppendUint16(v uint16)          { i.AppendUint64(uint64(v)) }
func (i *items) AppendUint8(v uint8)            { i.AppendUint64(uint64(v)) }
func (i *items) AppendUintptr(v uintptr)        { i.AppendUint64(uint64(v)) }
func (i *items) AppendDuration(v time.Duration) { i.element().duration(v) }
func (i *items) AppendTime(v time.Time)         { i.element().time(v) }
