// Package journal logs to systemd's journal in its own protocol, so that a field of a
// record is a field there: journalctl REQUEST=42 finds it.
//
// # Fields
//
// MESSAGE, PRIORITY (debug 7, info 6, warn 4, error 3, above 2), SYSLOG_IDENTIFIER and
// SYSLOG_FACILITY (3, daemon) are in every record; CODE_FILE, CODE_LINE, CODE_FUNC,
// LOGGER (the logger's name) and STACK where the record has them; MESSAGE_ID where it
// is of an event of package logevent; ERRNO where one of its errors is a
// [syscall.Errno].
//
// journalctl shows people MESSAGE and nothing else. So that of a warning, or worse, and of
// an event of package logevent has the text of the fields behind it, as package logtext
// writes it; the fields are there as well, and MESSAGE_BYTES says where in MESSAGE the
// message ends. MESSAGE stays below 4 KiB, from which on
// journalctl -o json shows null: what is longer is cut and says so, and FULL_MESSAGE has
// the whole message where that itself is longer.
//
// A field of the program has the name of its key in upper case, with _ for whatever is
// no ASCII letter and no digit, and the names of its namespaces before it: request.id is
// REQUEST_ID. KEYS has the keys that are more than their names in lower case. The prefix FIELD_ goes before a name that the journal would drop (one
// that begins with a digit or _), and before one that is somebody's already: those
// above, and the ones that systemd uses (CODE_*, COREDUMP_*, SYSLOG_*, OBJECT_PID and
// its kin, DOCUMENTATION, INVOCATION_ID, TID, UNIT, USER_INVOCATION_ID, USER_UNIT). A
// name of more than 64 bytes ends in a hash in place of what is too much. Two keys with
// one name give a field with two values.
//
// Numbers are decimal, durations like 1.5s, times as in RFC 3339 with nanoseconds,
// objects, arrays and reflected values JSON. Binary values arrive as they are. In text
// a control character other than a newline or a tab, a byte that is not UTF-8 and a
// code point that is no character become an escape as in Go (\x00, \x1b, \r, \xff): for
// journalctl the whole value would be a "blob" that it does not show.
//
// A record has at most 900 fields of the program, and the text of the rest in the
// field MORE_FIELDS; at most 16 MiB, what is longer is cut and says so: journald drops
// records of more than 1024 fields, or 32 MiB. A value that goes deeper than 100
// objects, or round in circles, is replaced by its type. What panics when it is asked
// for its text has the text PANIC=… instead.
//
// # When the journal does not take it
//
// What does not fit into the queue of the socket waits in package queue, which says what
// is done with it. Such a record has the time at which it was logged in LOGGED_AT. What is
// in the queue of the socket when that is closed, which a restart of journald does not do,
// is lost without a word, and so is the backlog of a program that crashes. A call that
// logs at panic level or above waits until journald has read the record, a quarter of a
// second at most; 5 ms once one has waited in vain.
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

// DefaultSocket is where journald listens.
const DefaultSocket = "/run/systemd/journal/socket"

// Options of a [Core]. The zero value is what a service needs.
type Options struct {
	// Identifier is SYSLOG_IDENTIFIER, by which journalctl -t finds the records, and
	// what it shows before each; the executable's name if empty.
	Identifier string
	// Socket is where journald listens, [DefaultSocket] if empty.
	Socket string
}

// Core is a zapcore.Core that logs to the journal. Its methods may be called from any
// goroutine. Cores made by With share its connection, its backlog and its count of what
// was lost.
type Core struct {
	queue.Sink
	w       *writer
	context record       // the fields of With, encoded
	text    logtext.Text // and as text
}

// New connects to the journal and returns a core for it. It fails if nobody can be
// reached there, with [errors.ErrUnsupported] where there is no journal at all. Close
// the core when nobody logs any more.
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

// With returns a core that adds fields to each record. They are encoded here and now.
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

// Write logs one record. What the journal did not take is no error, for zap would
// write it to standard error, which leads to the same journal; [queue.Sink.Lost] counts it.
// After Close, Write does nothing.
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
		_ = c.Sync() // the process may end with it
	}
	return nil
}

// forPeople is a message with its fields.
func (c *Core) forPeople(message string, fields []zapcore.Field) string {
	c.text.Encode(zapcore.Entry{}, fields, func(lines []byte) {
		message += string(bytes.TrimRight(lines, "\n")) // which begins with a space, or with a line of its own
	})
	return message
}
