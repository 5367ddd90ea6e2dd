package journal

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// jsonEncoder encodes composite values as JSON. It gives up on values that refer to
// themselves, because a stack overflow would end the process.
type jsonEncoder struct{ zap zapcore.Encoder }

func newJSONEncoder() *jsonEncoder {
	return &jsonEncoder{zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		EncodeTime:     zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder,
		SkipLineEnding: true,
	})}
}

// object encodes m as far as possible.
func (e *jsonEncoder) object(m zapcore.ObjectMarshaler) (text string, err error) {
	return e.encode(zapcore.Field{
		Type: zapcore.InlineMarshalerType,
		Interface: zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			err = logtext.BoundObject(m).MarshalLogObject(enc)
			return nil
		}),
	}, "", ""), err
}

// array encodes m as far as possible.
func (e *jsonEncoder) array(m zapcore.ArrayMarshaler) (text string, err error) {
	return e.encode(zapcore.Field{
		Type: zapcore.ArrayMarshalerType,
		Interface: zapcore.ArrayMarshalerFunc(func(enc zapcore.ArrayEncoder) error {
			err = logtext.BoundArray(m).MarshalLogArray(enc)
			return nil
		}),
	}, `{"":`, `}`), err
}

// encode encodes a field in an object of its own, and returns the text between before and
// after.
func (e *jsonEncoder) encode(f zapcore.Field, before, after string) string {
	buf, err := e.zap.EncodeEntry(zapcore.Entry{}, []zapcore.Field{f})
	if err != nil {
		return err.Error()
	}
	defer buf.Free()
	return strings.TrimSuffix(strings.TrimPrefix(buf.String(), before), after)
}

func (e *jsonEncoder) reflected(v any) (string, error) {
	if err := logtext.Finite(v); err != nil {
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
