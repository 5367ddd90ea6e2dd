package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

const (
	maxFields = 900      // fields of the program in a record; journald takes 1024 in total
	maxRecord = 16 << 20 // in bytes; journald takes 32 MiB from users other than root
	// journalctl -o json shows null for a field that has 4096 bytes including its name.
	// This leaves room for the note about what was cut.
	maxMessage = 4040
	minValue   = 64       // bytes of a value that are kept in a record of any size
	maxKept    = 64 << 10 // bytes of memory that are kept for reuse
)

// record encodes one record in the journal's protocol. A field is NAME=value and a newline.
// If the value contains newlines, it is NAME, a newline, the value's length as 64 bits, the
// value, and a newline. record implements zapcore.ObjectEncoder, so that inline objects can
// add their fields to it.
type record struct {
	buf    []byte
	space  []byte // the prefix from the open namespaces
	fields int    // the number of the program's fields
	more   int    // the offset of the value of MORE_FIELDS, 0 while all fields fit
	keys   []byte // keys of the program that its names do not tell, quoted
	event  logevent.Event
	errno  syscall.Errno
	json   *jsonEncoder
	names  *names // nil in a copy that is only read
}

// records holds records for reuse.
type records struct {
	pool sync.Pool
	json *jsonEncoder
}

func newRecords() *records {
	rs := &records{json: newJSONEncoder()}
	rs.pool.New = func() any { return &record{json: rs.json, names: new(names)} }
	return rs
}

func (rs *records) get() *record { return rs.pool.Get().(*record) }

func (rs *records) put(r *record) {
	if cap(r.buf) <= maxKept {
		rs.pool.Put(r)
	}
}

// begin starts a record with everything except the fields of the program.
func (r *record) begin(e *zapcore.Entry, constants *constants) {
	r.start(e, len(e.Message), constants)
}

// start works like begin, for a message that consists of the program's message, with own
// bytes, and the text of the fields.
func (r *record) start(e *zapcore.Entry, own int, constants *constants) {
	r.buf, r.more = append(r.buf[:0], constants.forLevel(e.Level)...), 0
	r.message(e.Message, own)
	if e.LoggerName != "" {
		r.buf = append(r.buf, "LOGGER="...)
		r.text(e.LoggerName, goText)
	}
	if c := &e.Caller; c.Defined {
		r.buf = append(r.buf, "CODE_FILE="...)
		r.text(c.File, goText)
		r.buf = strconv.AppendInt(append(r.buf, "CODE_LINE="...), int64(c.Line), 10)
		r.buf = append(r.buf, '\n')
		if c.Function != "" {
			r.buf = append(r.buf, "CODE_FUNC="...)
			r.text(c.Function, goText)
		}
	}
	if e.Stack != "" {
		r.buf = append(r.buf, "STACK="...)
		r.text(e.Stack, goText)
	}
}

// message adds the value of MESSAGE, and FULL_MESSAGE if its first own bytes do not fit.
func (r *record) message(v string, own int) {
	if len(v) <= maxMessage {
		if b := append(r.buf, v...); plain(b, len(v)) {
			r.buf = append(b, '\n')
			r.messageBytes(own, len(v))
			return
		}
	}
	if r.anyText(v, goText, maxMessage) < own {
		r.buf = append(r.buf, "FULL_MESSAGE="...)
		r.text(v[:own], goText)
		return
	}
	if own < len(v) {
		b, _ := appendReadable(nil, v[:own], goText, !hasNewline(v), maxRecord)
		r.messageBytes(len(b), len(b)+1)
	}
}

// messageBytes says how many of the bytes of MESSAGE are the program's, if there are more.
func (r *record) messageBytes(own, all int) {
	if own < all {
		r.buf = strconv.AppendInt(append(r.buf, MessageBytes+"="...), int64(own), 10)
		r.buf = append(r.buf, '\n')
	}
}

// constants holds the beginning of a record for each level: the fields that depend only on
// the level, up to the name of the message.
type constants [5][]byte

func newConstants(identifier string) *constants {
	var c constants
	for i, priority := range "76432" {
		r := record{buf: fmt.Appendf(nil, "PRIORITY=%c\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=", priority)}
		r.text(identifier, goText)
		c[i] = append(r.buf, "MESSAGE="...)
	}
	return &c
}

// forLevel returns the beginning of a record at level l, with PRIORITY as in syslog.
func (c *constants) forLevel(l zapcore.Level) []byte {
	return c[min(max(l, zapcore.DebugLevel), zapcore.DPanicLevel)-zapcore.DebugLevel]
}

// restart sets r to the contents of c.
func (r *record) restart(c *record) {
	r.buf = r.buf[:0]
	r.restore(c)
}

// restore adds the contents of c and continues in its namespaces.
func (r *record) restore(c *record) {
	r.more, r.space = 0, r.space[:0]
	r.keys = append(r.keys[:0], c.keys...)
	r.fields, r.event, r.errno = c.fields, c.event, c.errno
	if c.more > 0 {
		r.more = len(r.buf) + c.more
	}
	if len(c.buf)+len(c.space) > 0 {
		r.buf = append(r.buf, c.buf...)
		r.space = append(r.space, c.space...)
	}
}

// clone returns a copy of r that does not share memory with it.
func (r *record) clone() record {
	c := *r
	c.names = nil
	c.buf, c.space, c.keys = slices.Clone(r.buf), slices.Clone(r.space), slices.Clone(r.keys)
	return c
}

