package logtext

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// paint holds the colour sequences, "" without colours.
type paint struct{ faint, name, failure, off string }

func (p *paint) key(key string) string {
	if key == "error" {
		return p.failure
	}
	return p.name
}

// style describes the lines of a format.
type style struct {
	paint    paint
	coloured bool
	begin    func(b []byte, e zapcore.Entry, m *logmeta.Meta, coloured bool) []byte // writes what precedes the message
	column   int                                                                    // the width of the message
	columns  func() int                                                             // the width of the terminal, 0 if unknown
	below    bool                                                                   // the fields follow the message, one per line
	// if not nil, converts the lines of a record before they are written
	end func(b, lines []byte, level zapcore.Level) []byte
}

// lines implements form for text.
type lines struct {
	style  style
	fields *fields    // the fields of With
	pool   *sync.Pool // holds *scratch
}

type scratch struct {
	fields  fields
	meta    logmeta.Meta
	record  []byte
	written []byte
}

func newLines(s style) form {
	return &lines{s, &fields{paint: s.paint, below: s.below}, &sync.Pool{New: func() any { return new(scratch) }}}
}

func (l *lines) with(more []zapcore.Field) form {
	f := l.fields.clone()
	f.addAll(more)
	return &lines{l.style, f, l.pool}
}

func (l *lines) encode(e zapcore.Entry, more []zapcore.Field, write func([]byte)) {
	s, _ := l.pool.Get().(*scratch)
	s.fields.reset(l.fields)
	s.record = s.record[:0]
	if l.style.begin != nil {
		s.meta = logmeta.Meta{}
		s.meta.Add(more)
		s.record = l.style.begin(s.record, e, &s.meta, l.style.coloured)
		s.fields.level = true
	}
	s.fields.addAll(more)
	s.record = l.record(s.record, e, &s.fields)
	b := s.record
	if l.style.end != nil {
		s.written = l.style.end(s.written[:0], s.record, e.Level)
		b = s.written
	}
	write(b)
	if cap(s.record)+cap(s.written)+cap(s.fields.line)+cap(s.fields.blocks) < 4*maxValue {
		l.pool.Put(s) // large buffers are not kept
	}
}

// record appends the lines of a record. b holds what precedes its message.
func (l *lines) record(b []byte, e zapcore.Entry, f *fields) []byte {
	start := len(b)
	if e.LoggerName != "" {
		b = AppendSafe(b, clip(e.LoggerName, maxValue))
		b = append(b, ": "...)
	}
	first, rest, _ := strings.Cut(strings.TrimRight(e.Message, "\r\n"), "\n")
	first = strings.TrimRight(first, "\r")
	b = AppendSafe(b, clip(first, maxValue))
	if len(first) > maxValue {
		b = append(b, "…"...)
	}
	if f.below && rest != "" {
		b = appendBlock(append(b, '\n'), rest, indent+indent)
		b = b[:len(b)-1]
		rest = ""
	}
	if len(f.line) > 0 {
		if n := l.style.column - utf8.RuneCount(b[start:]); n > 0 && l.fits(width(b)+n+width(f.line)) {
			b = append(b, spaces[:n]...)
		}
		b = append(b, f.line...)
	}
	if e.Caller.Defined && l.style.begin == nil { // omitted on a terminal to save space
		before, key := " ", "caller="
		if f.below {
			before, key = below, "caller: "
		}
		b = append(b, before...)
		b = append(b, l.style.paint.faint...)
		b = append(b, key...)
		b = AppendSafe(b, e.Caller.TrimmedPath())
		b = append(b, l.style.paint.off...)
	}
	b = append(b, '\n')
	if rest != "" {
		b = appendBlock(b, rest, indent)
	}
	b = append(b, f.blocks...)
	if e.Stack != "" {
		b = append(append(b, indent...), "stack:\n"...)
		b = appendBlock(b, e.Stack, indent+indent)
	}
	return b
}

const spaces = "                                    "

// fits reports whether that many characters fit into one line of the terminal.
func (l *lines) fits(width int) bool {
	if width <= 80 || l.style.columns == nil {
		return true
	}
	columns := l.style.columns()
	return columns == 0 || width <= columns
}

// width returns the number of visible characters in a line.
func width(line []byte) (n int) {
	n = utf8.RuneCount(line)
	for {
		i := bytes.IndexByte(line, '\x1b')
		if i < 0 {
			return n
		}
		end := bytes.IndexByte(line[i:], 'm') + 1 // the end of a colour sequence, the only place with this byte
		n -= end
		line = line[i+end:]
	}
}

