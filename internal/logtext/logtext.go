// Package logtext logs as text: for a person on a terminal, for a machine as JSON, one
// object a line, and for standard error that leads to systemd's journal.
//
// On a terminal
//
//	15:04:05.000  INFO   web: listening                    addr=:8080 tls=true
//	15:04:09.120  ERROR  request failed                    path="/a b" error="no route"
//	    stack:
//	        main.serve
//
// namespaces and objects give keys with dots, arrays are [1, 2], times RFC 3339, what is
// reflected is JSON, binary is base64. A value of several lines stands below, indented.
// Whatever is no character that can be seen is escaped as in Go (\x1b, \u202e, \xff):
// nothing in a record can move the cursor, ring the bell, or pass for a record of its
// own. A value of more than 64 KiB is cut, and says so. In every format, one that goes
// deeper than 100 objects, or round in circles, is replaced by its type.
//
// # When nobody reads
//
// A pipe that is full or a terminal that is stopped does not hold up the program: a log
// call waits 100 ms for room, and the calls after it, until there is room again, not at
// all. What finds no room is dropped and counted, and a record of the event RecordsLost
// says how many there were when there is room again. On Linux, that is exact. On other
// Unixes a terminal may take longer for a record that is larger than the room that is
// left. On Windows, where nobody can ask for room, a goroutine writes, and one record
// waits in it.
package logtext

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/logevent"
)

// Format is how records look.
type Format uint8

const (
	// JSON is one object a line with the keys time (RFC 3339, nanoseconds), level,
	// logger, msg, caller and stack, and those of the fields; one that is called as one
	// of these has field_ before it.
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
	// File is where the text goes. It is neither closed nor set to anything: others have
	// standard output and standard error too.
	File   *os.File
	Format Format
	// Colour is for Terminal: see [Look]. Where the console cannot do it there is none.
	Colour bool
}

// Core is a zapcore.Core that writes text. Its methods may be called from any goroutine.
// Cores made by With share its count of what was lost.
type Core struct {
	zapcore.LevelEnabler
	sink *sink
	form form
}

// form makes the text of records.
type form interface {
	with(fields []zapcore.Field) form
	// encode calls write with the record, whose memory is used again after that.
	encode(e zapcore.Entry, fields []zapcore.Field, write func(b []byte))
}

// New returns a core that writes to o.File. Close it when the run is over.
func New(o Options, enabler zapcore.LevelEnabler) *Core {
	s := &sink{out: newOutput(o.File)}
	var f form
	switch o.Format {
	case Terminal:
		if o.Colour {
			s.restore, o.Colour = enableColour(o.File)
		}
		f = newLines(terminal(o.Colour))
	case Prefixed:
		f = newLines(prefixed())
	default:
		f = objects{JSONEncoder()}
	}
	s.put = s.write
	s.notice = func(lost uint64) {
		f.encode(zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: Lost},
			[]zapcore.Field{logevent.RecordsLost.Field(), zap.Uint64("records", lost)}, s.try)
	}
	return &Core{LevelEnabler: enabler, sink: s, form: f}
}

// Lost is the message of the record that says that others are missing.
const Lost = "records of the log are lost: nobody read them"

// Level is the lowest level that is logged.
func (c *Core) Level() zapcore.Level { return zapcore.LevelOf(c.LevelEnabler) }

// With returns a core that adds fields to each record. They are encoded here and now.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	return &Core{LevelEnabler: c.LevelEnabler, sink: c.sink, form: c.form.with(fields)}
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write writes one record. What nobody read is no error, for zap would write it to
// standard error, which may be what hangs; [Core.Lost] counts it.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	c.form.encode(entry, fields, c.sink.put)
	return nil
}

// Sync waits, where a goroutine writes, until it has, 100 ms at most. Everywhere else
// there is nothing to wait for.
func (c *Core) Sync() error { return c.sink.sync(patience) }

// Lost is how many records were lost so far.
func (c *Core) Lost() uint64 { return c.sink.total() }

// Close waits for what is being written until ctx ends, or 100 ms if that has no
// deadline, says how many records were lost if that has not been said yet, and gives
// back what it took, the colours of a console for one. What is logged later is written
// all the same.
func (c *Core) Close(ctx context.Context) error {
	wait := patience
	if deadline, ok := ctx.Deadline(); ok {
		wait = max(time.Until(deadline), 0)
	}
	if err := c.sink.close(wait); err != nil {
		return fmt.Errorf("close the log: %w", err)
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
