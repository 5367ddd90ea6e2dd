package records

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"
)

const (
	indent   = "    "
	maxDepth = 32 // lists in lists
)

// AddText adds lines that a logtext.Text has written to the record. Whatever does not read as
// a field belongs to the message.
func (r *Record) AddText(lines []string) {
	var fields []zapcore.Field
	r.Message, fields = Split(lines[0])
	for _, f := range fields {
		if f.Key == "caller" && f.Type == zapcore.StringType {
			if r.Caller = parseCaller(f.String); r.Caller.Defined {
				continue
			}
		}
		r.Fields = append(r.Fields, f)
	}
	for rest := lines[1:]; len(rest) > 0; {
		name, block, more := cutBlock(rest)
		switch {
		case name == "":
			r.Message += "\n" + strings.TrimPrefix(rest[0], indent)
			rest = rest[1:]
			continue
		case name == "stack":
			r.Stack = block
		default:
			r.Fields = append(r.Fields, zapcore.Field{Key: name, Type: zapcore.StringType, String: block})
		}
		rest = more
	}
}

// cutBlock cuts off a value of several lines, if lines begin with one: "    name:", followed
// by lines that are indented further.
func cutBlock(lines []string) (name, block string, rest []string) {
	head, ok := strings.CutPrefix(lines[0], indent)
	name, colon := strings.CutSuffix(head, ":")
	if !ok || !colon || name == "" || name[0] == ' ' {
		return "", "", lines
	}
	n := 1
	var text []string
	for ; n < len(lines); n++ {
		line, ok := strings.CutPrefix(lines[n], indent+indent)
		if !ok {
			break
		}
		text = append(text, line)
	}
	if n == 1 {
		return "", "", lines
	}
	return name, strings.Join(text, "\n"), lines[n:]
}

// Split splits a line into a message and fields: the fields are the longest end of the line
// that consists only of " key=value".
func Split(line string) (message string, fields []zapcore.Field) {
	start := len(line)
	for i := 0; i < len(line); {
		if line[i] == ' ' {
			if f, end, ok := cutField(line, i+1); ok {
				if len(fields) == 0 {
					start = i
				}
				fields = append(fields, f)
				i = end
				continue
			}
			fields, start = nil, len(line)
		}
		i++
		if space := strings.IndexByte(line[i:], ' '); space >= 0 {
			i += space
		} else {
			i = len(line)
		}
	}
	return line[:start], fields
}

// cutField reads key=value at a position of a line, up to a space or the end.
func cutField(line string, at int) (f zapcore.Field, end int, ok bool) {
	key, at, ok := cutWord(line, at, "")
	if !ok || at == len(line) || line[at] != '=' {
		return f, 0, false
	}
	at++
	quoted := at < len(line) && line[at] == '"'
	switch {
	case at == len(line) || line[at] == ' ':
		return f, 0, false
	case line[at] == '{' || line[at] == '[':
		raw, end, ok := cutStructured(line, at)
		if ok && fieldEnds(line, end) {
			return Value(key, raw), end, true
		}
	}
	value, end, ok := cutWord(line, at, "")
	if !ok {
		return f, 0, false
	}
	if rest, cut := strings.CutPrefix(line[end:], "…("); cut { // a value that was cut
		if n, after, ok := strings.Cut(rest, " bytes)"); ok && digits(n) {
			value += "…(" + n + " bytes)"
			end, quoted = len(line)-len(after), true
		}
	}
	if !fieldEnds(line, end) {
		return f, 0, false
	}
	if quoted {
		return zapcore.Field{Key: key, Type: zapcore.StringType, String: value}, end, true
	}
	return Text(key, value), end, true
}

func digits(s string) bool {
	_, ok := parseDigits(s)
	return ok
}

// fieldEnds reports whether a field can end at a position.
func fieldEnds(line string, at int) bool { return at == len(line) || line[at] == ' ' }

// cutWord reads a word, quoted or not. A word without quotes also ends at one of the stops.
func cutWord(line string, at int, stops string) (text string, end int, ok bool) {
	if at < len(line) && line[at] == '"' {
		quoted, err := strconv.QuotedPrefix(line[at:])
		if err != nil {
			return "", 0, false
		}
		text, err = strconv.Unquote(quoted)
		return text, at + len(quoted), err == nil
	}
	end = at
	for end < len(line) {
		c := line[end]
		if c <= ' ' || c == '=' || c == 0x7F || strings.IndexByte(stops, c) >= 0 {
			break
		}
		if c == '"' || c == '\\' {
			return "", 0, false
		}
		r, size := utf8.DecodeRuneInString(line[end:])
		if r == utf8.RuneError || r == '…' && strings.HasPrefix(line[end:], "…(") {
			break
		}
		end += size
	}
	return line[at:end], end, end > at
}

// cutStructured reads an object or a list, as JSON or as package logtext writes them: [1,
// two, {a=1 b=2}]. It returns JSON.
func cutStructured(line string, at int) (raw json.RawMessage, end int, ok bool) {
	d := json.NewDecoder(strings.NewReader(line[at:]))
	if err := d.Decode(&raw); err == nil {
		if end = at + int(d.InputOffset()); fieldEnds(line, end) {
			return raw, end, true
		}
	}
	var b bytes.Buffer
	end, ok = appendList(&b, line, at, maxDepth)
	return b.Bytes(), end, ok
}

// appendList appends the list or object at a position of a line as JSON.
func appendList(b *bytes.Buffer, line string, at, depth int) (end int, ok bool) {
	closing, separator := byte(']'), ", "
	if line[at] == '{' {
		closing, separator = '}', " "
	}
	if depth == 0 {
		return 0, false
	}
	b.WriteByte(line[at])
	at++
	for first := true; at < len(line); first = false {
		if line[at] == closing {
			b.WriteByte(closing)
			return at + 1, true
		}
		if !first {
			rest, ok := strings.CutPrefix(line[at:], separator)
			if !ok {
				return 0, false
			}
			b.WriteByte(',')
			at = len(line) - len(rest)
		}
		if closing == '}' {
			key, end, ok := cutWord(line, at, "")
			if !ok || end == len(line) || line[end] != '=' {
				return 0, false
			}
			b.Write(jsonString(key))
			b.WriteByte(':')
			at = end + 1
		}
		if at, ok = appendItem(b, line, at, depth); !ok {
			return 0, false
		}
	}
	return 0, false
}

// appendItem appends the list item at a position of a line as JSON.
func appendItem(b *bytes.Buffer, line string, at, depth int) (end int, ok bool) {
	if at < len(line) && (line[at] == '[' || line[at] == '{') {
		return appendList(b, line, at, depth-1)
	}
	text, end, ok := cutWord(line, at, ",[]{}")
	if !ok {
		return 0, false
	}
	if f := Text("", text); line[at] != '"' && f.Type != zapcore.StringType {
		b.WriteString(text)
	} else {
		b.Write(jsonString(text))
	}
	return end, true
}

func jsonString(s string) []byte {
	b, _ := json.Marshal(s) // a string never fails
	return b
}
