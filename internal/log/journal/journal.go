// Package journal logs to systemd's journal in its native protocol. Each field of a record
// becomes a journal field: journalctl REQUEST=42 finds it.
//
// # Fields
//
// Every record has MESSAGE, PRIORITY (debug 7, info 6, warn 4, error 3, above 2),
// SYSLOG_IDENTIFIER and SYSLOG_FACILITY (3, daemon). A record may also have CODE_FILE,
// CODE_LINE and CODE_FUNC, LOGGER (the logger's name), STACK, MESSAGE_ID (for an event of
// package logevent) and ERRNO (if one of its errors is a [syscall.Errno]).
//
// journalctl shows people only MESSAGE. For warnings, worse levels and events of package
// logevent, the text of the fields therefore follows the message, as package logtext writes
// it. The fields are there as well, and MESSAGE_BYTES says where the message ends. MESSAGE stays below 4 KiB, because from that size on
// journalctl -o json shows null. A longer one is cut and says so. If the message alone is
// longer, FULL_MESSAGE contains all of it.
//
// The name of a program's field is its key in upper case, with every character replaced by
// _ except ASCII letters and digits, after the names of its namespaces: request.id becomes
// REQUEST_ID. The prefix FIELD_ is added to names that the journal would drop (those that
// begin with a digit or _) and to names with another meaning: those above, and the ones
// that systemd uses (CODE_*, COREDUMP_*, SYSLOG_*, OBJECT_PID and similar, DOCUMENTATION,
// INVOCATION_ID, TID, UNIT, USER_INVOCATION_ID, USER_UNIT). A name of more than 64 bytes is
// shortened and ends in a hash. Two keys with the same name become one field with two
// values. KEYS lists the keys that are not just their names in lower case.
//
// Numbers are decimal. Durations look like 1.5s. Times follow RFC 3339, with nanoseconds.
// Objects, arrays and reflected values are JSON. Binary values are sent unchanged. In text,
// control characters except newline and tab, bytes that are not UTF-8 and code points that
// are not characters are escaped as in Go (\x00, \x1b, \r, \xff). Otherwise journalctl
// would treat the whole value as a "blob" and not show it.
//
// A record has at most 900 fields of the program. The others appear as text in the field
// MORE_FIELDS. A record has at most 16 MiB; longer values are cut and say so. journald
// drops records of more than 1024 fields or 32 MiB. A value that is nested more than 100
// levels deep, or refers to itself, is replaced by its type. If a value panics when its
// text is requested, its text is PANIC=….
//
// # When the journal does not take a record
//
// Records that do not fit into the socket's buffer wait in package queue, which describes
// how they are handled. Such a record has the time at which it was logged in LOGGED_AT. If
// the socket is closed, records in its buffer are lost without notice; restarting journald
// does not close it. The backlog of a program that crashes is lost too. A call that logs at
// panic level or above waits until journald has read the record, for at most a quarter of a
// second, or 5 ms after one call has waited in vain.
package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// DefaultSocket is the path at which journald listens.
const DefaultSocket = "/run/systemd/journal/socket"

// Options configure a [Core]. The zero value suits a service.
type Options struct {
	// Identifier is the value of SYSLOG_IDENTIFIER. journalctl shows it before each record,
	// and -t selects it. It defaults to the executable's name.
	Identifier string
	// Socket is the path at which journald listens. It defaults to [DefaultSocket].
	Socket string
}

// Core implements zapcore.Core and logs to the journal. Its methods may be called from any
// goroutine. See [queue.Sink] for what cores made by With share.
type Core struct {
	queue.Sink
	w       *writer
	context record       // the fields of With, encoded
	text    logtext.Text // the fields of With, as text
}

// New connects to the journal and returns a core for it. It fails if nothing listens there,
// with [errors.ErrUnsupported] on systems without a journal. Close the core after the last
// record was logged.
func New(o Options, enabler zapcore.LevelEnabler) (*Core, error) {
	if o.Identifier == "" {
		o.Identifier = filepath.Base(os.Args[0])
	}
	if o.Socket == "" {
		o.Socket = DefaultSocket
	}
	w, err := newWriter(o.Socket, o.Identifier)
	if err != nil {
		return nil, err
	}
	return &Core{Sink: queue.NewSink(enabler, w.queue), w: w, text: logtext.NewText()}, nil
}

// With returns a core that adds fields to each record. It encodes them immediately.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	r := c.w.records.get()
	defer c.w.records.put(r)
	r.restart(&c.context)
	for i := range fields {
		r.add(&fields[i])
	}
	return &Core{Sink: c.Sink, w: c.w, context: r.clone(), text: c.text.With(fields)}
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write logs one record. It returns no error if the journal does not take the record: zap
// would print that to standard error, which leads to the same journal. After Close, Write
// does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	r := c.w.records.get()
	if entry.Time.IsZero() {
		entry.Time = time.Now()
	}
	own, message := logevent.Of(fields) != 0, len(entry.Message)
	if own || entry.Level >= zapcore.WarnLevel {
		entry.Message = c.forPeople(entry.Message, fields)
	}
	r.start(&entry, message, c.w.constants)
	r.restore(&c.context)
	for i := range fields {
		r.add(&fields[i])
	}
	r.finish()
	c.w.queue.Write(r.buf, entry.Time, own)
	c.w.records.put(r)
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may exit next
	}
	return nil
}

// forPeople returns the message followed by its fields.
func (c *Core) forPeople(message string, fields []zapcore.Field) string {
	c.text.Encode(zapcore.Entry{}, fields, func(lines []byte) {
		message += string(bytes.TrimRight(lines, "\n")) // lines begins with a space or a newline
	})
	return message
}
