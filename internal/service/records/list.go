package records

import (
	"encoding/json"
	"strings"

	"go.uber.org/zap/zapcore"
)

// AddList adds text that a logtext.NewList has written to the record: the message, whose
// further lines are indented twice, and then a field a line. If object is not empty, it has
// the fields as JSON. AddList returns false and adds nothing if object is not a JSON object.
func (r *Record) AddList(text, object string) (ok bool) {
	var fields []zapcore.Field
	if object != "" {
		err := Members([]byte(object), func(key string, value json.RawMessage) {
			fields = append(fields, Value(key, value))
		})
		if err != nil {
			return false
		}
	}
	lines := strings.Split(text, "\n")
	r.Message = lines[0]
	rest := lines[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], indent+indent) {
		r.Message += "\n" + strings.TrimPrefix(rest[0], indent+indent)
		rest = rest[1:]
	}
	for len(rest) > 0 {
		if name, block, more := cutBlock(rest); name == "stack" {
			r.Stack = block
			rest = more
			continue
		} else if name != "" {
			if object == "" {
				r.Fields = append(r.Fields, zapcore.Field{Key: name, Type: zapcore.StringType, String: block})
			}
			rest = more
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(rest[0], indent), ": ")
		switch {
		case ok && name == "caller":
			r.Caller = parseCaller(value)
		case ok && object == "":
			r.Fields = append(r.Fields, Text(name, value))
		case !ok:
			r.Message += "\n" + rest[0]
		}
		rest = rest[1:]
	}
	r.Fields = append(r.Fields, fields...)
	return true
}
