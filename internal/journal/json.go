package journal

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.uber.org/zap/zapcore"
)

const (
	maxDepth  = 100       // how deep objects, arrays and pointers may lie in one another
	maxValues = 100_000   // how many of them there may be
	maxText   = maxRecord // bytes of strings
)

var (
	errDeep  = errors.New("it goes deeper than 100 objects, or round in circles")
	errLarge = errors.New("it is too large")
)

// jsonEncoder writes values that are more than one text as JSON. Those that go round in
// circles it gives up: a stack that overflows ends the process.
type jsonEncoder struct{ zap zapcore.Encoder }

func newJSONEncoder() *jsonEncoder {
	return &jsonEncoder{zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		SkipLineEnding: true,
	})}
}

// object returns m as far as it could be encoded.
func (e *jsonEncoder) object(m zapcore.ObjectMarshaler) (text string, err error) {
	b := newBounds()
	return e.encode(zapcore.Field{
		Type: zapcore.InlineMarshalerType,
		Interface: zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			err = boundObject{m, b}.MarshalLogObject(enc)
			return nil
		}),
	}, "", ""), err
}

// array returns m as far as it could be encoded.
func (e *jsonEncoder) array(m zapcore.ArrayMarshaler) (text string, err error) {
	b := newBounds()
	return e.encode(zapcore.Field{
		Type: zapcore.ArrayMarshalerType,
		Interface: zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error {
			err = boundArray{m, b}.MarshalLogArray(enc)
			return nil
		}),
	}, `{"":`, `}`), err
}

// encode returns what a field is in an object of its own, without what stands around it.
func (e *jsonEncoder) encode(f zapcore.Field, before, after string) string {
	buf, err := e.zap.EncodeEntry(zapcore.Entry{}, []zapcore.Field{f})
	if err != nil {
		return err.Error()
	}
	defer buf.Free()
	return strings.TrimSuffix(strings.TrimPrefix(buf.String(), before), after)
}

func (e *jsonEncoder) reflected(v any) (string, error) {
	if err := newBounds().hold(reflect.ValueOf(v)); err != nil {
		return "", err
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

// bounds are what one value may still take.
type bounds struct{ depth, values, text int }

func newBounds() *bounds { return &bounds{depth: maxDepth, values: maxValues, text: maxText} }

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
	b *bounds
}

func (o boundObject) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return o.ObjectMarshaler.MarshalLogObject(objectEncoder{enc, o.b})
}

// boundArray is an array that keeps the bounds, with all that is in it.
type boundArray struct {
	zapcore.ArrayMarshaler
	b *bounds
}

func (a boundArray) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	return a.ArrayMarshaler.MarshalLogArray(arrayEncoder{enc, a.b})
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
