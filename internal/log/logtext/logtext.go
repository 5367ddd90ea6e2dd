// Package logtext logs as text: for a person on a terminal, for a machine as JSON, one
// object a line, and for standard error that leads to systemd's journal.
//
// On a terminal
//
//	15:04:05.000  INFO   web: listening                    addr=:8080 tls=true
//	15:04:09.120  ERROR  request failed                    path="/a b" error="no route"
//	    stack:
//	        main.serve
//	15:04:09.200  INFO+2 half of them are left             n=5
//
// the time is local, and missing if the record has none, fields begin where the message ends
// where a line would be wider than the terminal, levels that zap has no name for are the next lower one that has, and how far it is,
// namespaces and objects give keys with dots, arrays are [1, 2], times RFC 3339, what is
// reflected is JSON, binary is base64. A value of several lines stands below, indented.
// Whatever is no character that can be seen is escaped as in Go (\x1b, \u202e, \xff):
// nothing in a record can move the cursor, ring the bell, or pass for a record of its
// own. A value of more than 64 KiB is cut, and says so. In every format, one that goes
// deeper than 100 objects, or round in circles, is replaced by its type.
//
// # When nobody reads
//
// A pipe that is full or a terminal that is stopped does not hold up the program: package
// queue keeps what finds no room, and says what is done with it. On Linux nothing else
// waits. On other Unixes a terminal may take longer for a record that is larger than the
// room that is left. On Windows, where nobody can ask for room, a goroutine writes.
package logtext

import (
	"bytes"
	"os"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// Format is how records look.
type Format uint8

const (
	// JSON is one object a line with the keys time (RFC 3339, nanoseconds; not if it is
	// zero), level, logger, msg, caller and stack, and those of the fields. A key of the program's that
	// is one of these has field_ before it, wherever it comes from. Two keys of the
	// program's that are the same both stay; most readers take the last.
	JSON Format = iota
	// Terminal is for people.
	Terminal
	// Prefixed is for a standard error that leads to the journal: a line begins with its
	// severity as in <6>, and has no time, for the journal has it. Lines longer than the
	// 48 KiB at which journald cuts are several, each with its prefix.
	Prefixed
)

// Options of a [Core].
type Options struct {
	// File is where the text goes, through a descriptor of our own: the program may close
	// File. It is neither closed nor set to anything: others have standard output and
	// standard error too.
	File   *os.File
	Format Format
	// JSON is for the format JSON.
	JSON JSONOptions
	// Colour is for Terminal: see [Look]. Where the console cannot do it there is none.
	Colour bool
}

// Core is a zapcore.Core that writes text. Its methods may be called from any goroutine.
// Cores made by With share its file, its backlog and its count of what was lost.
type Core struct {
	queue.Sink
	// put and putOwn write a record of the program, and of the run. As fields they cost no
	// allocation.
	put, putOwn func(b []byte)
	form        form
}

// form makes the text of records.
type form interface {
	with(fields []zapcore.Field) form
	// encode calls write with the record, whose memory is used again after that.
	encode(e zapcore.Entry, fields []zapcore.Field, write func(b []byte))
}

// New returns a core that writes to o.File, also after that is closed. Close it when the
// run is over.
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

// reader is who does not take what is lost.
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

// With returns a core that adds fields to each record. They are encoded here and now.
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

// Write writes one record. What nobody read is no error, for zap would write it to
// standard error, which may be what hangs; [queue.Sink.Lost] counts it. A record at panic level
// or above is waited for as [queue.Sink.Sync] does. After Close, Write does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	put := c.put
	if logevent.Of(fields) != 0 {
		put = c.putOwn
	}
	c.form.encode(entry, fields, put)
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may end with it
	}
	return nil
}

// Severity is what syslog and the journal call a level.
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
