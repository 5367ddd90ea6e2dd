package logtext

import (
	"strconv"
	"time"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"
)

// appendJSONText appends a text as a JSON string, cut to the maximum length of a value.
func appendJSONText[T ~string | ~[]byte](b []byte, s T) []byte {
	cut := clip(s, maxValue)
	b = appendJSON(append(b, '"'), cut)
	return append(appendCut(b, len(cut), len(s)), '"')
}

// appendCut appends a note that a text was cut, and how long it was.
func appendCut(b []byte, is, was int) []byte {
	if is == was {
		return b
	}
	b = strconv.AppendInt(append(b, "…("...), int64(was), 10)
	return append(b, " bytes)"...)
}

// appendJSON appends s escaped for a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendJSON[T ~string | ~[]byte](b []byte, s T) []byte {
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := decode(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(append(b, s[done:i]...), `\ufffd`...)
		} else {
			b = appendJSONEscape(append(b, s[done:i]...), c)
		}
		i++
		done = i
	}
	return append(b, s[done:]...)
}

func appendJSONEscape(b []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
}

// The methods of zapcore.ObjectEncoder.

func (e *jsonEncoder) AddArray(key string, m zapcore.ArrayMarshaler) error {
	e.key(key, false)
	return e.array(m)
}

func (e *jsonEncoder) AddObject(key string, m zapcore.ObjectMarshaler) error {
	e.key(key, true)
	return e.object(m)
}

func (e *jsonEncoder) AddReflected(key string, v any) error {
	b, err := asJSON(v)
	if err != nil {
		return err
	}
	e.key(key, b[0] == '{')
	e.buf = append(e.buf, b...)
	return nil
}

func (e *jsonEncoder) OpenNamespace(key string) {
	e.key(key, true)
	e.buf = append(e.buf, '{')
	e.open++
}

func (e *jsonEncoder) AddBinary(key string, v []byte) { e.key(key, false); e.binary(v) }
func (e *jsonEncoder) AddBool(key string, v bool) {
	e.key(key, false)
	e.buf = strconv.AppendBool(e.buf, v)
}

func (e *jsonEncoder) AddByteString(key string, v []byte) {
	e.key(key, false)
	e.buf = appendJSONText(e.buf, v)
}

func (e *jsonEncoder) AddComplex128(key string, v complex128) { e.key(key, false); e.complex(v, 64) }

func (e *jsonEncoder) AddComplex64(key string, v complex64) {
	e.key(key, false)
	e.complex(complex128(v), 32)
}
func (e *jsonEncoder) AddDuration(key string, v time.Duration) { e.key(key, false); e.duration(v) }
func (e *jsonEncoder) AddFloat64(key string, v float64)        { e.key(key, false); e.float(v, 64) }
func (e *jsonEncoder) AddFloat32(key string, v float32)        { e.key(key, false); e.float(float64(v), 32) }
func (e *jsonEncoder) AddInt(key string, v int)                { e.AddInt64(key, int64(v)) }
func (e *jsonEncoder) AddInt64(key string, v int64) {
	e.key(key, false)
	e.buf = strconv.AppendInt(e.buf, v, 10)
}
func (e *jsonEncoder) AddInt32(key string, v int32)    { e.AddInt64(key, int64(v)) }
func (e *jsonEncoder) AddInt16(key string, v int16)    { e.AddInt64(key, int64(v)) }
func (e *jsonEncoder) AddInt8(key string, v int8)      { e.AddInt64(key, int64(v)) }
func (e *jsonEncoder) AddString(key, v string)         { e.key(key, false); e.text(v) }
func (e *jsonEncoder) AddTime(key string, v time.Time) { e.key(key, false); e.time(v) }
func (e *jsonEncoder) AddUint(key string, v uint)      { e.AddUint64(key, uint64(v)) }
func (e *jsonEncoder) AddUint64(key string, v uint64) {
	e.key(key, false)
	e.buf = strconv.AppendUint(e.buf, v, 10)
}
func (e *jsonEncoder) AddUint32(key string, v uint32)   { e.AddUint64(key, uint64(v)) }
func (e *jsonEncoder) AddUint16(key string, v uint16)   { e.AddUint64(key, uint64(v)) }
func (e *jsonEncoder) AddUint8(key string, v uint8)     { e.AddUint64(key, uint64(v)) }
func (e *jsonEncoder) AddUintptr(key string, v uintptr) { e.AddUint64(key, uint64(v)) }

// The methods of zapcore.ArrayEncoder.

func (e *jsonEncoder) AppendArray(m zapcore.ArrayMarshaler) error { e.comma(); return e.array(m) }

func (e *jsonEncoder) AppendObject(m zapcore.ObjectMarshaler) error { e.comma(); return e.object(m) }

func (e *jsonEncoder) AppendReflected(v any) error {
	b, err := asJSON(v)
	if err != nil {
		return err
	}
	e.comma()
	e.buf = append(e.buf, b...)
	return nil
}

func (e *jsonEncoder) AppendBool(v bool) { e.comma(); e.buf = strconv.AppendBool(e.buf, v) }

func (e *jsonEncoder) AppendByteString(v []byte)      { e.comma(); e.buf = appendJSONText(e.buf, v) }
func (e *jsonEncoder) AppendComplex128(v complex128)  { e.comma(); e.complex(v, 64) }
func (e *jsonEncoder) AppendComplex64(v complex64)    { e.comma(); e.complex(complex128(v), 32) }
func (e *jsonEncoder) AppendFloat64(v float64)        { e.comma(); e.float(v, 64) }
func (e *jsonEncoder) AppendFloat32(v float32)        { e.comma(); e.float(float64(v), 32) }
func (e *jsonEncoder) AppendInt(v int)                { e.AppendInt64(int64(v)) }
func (e *jsonEncoder) AppendInt64(v int64)            { e.comma(); e.buf = strconv.AppendInt(e.buf, v, 10) }
func (e *jsonEncoder) AppendInt32(v int32)            { e.AppendInt64(int64(v)) }
func (e *jsonEncoder) AppendInt16(v int16)            { e.AppendInt64(int64(v)) }
func (e *jsonEncoder) AppendInt8(v int8)              { e.AppendInt64(int64(v)) }
func (e *jsonEncoder) AppendString(v string)          { e.comma(); e.text(v) }
func (e *jsonEncoder) AppendDuration(v time.Duration) { e.comma(); e.duration(v) }
func (e *jsonEncoder) AppendTime(v time.Time)         { e.comma(); e.time(v) }
func (e *jsonEncoder) AppendUint(v uint)              { e.AppendUint64(uint64(v)) }
func (e *jsonEncoder) AppendUint64(v uint64)          { e.comma(); e.buf = strconv.AppendUint(e.buf, v, 10) }
func (e *jsonEncoder) AppendUint32(v uint32)          { e.AppendUint64(uint64(v)) }
func (e *jsonEncoder) AppendUint16(v uint16)          { e.AppendUint64(uint64(v)) }
func (e *jsonEncoder) AppendUint8(v uint8)            { e.AppendUint64(uint64(v)) }
func (e *jsonEncoder) AppendUintptr(v uintptr)        { e.AppendUint64(uint64(v)) }