// terminal returns the style for terminals.
func terminal(coloured bool) style {
	s := style{begin: beginTerminal, coloured: coloured, column: len(spaces)}
	if coloured {
		s.paint = paint{faint: "\x1b[2m", name: "\x1b[36m", failure: "\x1b[31m", off: "\x1b[0m"}
	}
	return s
}

func beginTerminal(b []byte, e zapcore.Entry, m *logmeta.Meta, coloured bool) []byte {
	colour := "\x1b[1;31m"
	switch {
	case e.Level < zapcore.InfoLevel:
		colour = "\x1b[35m"
	case e.Level < zapcore.WarnLevel:
		colour = "\x1b[32m"
	case e.Level < zapcore.ErrorLevel:
		colour = "\x1b[33m"
	case e.Level < zapcore.DPanicLevel:
		colour = "\x1b[31m"
	}
	off := ""
	if coloured {
		b, off = append(b, "\x1b[2m"...), "\x1b[0m"
	} else {
		colour = ""
	}
	const clock = "15:04:05.000"
	if e.Time.IsZero() {
		b = append(b, spaces[:len(clock)]...)
	} else {
		b = e.Time.Local().AppendFormat(b, clock)
	}
	b = append(append(append(b, off...), "  "...), colour...)
	start := len(b)
	b = appendLevel(b, e.Level, m)
	pad := max(len("ERROR")+2-(len(b)-start), 1)
	return append(append(b, off...), spaces[:pad]...)
}

// levelWord returns what a level is called in text.
func levelWord(l zapcore.Level) string {
	switch {
	case l < zapcore.InfoLevel:
		return "DEBUG"
	case l < zapcore.WarnLevel:
		return "INFO"
	case l < zapcore.ErrorLevel:
		return "WARN"
	case l < zapcore.DPanicLevel:
		return "ERROR"
	case l < zapcore.FatalLevel:
		return "PANIC"
	}
	return "FATAL"
}

// appendLevel appends the word for a level, and how far the level is from that: INFO+2, as
// slog has it.
func appendLevel(b []byte, l zapcore.Level, m *logmeta.Meta) []byte {
	b = append(b, levelWord(l)...)
	if by := m.Distance(l); by != 0 {
		if by > 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, int64(by), 10)
	}
	return b
}

// prefixed returns the style for a standard error that leads to the journal.
func prefixed() style { return style{end: endPrefixed} }

// maxLine is the length at which journald splits a line of a stream, minus a prefix and a
// newline.
const maxLine = 48<<10 - 8

func endPrefixed(b, lines []byte, level zapcore.Level) []byte {
	severity := byte('0' + Severity(level))
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		Split(line, maxLine, func(part []byte) {
			b = append(b, '<', severity, '>')
			b = append(append(b, part...), '\n')
		})
	}
	return b
}

// Split calls yield with the parts of a line. Each is at most most bytes long and ends at a
// character boundary. It indents all parts except the first, to show that they continue the
// line.
func Split(line []byte, most int, yield func(part []byte)) {
	if len(line) <= most {
		yield(line)
		return
	}
	part := clip(line, most)
	yield(part)
	for rest := line[len(part):]; len(rest) > 0; rest = rest[len(part):] {
		part = clip(rest, most-len(indent))
		yield(append([]byte(indent), part...))
	}
}

// Text encodes records for sinks that take lines, such as syslog: message key=value,
// without time and level. With adds fields, as the method of a zapcore.Core does.
type Text struct{ lines *lines }

// NewText returns a Text without fields.
func NewText() Text { return Text{newLines(style{}).(*lines)} }

// NewList returns a Text without fields. Its records have each field on its own line below
// the message, as " key: value", and further lines of a value are indented more. Values are
// quoted only if something in them has to be escaped.
func NewList() Text { return Text{newLines(style{below: true}).(*lines)} }

// With returns a Text with more fields. It encodes them immediately.
func (t Text) With(fields []zapcore.Field) Text { return Text{t.lines.with(fields).(*lines)} }

// Encode calls write with the lines of a record, and reuses the memory when write returns.
// Each line ends with a newline. All lines except the first are indented.
func (t Text) Encode(e zapcore.Entry, fields []zapcore.Field, write func(lines []byte)) {
	t.lines.encode(e, fields, write)
}
