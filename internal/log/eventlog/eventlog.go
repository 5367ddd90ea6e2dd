// Package eventlog logs to the Windows Event Log.
//
// # Records
//
// The type of a record is Error from level error on, Warning for warn, and Information for
// info and debug. The event ID tells what the record is about:
//
//	1–14  an event of package logevent: 1 starting, 2 ready, 4 stopped, 12 crashed, …
//	100   a record of the program at level debug
//	101   … info
//	102   … warn
//	103   … error
//	104   … dpanic, panic, fatal
//
// The IDs never change, so filters, subscriptions and tasks can rely on them.
//
// A record has two strings. Event Viewer shows the first: the text of package logtext with
// one field per line. They cannot be aligned, because the font is proportional:
//
//	request failed
//	    path: C:\data\a b
//	    error: no route
//	    stack:
//	        main.serve
//
// Invisible characters are escaped as in Go there. The second string is for programs, and
// present only if the record has fields: it contains them as a JSON object. In PowerShell
// it is (Get-WinEvent …).Properties[1].Value | ConvertFrom-Json; in the XML of wevtutil it
// is the second Data. Raw data would be less useful, because all readers show it as
// hexadecimal digits.
//
// Windows accepts 31,839 UTF-16 characters per string. A text of more than 31,000 is cut
// and says how many bytes it had. The object is omitted if text and object together have
// more.
//
// # Percent signs
//
// When a description is shown, %1 in it is replaced by the first string, %%1 by a text from
// a parameter message file, and %{…} by the name of an object. The result is expanded
// again, and no escape prevents that ([MS-EVEN] 3.2.4.1.5; Microsoft's KB934640 describes
// how it breaks the zones of IPv6 addresses). Therefore a percent sign before a digit or {
// is written as \x25 in the text: a%20b becomes a\x2520b. In the object it is \u0025, which
// every JSON reader turns back into a percent sign. All other percent signs are kept.
//
// # Where the descriptions come from
//
// Install registers the program as a source whose message file is
// %SystemRoot%\System32\EventCreate.exe. That file has the description %1 for each ID from
// 1 to 1000. It exists since Windows XP and Server 2003, is the same for every program, and
// remains when this program is updated or moved. A message file of our own would be a
// resource. It could be in the user's executable, but go build cannot add it without a
// special tool and a file in each user's package main, and Event Viewer would keep the
// executable open while it is being replaced. Or it could be in a library that has to be
// shipped, installed and kept as long as there are records. It would only add descriptions
// in several languages and categories, for records whose text is the program's own anyway.
//
// If a source is not registered, or the message file is missing, as reported of Nano
// Server, nothing is lost: the records go to the Application log, and Event Viewer shows
// the strings after a note that it has no description for the ID. RegisterEventSource
// succeeds for any name.
//
// # When the Event Log does not take a record
//
// Reporting a record is a remote procedure call to a service that may hang, and that stops
// before others while Windows shuts down. A goroutine makes the calls, one at a time, and
// package queue describes how the waiting records are handled. If a call fails, the
// goroutine requests a new handle, immediately and then ten times a second. If a record is
// refused because of its contents, only that record is lost.
//
// Wine has no log: it prints records as WINEDEBUG says, and has no EventCreate.exe.
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

// openTimeout limits how long New waits.
const openTimeout = time.Second

// Options configure a [Core].
type Options struct {
	// Source is the name of the event source, which is the name of the service. It need not
	// be registered.
	Source string
}

// Core implements zapcore.Core and logs to the Event Log. Its methods may be called from
// any goroutine. See [queue.Sink] for what cores made by With share.
type Core struct {
	queue.Sink
	w     *writer
	form  form
	event logevent.Event // the event in the fields of With
}

// New opens the Event Log and returns a core for it. It fails if Windows returns no handle
// within a second, and with [errors.ErrUnsupported] on systems without an Event Log. Close
// the core after the last record was logged.
func New(o Options, enabler zapcore.LevelEnabler) (*Core, error) {
	w, err := newWriter(system{}, o.Source)
	if err != nil {
		return nil, fmt.Errorf("open the Event Log for the source %q: %w", o.Source, err)
	}
	return &Core{Sink: queue.NewSink(enabler, w.queue), w: w, form: newForm()}, nil
}

// With returns a core that adds fields to each record. It encodes them immediately.
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

// Write logs one record. It returns no error if the Event Log does not take the record. For
// a record at panic level or above, it waits as [queue.Sink.Sync] does. After Close, Write
// does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	r := c.w.records.get()
	r.encode(c.form, entry, fields, c.event)
	c.w.queue.Write(r.pack(), entry.Time, logevent.Of(fields) != 0)
	c.w.records.put(r)
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may exit next
	}
	return nil
}
