// Package eventlog logs to the Event Log of Windows.
//
// # Records
//
// The type of a record is Error for the level error and those above, Warning for warn,
// Information for info and debug. Its event id says what it is about:
//
//	1–14  an event of package logevent: 1 starting, 2 ready, 4 stopped, 12 crashed, …
//	100   a record of the program at level debug
//	101   … info
//	102   … warn
//	103   … error
//	104   … dpanic, panic, fatal
//
// These stay what they are: filters, subscriptions and tasks can rely on them.
//
// A record has two strings. The first is what Event Viewer shows, the text of package
// logtext with a field a line (its letters are proportional, so that nothing can be
// aligned):
//
//	request failed
//	    path: C:\data\a b
//	    error: no route
//	    stack:
//	        main.serve
//
// What cannot be seen is escaped as in Go there. The second is for programs, and only
// there if the record has fields: they are an object of JSON. In PowerShell that is
// (Get-WinEvent …).Properties[1].Value | ConvertFrom-Json, in the XML of wevtutil the
// second Data. Raw data would be of less use: all that reads it shows hexadecimal digits.
//
// Windows takes 31,839 characters, in UTF-16, for a string. A text of more than 31,000 is
// cut and says how many bytes there were. The object is left out where text and object
// have more than that together.
//
// # Percent signs
//
// When a description is shown, %1 in it becomes the first string, %%1 a text from a
// parameter message file and %{…} the name of an object, and that is done again in what
// was put in; there is no escape that would prevent it ([MS-EVEN] 3.2.4.1.5; Microsoft's
// KB934640 has the zones of IPv6 addresses as its victims). So a percent sign before a
// digit or { is \x25 in the text: a%20b is a\x2520b. In the object it is \u0025, which
// every reader of JSON makes a percent sign again. All other percent signs stay.
//
// # Where the descriptions come from
//
// Install registers the program as a source whose message file is
// %SystemRoot%\System32\EventCreate.exe: that has the description %1 for each id from 1
// to 1000, is there from Windows XP and Server 2003 on, is the same for every program,
// and outlives an update or a move of this one. A message file of our own is a resource,
// and would be either in the user's executable, which go build cannot do without a tool
// of its own and a file in the package main of each user, and which Event Viewer would
// keep open while it is to be replaced; or in a library that has to be shipped, installed
// and kept as long as there are records. What it would give is descriptions in several
// languages and with categories, of records whose text is the program's own anyway.
//
// If a source is not registered, or the message file is not there, which is said of Nano
// Server, nothing is lost: the records are in the log Application all the same, and
// Event Viewer shows that it has no description for the id, and then the strings.
// RegisterEventSource succeeds for each name.
//
// # When the Event Log does not take it
//
// Reporting a record is a remote procedure call to a service, which may hang, and is gone
// before others while Windows shuts down. A goroutine makes the calls, one at a time, and
// package queue says what is done with the records that wait for it. If a call fails, a
// new handle is asked for, once at once and then ten times a second. A record that is
// refused for what it is is lost by itself.
//
// Wine has no log: it prints the records as it is told to with WINEDEBUG, and has no
// EventCreate.exe.
//
// [MS-EVEN]: https://learn.microsoft.com/openspecs/windows_protocols/ms-even
package eventlog

import (
	"fmt"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// openTimeout is how long New waits.
const openTimeout = time.Second

// Options of a [Core].
type Options struct {
	// Source is the name of the event source, which is that of the service. It need not
	// be registered.
	Source string
}

// Core is a zapcore.Core that logs to the Event Log. Its methods may be called from any
// goroutine. Cores made by With share its handle, its backlog and its count of what was
// lost.
type Core struct {
	queue.Sink
	w     *writer
	form  form
	event logevent.Event // of the fields of With
}

// New opens the Event Log and returns a core for it. It fails if Windows gives no handle
// within a second, with [errors.ErrUnsupported] where there is no Event Log. Close the
// core when nobody logs any more.
func New(o Options, enabler zapcore.LevelEnabler) (*Core, error) {
	w, err := newWriter(system{}, o.Source)
	if err != nil {
		return nil, fmt.Errorf("open the Event Log for the source %q: %w", o.Source, err)
	}
	return &Core{Sink: queue.NewSink(enabler, w.queue), w: w, form: newForm()}, nil
}

// With returns a core that adds fields to each record. They are encoded here and now.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	with := *c
	with.form = form{c.form.text.With(fields), logtext.With(c.form.object, fields)}
	if e := logevent.Of(fields); e != 0 {
		with.event = e
	}
	return &with
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write logs one record. What the Event Log did not take is no error, for zap would write
// it to standard error each time; [queue.Sink.Lost] counts it. A record at panic level or above
// is waited for as [queue.Sink.Sync] does. After Close, Write does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	r := c.w.records.get()
	r.encode(c.form, entry, fields, c.event)
	c.w.queue.Write(r.pack(), entry.Time, logevent.Of(fields) != 0)
	c.w.records.put(r)
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may end with it
	}
	return nil
}
