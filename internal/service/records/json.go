package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// errNoObject is returned if a text is not a JSON object.
var errNoObject = errors.New("not an object")

// Members calls yield with each member of a JSON object, in order. If the text ends early, it
// calls yield with the members before that place and returns an error.
func Members(object []byte, yield func(key string, value json.RawMessage)) error {
	d := json.NewDecoder(bytes.NewReader(object))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return errors.Join(errNoObject, err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		yield(key, value)
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if d.InputOffset() < int64(len(bytes.TrimRight(object, " \r\n"))) {
		return errNoObject
	}
	return nil
}

// FromJSON reads a line of JSON written by package logtext, with any set of names. It returns
// false for anything else.
func FromJSON(line []byte) (r Record, ok bool) {
	if len(line) == 0 || line[0] != '{' {
		return r, false
	}
	r.Level = zapcore.InvalidLevel
	err := Members(line, func(key string, value json.RawMessage) { r.addMember(key, value) })
	if err != nil || r.Level == zapcore.InvalidLevel {
		return Record{}, false
	}
	return r, true
}

// addMember stores a member of a line in the record, or adds it as a field.
func (r *Record) addMember(key string, value json.RawMessage) {
	text, isText := unquoted(value)
	switch key {
	case "level", "log.level", "SeverityText", "severity":
		if l, ok := levelNamed(text); ok && isText && r.Level == zapcore.InvalidLevel {
			r.Level = l
			return
		}
	case "time", "@timestamp":
		if at := Time(text); !at.IsZero() {
			r.Time = at
			return
		}
	case "Timestamp":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			r.Time = time.Unix(0, n)
			return
		}
	case "msg", "message", "Body":
		if isText && r.Message == "" {
			r.Message = text
			return
		}
	case "logger", "log.logger":
		if isText {
			r.LoggerName = text
			return
		}
	case "caller":
		if c := parseCaller(text); c.Defined {
			r.Caller = c
			return
		}
	case "stack", "error.stack_trace", "stack_trace":
		if isText {
			r.Stack = text
			return
		}
	case "Attributes":
		if Members(value, func(key string, value json.RawMessage) { r.addMember(key, value) }) == nil {
			return
		}
	case "SeverityNumber", "Resource", "serviceContext", "ecs.version", "service.name", "service.version":
		return // about the service, or already known
	}
	r.Fields = append(r.Fields, Value(key, value))
}

// unquoted returns the text of a JSON string.
func unquoted(value json.RawMessage) (text string, ok bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	return text, json.Unmarshal(value, &text) == nil
}

// Value returns the field for a JSON value.
func Value(key string, value json.RawMessage) zapcore.Field {
	if text, ok := unquoted(value); ok {
		return zap.String(key, text)
	}
	switch {
	case len(value) == 0:
		return zap.String(key, "")
	case value[0] == '{':
		return zap.Object(key, object(value))
	case value[0] == '[':
		return zap.Array(key, array(value))
	}
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return zap.Int64(key, n)
	}
	return zap.Reflect(key, value)
}

// Text returns the field for a value that a log has as text. It recognises numbers and
// booleans in the form in which package logtext writes them, and JSON objects and lists.
func Text(key, text string) zapcore.Field {
	switch {
	case text == "" || len(text) > maxLine:
	case text == "true", text == "false":
		return zap.Bool(key, text == "true")
	case text[0] == '{' && text[len(text)-1] == '}', text[0] == '[' && text[len(text)-1] == ']':
		if json.Valid([]byte(text)) {
			return Value(key, json.RawMessage(text))
		}
	case text[0] == '-' || '0' <= text[0] && text[0] <= '9':
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
			return zap.Int64(key, n)
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && strconv.FormatFloat(f, 'g', -1, 64) == text && json.Valid([]byte(text)) {
			return zap.Float64(key, f)
		}
	}
	return zap.String(key, text)
}

// object marshals a JSON object for zap, with its members in order.
type object json.RawMessage

func (o object) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return Members(o, func(key string, value json.RawMessage) { Value(key, value).AddTo(enc) })
}

// array marshals a JSON list for zap.
type array json.RawMessage

func (a array) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	var items []json.RawMessage
	if err := json.Unmarshal(a, &items); err != nil {
		return err
	}
	for _, item := range items {
		if err := appendTo(enc, item); err != nil {
			return err
		}
	}
	return nil
}

func appendTo(enc zapcore.ArrayEncoder, item json.RawMessage) error {
	switch text, ok := unquoted(item); {
	case ok:
		enc.AppendString(text)
		return nil
	case strings.HasPrefix(string(item), "{"):
		return enc.AppendObject(object(item))
	case strings.HasPrefix(string(item), "["):
		return enc.AppendArray(array(item))
	}
	return enc.AppendReflected(item)
}