// finish completes the record.
func (r *record) finish() {
	if r.more > 0 {
		r.closeFrame(r.more)
		r.more = 0
	}
	if len(r.keys) > 0 {
		r.buf = append(append(append(r.buf, Keys+"="...), r.keys...), '\n')
	}
	if r.event != 0 {
		r.buf = append(append(append(r.buf, "MESSAGE_ID="...), r.event.MessageID()...), '\n')
	}
	if r.errno != 0 {
		r.buf = strconv.AppendUint(append(r.buf, "ERRNO="...), uint64(r.errno), 10)
		r.buf = append(r.buf, '\n')
	}
}

// add adds a field. It recovers from panics in the program's methods.
func (r *record) add(f *zapcore.Field) {
	switch f.Type {
	case zapcore.StringType:
		r.AddString(f.Key, f.String)
	case zapcore.Int64Type:
		r.AddInt64(f.Key, f.Integer)
	case zapcore.BoolType:
		r.AddBool(f.Key, f.Integer == 1)
	case zapcore.DurationType:
		r.AddDuration(f.Key, time.Duration(f.Integer))
	case zapcore.SkipType:
	default:
		r.addGuarded(f)
	}
}

// addGuarded adds a field whose value has methods that may panic.
func (r *record) addGuarded(f *zapcore.Field) {
	at, space, fields, more, keys := len(r.buf), len(r.space), r.fields, r.more, len(r.keys)
	defer func() {
		if p := recover(); p != nil {
			r.buf, r.space, r.fields, r.more, r.keys = r.buf[:at], r.space[:space], fields, more, r.keys[:keys]
			r.AddString(f.Key, panicked(f.Interface, p))
		}
	}()
	switch f.Type {
	case zapcore.StringerType:
		if e := logevent.In(*f); e.MessageID() != "" {
			r.event = e
		}
		r.AddString(f.Key, f.Interface.(fmt.Stringer).String())
	case zapcore.ErrorType:
		r.addError(f.Key, f.Interface.(error))
	case zapcore.ObjectMarshalerType:
		_ = r.AddObject(f.Key, f.Interface.(zapcore.ObjectMarshaler))
	case zapcore.ArrayMarshalerType:
		_ = r.AddArray(f.Key, f.Interface.(zapcore.ArrayMarshaler))
	case zapcore.InlineMarshalerType:
		if logmeta.In(f) { // part of the record, independent of open namespaces
			open := r.space
			r.space = nil
			f.AddTo(r)
			r.space = open
			return
		}
		if err := f.Interface.(zapcore.ObjectMarshaler).MarshalLogObject(r); err != nil {
			r.addSecond(f.Key, "_ERROR", err.Error())
		}
	default:
		f.AddTo(r)
	}
}

// panicked returns the text for a value whose method panicked. A method called on a nil
// pointer needs no further explanation.
func panicked(value, p any) string {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
		return "<nil>"
	}
	return fmt.Sprintf("PANIC=%v", p)
}

func (r *record) addError(key string, err error) {
	text := err.Error()
	r.AddString(key, text)
	if _, rich := err.(fmt.Formatter); rich {
		if verbose := fmt.Sprintf("%+v", err); verbose != text {
			r.addSecond(key, "_VERBOSE", verbose)
		}
	}
	if r.errno == 0 {
		if !errors.As(err, &r.errno) {
			r.errno = 0
		}
	}
}

// addSecond adds another field about the same key.
func (r *record) addSecond(key, suffix, text string) { r.AddString(key+suffix, text) }

// name begins a field of the program. Its value comes next.
func (r *record) name(key string) {
	if r.fields++; r.fields == maxFields {
		r.buf = append(r.buf, "MORE_FIELDS="...)
		r.more = r.openFrame()
	}
	if len(r.space) == 0 {
		start := len(r.buf)
		r.buf = r.names.append(r.buf, key)
		if !lower(r.buf[start:len(r.buf)-1], key) && len(r.keys)+len(key) < maxKeys {
			if len(r.keys) > 0 {
				r.keys = append(r.keys, ' ')
			}
			r.keys = strconv.AppendQuoteToASCII(r.keys, key)
		}
		return
	}
	r.buf = append(appendName(r.buf, r.space, key), '=')
}

// openFrame begins a value of arbitrary bytes instead of text after =, and returns its
// offset.
func (r *record) openFrame() int {
	r.buf = append(r.buf[:len(r.buf)-1], "\n\x00\x00\x00\x00\x00\x00\x00\x00"...)
	return len(r.buf)
}

// closeFrame ends the value that begins at start.
func (r *record) closeFrame(start int) {
	binary.LittleEndian.PutUint64(r.buf[start-8:], uint64(len(r.buf)-start))
	r.buf = append(r.buf, '\n')
}

// room returns the longest value that fits.
func (r *record) room() int { return max(maxRecord-len(r.buf), minValue) }

// text adds a value after a name and its =, and ends the field.
func (r *record) text(v string, n notation) {
	at := len(r.buf)
	if len(v) <= maxRecord-at {
		b := append(r.buf, v...)
		if plain(b, len(v)) {
			r.buf = append(b, '\n')
			return
		}
	}
	r.anyText(v, n, r.room())
}

// anyText adds at most limit bytes of a value, and a note about how many more there are. It
// returns how many bytes of v it has added.
func (r *record) anyText(v string, n notation, limit int) (in int) {
	// In MORE_FIELDS, each line is a field.
	framed := r.more == 0 && hasNewline(v)
	start := 0
	if framed {
		start = r.openFrame()
	}
	r.buf, in = appendReadable(r.buf, v, n, !framed, limit)
	if in < len(v) {
		r.buf = fmt.Appendf(r.buf, "… (%d bytes more)", len(v)-in)
	}
	if framed {
		r.closeFrame(start)
	} else {
		r.buf = append(r.buf, '\n')
	}
	return in
}

func hasNewline(v string) bool {
	for i := range len(v) {
		if v[i] == '\n' {
			return true
		}
	}
	return false
}
