package journal

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"go.uber.org/zap/zapcore"
)

var _ zapcore.ObjectEncoder = (*record)(nil)

// The methods below implement zapcore.ObjectEncoder: each adds one field of a record.

func (r *record) AddString(key, v string) {
	r.name(key)
	r.text(v, goText)
}

func (r *record) AddByteString(key string, v []byte) {
	r.name(key)
	if len(v) <= r.room() && plain(v, len(v)) {
		r.buf = append(append(r.buf, v...), '\n')
		return
	}
	r.anyText(string(v), goText, r.room())
}

func (r *record) AddBinary(key string, v []byte) {
	r.name(key)
	switch {
	case len(v) > r.room():
		r.text(fmt.Sprintf("(%d bytes)", len(v)), goText)
	case r.more > 0:
		r.text(base64.StdEncoding.EncodeToString(v), goText)
	default:
		start := r.openFrame()
		r.buf = append(r.buf, v...)
		r.closeFrame(start)
	}
}

func (r *record) AddBool(key string, v bool) {
	r.name(key)
	r.buf = append(strconv.AppendBool(r.buf, v), '\n')
}

func (r *record) AddInt64(key string, v int64) {
	r.name(key)
	r.buf = append(strconv.AppendInt(r.buf, v, 10), '\n')
}

func (r *record) AddUint64(key string, v uint64) {
	r.name(key)
	r.buf = append(strconv.AppendUint(r.buf, v, 10), '\n')
}

func (r *record) addFloat(key string, v float64, bits int) {
	r.name(key)
	r.buf = append(strconv.AppendFloat(r.buf, v, 'g', -1, bits), '\n')
}

func (r *record) AddDuration(key string, v time.Duration) {
	r.name(key)
	r.buf = append(append(r.buf, v.String()...), '\n')
}

func (r *record) AddTime(key string, v time.Time) {
	r.name(key)
	r.buf = append(v.AppendFormat(r.buf, time.RFC3339Nano), '\n')
}

func (r *record) AddObject(key string, m zapcore.ObjectMarshaler) error {
	text, err := r.json.object(m)
	return r.addJSON(key, text, err)
}

func (r *record) AddArray(key string, m zapcore.ArrayMarshaler) error {
	text, err := r.json.array(m)
	return r.addJSON(key, text, err)
}

func (r *record) AddReflected(key string, v any) error {
	text, err := r.json.reflected(v)
	if err != nil {
		r.AddString(key, fmt.Sprintf("%T: %v", v, err))
		return nil
	}
	return r.addJSON(key, text, nil)
}

// addJSON adds the encoded part of a value, and the error that stopped the encoding.
func (r *record) addJSON(key, text string, err error) error {
	r.name(key)
	r.text(text, jsonText)
	if err != nil {
		r.addSecond(key, "_ERROR", err.Error())
	}
	return nil
}

func (r *record) OpenNamespace(key string) { r.space = appendSpace(r.space, key) }
func (r *record) AddComplex128(key string, v complex128) {
	r.AddString(key, strconv.FormatComplex(v, 'g', -1, 128))
}

func (r *record) AddComplex64(key string, v complex64) {
	r.AddString(key, strconv.FormatComplex(complex128(v), 'g', -1, 64))
}
func (r *record) AddFloat64(key string, v float64) { r.addFloat(key, v, 64) }
func (r *record) AddFloat32(key string, v float32) { r.addFloat(key, float64(v), 32) }
func (r *record) AddInt(key string, v int)         { r.AddInt64(key, int64(v)) }
func (r *record) AddInt32(key string, v int32)     { r.AddInt64(key, int64(v)) }
func (r *record) AddInt16(key string, v int16)     { r.AddInt64(key, int64(v)) }
func (r *record) AddInt8(key string, v int8)       { r.AddInt64(key, int64(v)) }
func (r *record) AddUint(key string, v uint)       { r.AddUint64(key, uint64(v)) }
func (r *record) AddUint32(key string, v uint32)   { r.AddUint64(key, uint64(v)) }
func (r *record) AddUint16(key string, v uint16)   { r.AddUint64(key, uint64(v)) }
func (r *record) AddUint8(key string, v uint8)     { r.AddUint64(key, uint64(v)) }
func (r *record) AddUintptr(key string, v uintptr) { r.AddUint64(key, uint64(v)) }
