package eventlog

import (
	"encoding/binary"
	"fmt"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
)

// The types of a record: EVENTLOG_…_TYPE.
const (
	typeError       = 1
	typeWarning     = 2
	typeInformation = 4
)

// The event IDs of the program's own records.
const (
	idDebug   = 100
	idInfo    = 101
	idWarning = 102
	idError   = 103
	idFatal   = 104 // dpanic, panic, fatal
)

// maxUnits limits the strings of a record, in UTF-16 units without the terminating zeros.
// Windows accepts 31,839 per string, and less than 64 KiB in total.
const maxUnits = 31_000

// maxNote is the maximum length, in units, of the note that something was cut.
const maxNote = 40

// form encodes the text of records and the object with their fields.
type form struct {
	text   logtext.Text
	object zapcore.Encoder
}

func newForm() form {
	return form{logtext.NewList(), logtext.FieldsEncoder()}
}

// record holds the arguments of a report.
type record struct {
	kind    uint16
	id      uint32
	strings [2]*uint16 // zero-terminated
	count   int        // the number of strings

	text, object []uint16           // memory for the strings
	lines        func(lines []byte) // receives the text; stored here so that it is created only once
	packed       []byte
}

func newRecord() *record {
	r := new(record)
	r.lines = func(lines []byte) { r.text = appendText(r.text[:0], lines) }
	return r
}

// encode encodes a record. An event in its own fields takes precedence over one in those of
// With.
func (r *record) encode(f form, e zapcore.Entry, fields []zapcore.Field, event logevent.Event) {
	if own := logevent.Of(fields); own != 0 {
		event = own
	}
	r.kind, r.id = classify(e.Level, event)
	f.text.Encode(e, fields, r.lines)
	r.strings, r.count = [2]*uint16{&r.text[0]}, 1

	b, err := logtext.Encode(f.object, e, fields)
	if err != nil {
		return // the JSON encoder returns no error
	}
	var fits bool
	if r.object, fits = appendObject(r.object[:0], b.Bytes(), maxUnits-len(r.text)); fits {
		r.strings[1], r.count = &r.object[0], 2
	}
	b.Free()
}

// pack returns the record as one slice: the type, the ID, the length of the text, and the
// strings. The next record reuses the memory.
func (r *record) pack() []byte {
	b := append(r.packed[:0], byte(r.kind))
	b = binary.LittleEndian.AppendUint32(b, r.id)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.text)))
	strings := [][]uint16{r.text, r.object}
	for _, s := range strings[:r.count] {
		for _, unit := range s {
			b = binary.LittleEndian.AppendUint16(b, unit)
		}
	}
	r.packed = b
	return b
}

// unpack decodes the record that pack returned.
func (r *record) unpack(b []byte) {
	r.kind, r.id = uint16(b[0]), binary.LittleEndian.Uint32(b[1:])
	n := int(binary.LittleEndian.Uint32(b[5:]))
	r.text, r.object = r.text[:0], r.object[:0]
	for b = b[9:]; len(b) > 0; b = b[2:] {
		unit := binary.LittleEndian.Uint16(b)
		if len(r.text) < n {
			r.text = append(r.text, unit)
		} else {
			r.object = append(r.object, unit)
		}
	}
	r.strings, r.count = [2]*uint16{&r.text[0]}, 1
	if len(r.object) > 0 {
		r.strings[1], r.count = &r.object[0], 2
	}
}

// classify returns the type and the event ID of a record.
func classify(l zapcore.Level, event logevent.Event) (kind uint16, id uint32) {
	switch {
	case l < zapcore.InfoLevel:
		kind, id = typeInformation, idDebug
	case l < zapcore.WarnLevel:
		kind, id = typeInformation, idInfo
	case l < zapcore.ErrorLevel:
		kind, id = typeWarning, idWarning
	case l < zapcore.DPanicLevel:
		kind, id = typeError, idError
	default:
		kind, id = typeError, idFatal
	}
	if event != 0 {
		id = uint32(event)
	}
	return kind, id
}

// appendText appends the lines of a record, without the last newline, and a zero.
func appendText(u []uint16, lines []byte) []uint16 {
	if n := len(lines); n > 0 && lines[n-1] == '\n' {
		lines = lines[:n-1]
	}
	const most = maxUnits - maxNote
	whole := 0 // how many units to keep if there are too many
	for i := 0; i < len(lines); {
		if len(u) <= most {
			whole = len(u)
		}
		if len(u) > maxUnits {
			break
		}
		c := lines[i]
		switch {
		case c == '\n':
			u = append(u, '\r', '\n')
		case expands(lines[i:]):
			u = append(u, '\\', 'x', '2', '5')
		case c < utf8.RuneSelf:
			u = append(u, uint16(c))
		default:
			r, size := utf8.DecodeRune(lines[i:])
			u = utf16.AppendRune(u, r)
			i += size
			continue
		}
		i++
	}
	if len(u) > maxUnits {
		u = u[:whole]
		for _, r := range fmt.Sprintf("\r\n    …(%d bytes)", len(lines)) {
			u = append(u, uint16(r))
		}
	}
	return append(u, 0)
}

// appendObject appends a JSON object and a zero. It returns false if the object is empty or
// has more than most units.
func appendObject(u []uint16, object []byte, most int) (units []uint16, ok bool) {
	if len(object) <= len("{}") {
		return u, false
	}
	for i := 0; i < len(object); {
		c := object[i]
		switch {
		case expands(object[i:]):
			u = append(u, '\\', 'u', '0', '0', '2', '5')
		case c < utf8.RuneSelf:
			u = append(u, uint16(c))
		default:
			r, size := utf8.DecodeRune(object[i:])
			u = utf16.AppendRune(u, r)
			i += size - 1
		}
		if i++; len(u) > most {
			return u, false
		}
	}
	return append(u, 0), true
}

// expands reports whether Event Viewer would expand the beginning of s.
func expands(s []byte) bool {
	return s[0] == '%' && len(s) > 1 && ('0' <= s[1] && s[1] <= '9' || s[1] == '{')
}

// records holds records for reuse.
type records struct{ pool sync.Pool }

func (p *records) get() *record {
	if r, ok := p.pool.Get().(*record); ok {
		return r
	}
	return newRecord()
}

func (p *records) put(r *record) { p.pool.Put(r) }
