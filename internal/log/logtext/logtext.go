// Package logtext logs text: for people at a terminal, for machines as one JSON object per
// line, and for a standard error that leads to systemd's journal.
//
// On a terminal, it looks like this:
//
//	15:04:05.000  INFO   web: listening                    addr=:8080 tls=true
//	15:04:09.120  ERROR  request failed                    path="/a b" error="no route"
//	    stack:
//	        main.serve
//	15:04:09.200  INFO+2 half of them are left             n=5
//
// The time is local, and omitted if the record has none. If a line would be wider than the
// terminal, its fields follow directly after the message. A level that zap has no name for
// is shown as the next lower one and the distance from it. Namespaces and objects become
// keys with dots, arrays look like [1, 2], times follow RFC 3339, reflected values are
// JSON, binary values are base64. A value of several lines is shown below, indented. All
// characters that are not visible are escaped as in Go (\x1b, \u202e, \xff): a record
// cannot move the cursor, ring the bell, or imitate another record. A value of more than 64
// KiB is cut and says so. In every format, a value that is nested more than 100 levels
// deep, or refers to itself, is replaced by its type.
//
// # When nobody reads
//
// A full pipe or a stopped terminal does not block the program: package queue keeps the
// records that do not fit, and describes how they are handled. On Linux nothing else waits.
// On other Unix systems a terminal may block for a record that is larger than the space
// that is left. On Windows, where a program cannot ask for the space, a goroutine writes.
package logtext

import (
	"bytes"
	"os"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// Format selects how records look.
type Format uint8

const (
	// JSON writes one object per line. It has the keys time (RFC 3339, nanoseconds; omitted
	// if zero), level, logger, msg, caller and stack, and the keys of the fields. A key of
	// the program that equals one of these gets the prefix field_. Equal keys of the
	// program are all kept; most readers take the last.
	JSON Format = iota
	// Terminal writes text for people.
	Terminal
	// Prefixed writes text for a standard error that leads to the journal. A line begins
	// with its severity, as in <6>. It has no time, because the journal adds it. Lines
	// longer than the 48 KiB at which journald splits are split, each with its prefix.
	Prefixed
)

// Options configure a [Core].
type Options struct {
	// File receives the text, through a duplicate of its descriptor: the program may close
	// File. The core neither closes it nor changes its mode, because other processes share
	// standard output and standard error.
	File   *os.File
	Format Format
	// JSON applies only to the format JSON.
	JSON JSONOptions
	// Colour applies only to the format Terminal: see [Look]. It is ignored if the console
	// does not support colours.
	Colour bool
}

// Core implements zapcore.Core and writes text. Its methods may be called from any
// goroutine. See [queue.Sink] for what cores made by With share.
type Core struct {
	queue.Sink
	// put and putOwn write a record of the program and of the run. They are fields to avoid
	// an allocation for each call.
	put, putOwn func(b []byte)
	form        form
}

// form encodes records as text.
type form interface {
	with(fields []zapcore.Field) form
	// encode calls write with the record, and reuses the memory when write returns.
	encode(e zapcore.Entry, fields []zapcore.Field, write func(b []byte))
}

// New returns a core that writes to o.File, even after that is closed. Close the core after
// the last record was logged.
func New(o Options, enabler zapcore.LevelEnabler) *Core {
	out := newOutput(o.File)
	var f form
	switch o.Format {
	case Terminal:
		person := terminal(o.Colour && out.colour())
		person.columns = out.columns
		f = newLines(person)
	case Prefixed:
		f = newLines(prefixed())
	default:
		f = objects{newJSONEncoder(o.JSON)}
	}
	q := queue.New(queue.Options{
		Output: out, Reader: reader(o.File), Blocking: out.blocks(), End: []byte{'\n'},
		Encode: func(e zapcore.Entry, fields []zapcore.Field) (text []byte) {
			f.encode(e, fields, func(b []byte) { text = bytes.Clone(b) })
			return text
		},
	})
	return newCore(q, f, enabler)
}

func newCore(q *queue.Queue, f form, enabler zapcore.LevelEnabler) *Core {
	return &Core{
		Sink: queue.NewSink(enabler, q), form: f,
		put:    func(b []byte) { q.Write(b, time.Time{}, false) },
		putOwn: func(b []byte) { q.Write(b, time.Time{}, true) },
	}
}

// reader returns the name of the reader for messages about losses.
func reader(f *os.File) string {
	switch {
	case f == nil:
		return "the log"
	case f.Name() == "/dev/stdout":
		return "standard output"
	case f.Name() == "/dev/stderr":
		return "standard error"
	}
	return f.Name()
}

// With returns a core that adds fields to each record. It encodes them immediately.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	with := *c
	with.form = c.form.with(fields)
	return &with
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write writes one record. It returns no error if nobody reads the record: zap would print
// that to standard error, which may be what hangs. For a record at panic level or above, it
// waits as [queue.Sink.Sync] does. After Close, Write does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	put := c.put
	if logevent.Of(fields) != 0 {
		put = c.putOwn
	}
	c.form.encode(entry, fields, put)
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may exit next
	}
	return nil
}

// Severity returns the severity of l in syslog and the journal.
func Severity(l zapcore.Level) int {
	switch {
	case l < zapcore.InfoLevel:
		return 7
	case l < zapcore.WarnLevel:
		return 6
	case l < zapcore.ErrorLevel:
		return 4
	case l < zapcore.DPanicLevel:
		return 3
	default:
		return 2
	}
}
