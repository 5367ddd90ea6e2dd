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
	maxNested = 100      // how deep objects, arrays and pointers may lie in one another
	maxValues = 100_000  // how many of them there may be
	maxText   = 16 << 20 // bytes of strings
)

var (
	errDeep  = errors.New("it goes deeper than 100 objects, or round in circles")
	errLarge = errors.New("it is too large")
)

// Bounded is f with a value that has an end: one that goes deeper than 100 objects, or
// round in circles, or is of more than 100,000 of them, is replaced by its type and what
// is wrong with it, at the place where it is too much. To encode it would take for ever,
// or all of the stack, which ends the process.
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

// bounded are the fields, bounded. Most are so by their type, and all are then what they
// were.
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

// BoundObject is o as Bounded has it.
func BoundObject(o zapcore.ObjectMarshaler) zapcore.ObjectMarshaler { return boundObject{o, nil} }

// BoundArray is a as Bounded has it.
func BoundArray(a zapcore.ArrayMarshaler) zapcore.ArrayMarshaler { return boundArray{a, nil} }

// Finite returns an error that says what is wrong with a value that encoding/json is to
// walk over, if it is not one that Bounded leaves as it is.
func Finite(v any) error { return newBounds().hold(reflect.ValueOf(v)) }

// bounds are what one value may still take.
type bounds struct{ depth, values, text int }

func newBounds() *bounds { return &bounds{depth: maxNested, values: maxValues, text: maxText} }

// enter goes one deeper. leave goes back.
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

// hold reports whether a value that encoding/json would walk over keeps the bounds. On
// the way through pointers encoding/json finds out for itself that it goes in circles,
// but not how large what it makes of a short chain that forks will be, and it has no
// end but the stack's for one that is long.
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

// encodesItself reports whether encoding/json leaves values of type t to themselves.
func encodesItself(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && (t.Implements(jsonMarshaler) || t.Implements(textMarshaler))
}

// boundObject is an object that keeps the bounds, with all that is in it.
type boundObject struct {
	zapcore.ObjectMarshaler
	b *bounds // nil for new ones, each time that it is encoded
}

func (o boundObject) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	b := o.b
	if b == nil {
		b = newBounds()
	}
	return o.ObjectMarshaler.MarshalLogObject(objectEncoder{enc, b})
}

// boundArray is an array that keeps the bounds, with all that is in it.
type boundArray struct {
	zapcore.ArrayMarshaler
	b *bounds // as those of boundObject
}

func (a boundArray) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	b := a.b
	if b == nil {
		b = newBounds()
	}
	return a.ArrayMarshaler.MarshalLogArray(arrayEncoder{enc, b})
}

// objectEncoder hands on what keeps the bounds. The rest is replaced by what it is:
// its own error would be in the way of all that comes after.
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

// arrayEncoder is what objectEncoder is, for arrays.
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
