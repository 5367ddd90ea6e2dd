package logtext

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	maxNested = 100      // the nesting depth of objects, arrays and pointers
	maxValues = 100_000  // the number of values in a field
	maxText   = 16 << 20 // bytes of strings
)

var (
	errDeep  = errors.New("it is nested more than 100 levels deep, or refers to itself")
	errLarge = errors.New("it is too large")
)

// Bounded returns f, or a replacement with a bounded value. A value that is nested more
// than 100 levels deep, refers to itself or has more than 100,000 elements is replaced, at
// the place where it exceeds the bound, by its type and the reason. Encoding it might never
// end, or might use up the stack, which ends the process.
func Bounded(f zapcore.Field) zapcore.Field {
	switch f.Type {
	case zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType:
		if o, ok := f.Interface.(zapcore.ObjectMarshaler); ok {
			f.Interface = BoundObject(o)
		}
	case zapcore.ArrayMarshalerType:
		if a, ok := f.Interface.(zapcore.ArrayMarshaler); ok {
			f.Interface = BoundArray(a)
		}
	case zapcore.ReflectType:
		if err := Finite(f.Interface); err != nil {
			return zap.String(f.Key, instead(f.Interface, err))
		}
	}
	return f
}

// bounded returns the fields with bounded values. Most types are bounded already; if all
// are, it returns the same slice.
func bounded(fields []zapcore.Field) []zapcore.Field {
	for i := range fields {
		switch fields[i].Type {
		case zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType, zapcore.ArrayMarshalerType, zapcore.ReflectType:
			all := make([]zapcore.Field, len(fields))
			copy(all, fields[:i])
			for k := i; k < len(fields); k++ {
				all[k] = Bounded(fields[k])
			}
			return all
		}
	}
	return fields
}

// BoundObject bounds o as Bounded does.
func BoundObject(o zapcore.ObjectMarshaler) zapcore.ObjectMarshaler { return boundObject{o, nil} }

// BoundArray bounds a as Bounded does.
func BoundArray(a zapcore.ArrayMarshaler) zapcore.ArrayMarshaler { return boundArray{a, nil} }

// Finite returns an error if v exceeds the bounds, so that encoding/json should not encode
// it.
func Finite(v any) error { return newBounds().hold(reflect.ValueOf(v)) }

// bounds holds what a value may still use up.
type bounds struct{ depth, values, text int }

func newBounds() *bounds { return &bounds{depth: maxNested, values: maxValues, text: maxText} }

// enter descends one level. leave returns from it.
func (b *bounds) enter() error {
	switch {
	case b.depth == 0:
		return errDeep
	case b.values <= 0:
		return errLarge
	}
	b.depth--
	b.values--
	return nil
}

func (b *bounds) leave() { b.depth++ }

// hold returns an error if a value exceeds the bounds when encoding/json walks it.
// encoding/json detects cycles of pointers itself, but not the exponential output of a
// short chain that branches. On a long chain only the stack limits it.
func (b *bounds) hold(v reflect.Value) error {
	if !v.IsValid() || encodesItself(v.Type()) {
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		if b.text -= v.Len(); b.text < 0 {
			return errLarge
		}
		return nil
	case reflect.Pointer, reflect.Interface, reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
	default:
		return nil
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer b.leave()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return b.hold(v.Elem())
		}
	case reflect.Struct:
		for i, t := 0, v.Type(); i < t.NumField(); i++ {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous || f.Tag.Get("json") == "-" {
				continue
			}
			if err := b.hold(v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if err := b.hold(i.Value()); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); k < reflect.Array || k == reflect.Chan || k == reflect.Func {
			b.text -= v.Len()
			if b.text < 0 {
				return errLarge
			}
			return nil
		}
		for i := range v.Len() {
			if err := b.hold(v.Index(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// encodesItself reports whether type t has its own encoding for encoding/json.
func encodesItself(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && (t.Implements(jsonMarshaler) || t.Implements(textMarshaler))
}

// boundObject bounds an object and everything in it.
type boundObject struct {
	zapcore.ObjectMarshaler
	b *bounds // if nil, each encoding starts with new bounds
}

func (o boundObject) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	b := o.b
	if b == nil {
		b = newBounds()
	}
	return o.ObjectMarshaler.MarshalLogObject(objectEncoder{enc, b})
}

// boundArray bounds an array and everything in it.
type boundArray struct {
	zapcore.ArrayMarshaler
	b *bounds // as in boundObject
}

func (a boundArray) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	b := a.b
	if b == nil {
		b = newBounds()
	}
	return a.ArrayMarshaler.MarshalLogArray(arrayEncoder{enc, b})
}

// objectEncoder passes on values within the bounds, and replaces the others by their types.
// Returning an error instead would stop the encoding of everything after them.
type objectEncoder struct {
	zapcore.ObjectEncoder
	b *bounds
}

func (o objectEncoder) AddObject(key string, m zapcore.ObjectMarshaler) error {
	if err := o.b.enter(); err != nil {
		o.AddString(key, instead(m, err))
		return nil
	}
	defer o.b.leave()
	return o.ObjectEncoder.AddObject(key, boundObject{m, o.b})
}

func (o objectEncoder) AddArray(key string, m zapcore.ArrayMarshaler) error {
	if err := o.b.enter(); err != nil {
		o.AddString(key, instead(m, err))
		return nil
	}
	defer o.b.leave()
	return o.ObjectEncoder.AddArray(key, boundArray{m, o.b})
}

func (o objectEncoder) AddReflected(key string, v any) error {
	if err := o.b.hold(reflect.ValueOf(v)); err != nil {
		o.AddString(key, instead(v, err))
		return nil
	}
	return o.ObjectEncoder.AddReflected(key, v)
}

// arrayEncoder does the same as objectEncoder for arrays.
type arrayEncoder struct {
	zapcore.ArrayEncoder
	b *bounds
}

func (a arrayEncoder) AppendObject(m zapcore.ObjectMarshaler) error {
	if err := a.b.enter(); err != nil {
		a.AppendString(instead(m, err))
		return nil
	}
	defer a.b.leave()
	return a.ArrayEncoder.AppendObject(boundObject{m, a.b})
}

func (a arrayEncoder) AppendArray(m zapcore.ArrayMarshaler) error {
	if err := a.b.enter(); err != nil {
		a.AppendString(instead(m, err))
		return nil
	}
	defer a.b.leave()
	return a.ArrayEncoder.AppendArray(boundArray{m, a.b})
}

func (a arrayEncoder) AppendReflected(v any) error {
	if err := a.b.hold(reflect.ValueOf(v)); err != nil {
		a.AppendString(instead(v, err))
		return nil
	}
	return a.ArrayEncoder.AppendReflected(v)
}

func instead(v any, err error) string { return fmt.Sprintf("%T: %v", v, err) }
