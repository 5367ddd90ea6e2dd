// Package syslog logs to the syslog of the machine, for hosts without a journal: SysV,
// OpenRC, the BSDs, macOS.
//
// A record is what syslog(3) makes of it, in the local form of RFC 3164: facility daemon,
// the severity of its level (debug 7, info 6, warning 4, error 3, above 2), the local time
// of the record, or that of the call if it has none, and
//
//	<27>Jan  2 15:04:05 web[123]: ERROR server: request failed path=/a error="no route"
//
// with the text of package logtext: nothing in a record can end its line or begin
// another. The word for the level, for all but info, is there because the files of most
// syslogds do not have the severity. A value of several lines follows, a message for each of its lines, indented.
// A message has at most 1023 bytes, which syslogds take whole, and 255 where syslogd is
// busybox; each cuts what is longer. What does not fit is several messages, and of a record
// that is longer than 64 KiB the rest is left out, with a message that says so.
//
// The standard library has a log/syslog, which is frozen, has a facility and a severity
// for its writer as a whole, and holds up the program for as long as syslogd hangs. Here
// what syslogd does not take waits in package queue, which says what is done with it. If
// syslogd is restarted, it is found within a second.
package syslog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logtext"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

const (
	maxMessage = 1023     // bytes, with all that stands before: those of RFC 3164, less one that inetutils and busybox do not read
	maxBusybox = 255      // as it is built unless somebody wants more; Debian does
	maxRecord  = 64 << 10 // bytes of the lines
	daemon     = 3 << 3   // the facility
)

// sockets are where syslogds listen.
var sockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// Options of a [Core].
type Options struct {
	// Tag is the name of the program in each message, the executable's if it is empty.
	// What is no letter, digit, '-', '.' or '_' becomes '_'.
	Tag string
	// Socket is where syslogd listens; if it is empty /dev/log, /var/run/syslog or
	// /var/run/log, the first that somebody listens at.
	Socket string
}

// Core is a zapcore.Core that logs to syslog. Its methods may be called from any
// goroutine. Cores made by With share its connection, its backlog and its count of what
// was lost.
type Core struct {
	queue.Sink
	w    *writer
	text logtext.Text
}

// New connects to syslog and returns a core for it. It fails if nobody listens. Close
// the core when nobody logs any more.
func New(o Options, enabler zapcore.LevelEnabler) (*Core, error) {
	paths, most := sockets, 0
	if o.Socket != "" {
		paths, most = []string{o.Socket}, maxMessage
	} else {
		most = room("")
	}
	w, err := newWriter(paths, tag(o.Tag), most)
	if err != nil {
		return nil, fmt.Errorf("connect to syslog: %w", err)
	}
	return &Core{Sink: queue.NewSink(enabler, w.queue), w: w, text: w.text}, nil
}

// room is how long a message can be on the machine whose files are in root. Who has
// replaced the syslogd of busybox has often left its link.
func room(root string) int {
	for _, other := range []string{"/usr/sbin/rsyslogd", "/usr/sbin/syslog-ng"} {
		if _, err := os.Stat(root + other); err == nil {
			return maxMessage
		}
	}
	for _, syslogd := range []string{"/sbin/syslogd", "/usr/sbin/syslogd"} {
		if to, err := os.Readlink(root + syslogd); err == nil && filepath.Base(to) == "busybox" {
			return maxBusybox
		}
	}
	return maxMessage
}

// With returns a core that adds fields to each record. They are encoded here and now.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	return &Core{Sink: c.Sink, w: c.w, text: c.text.With(fields)}
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write logs one record. What syslog did not take is no error, for zap would write it to
// standard error each time; [queue.Sink.Lost] counts it. A record at panic level or above is
// waited for as [queue.Sink.Sync] does. After Close, Write does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	own := logevent.Of(fields) != 0
	// What a field is asked for may log as well: nothing is locked meanwhile.
	c.text.Encode(entry, fields, func(lines []byte) { c.w.write(entry, lines, own) })
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may end with it
	}
	return nil
}

// wire makes the messages of a record as they go over the wire, a newline behind each.
type wire struct {
	tag  string // with the process
	most int    // bytes of a message

	level   zapcore.Level
	time    time.Time
	message []byte // one
	first   []byte // the first line of a record, with its level
	all     []byte
}

// record returns the messages of a record, in memory that is used again for the next one.
func (w *wire) record(e zapcore.Entry, lines []byte) []byte {
	w.level, w.time, w.all = e.Level, e.Time.Local(), w.all[:0]
	if e.Time.IsZero() {
		w.time = time.Now()
	}
	w.lines(lines)
	return w.all
}

// lines makes a message of each line of a record.
func (w *wire) lines(lines []byte) {
	all := len(lines)
	if all > maxRecord {
		cut := maxRecord
		for !utf8.RuneStart(lines[cut]) {
			cut--
		}
		lines = lines[:cut]
	}
	w.begin()
	head := len(w.message)
	prefix := logtext.LevelPrefix(w.level)
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		if prefix != "" {
			w.first = append(append(w.first[:0], prefix...), line...)
			line, prefix = w.first, ""
		}
		logtext.Split(line, w.most-head-1, func(part []byte) {
			w.message = append(w.message[:head], part...)
			w.end()
		})
	}
	if all > maxRecord {
		w.message = fmt.Appendf(w.message[:head], "    …(%d bytes)", all)
		w.end()
	}
}

// begin makes what each message of a record begins with.
func (w *wire) begin() {
	b := append(w.message[:0], '<')
	b = strconv.AppendInt(b, int64(daemon+logtext.Severity(w.level)), 10)
	b = append(b, '>')
	b = w.time.AppendFormat(b, time.Stamp)
	w.message = append(append(b, ' '), w.tag...)
}

// end puts the message behind the others.
func (w *wire) end() { w.all = append(append(w.all, w.message...), '\n') }

const maxTag = 32 // RFC 3164

// Tag is what stands before the process ID in each message of a program: its name, with
// '_' for what syslogds take for the end of a tag, and no more than 32 characters of it.
func Tag(name string) string {
	if name == "" {
		name = os.Args[0][strings.LastIndexAny(os.Args[0], `/\`)+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), maxTag)]
}

// tag is what stands before the text of each message.
func tag(name string) string { return Tag(name) + "[" + strconv.Itoa(os.Getpid()) + "]: " }
