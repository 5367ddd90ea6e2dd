// Package syslog logs to the syslog of the machine, for hosts without a journal: SysV,
// OpenRC, the BSDs, macOS.
//
// A record looks as syslog(3) formats it, in the local form of RFC 3164: facility daemon,
// the severity of its level (debug 7, info 6, warning 4, error 3, above 2), the local time
// of the record, or the current time if it has none, and the text:
//
//	<27>Jan  2 15:04:05 web[123]: ERROR server: request failed path=/a error="no route"
//
// The text is that of package logtext: nothing in a record can end its line or begin
// another one. The level stands before every message except at info, because the files of
// most syslogds do not contain the severity. A value of several lines follows as one indented message per line. A message
// has at most 1023 bytes, which syslogds accept as a whole, or 255 if syslogd is busybox;
// each cuts longer messages. Longer text is split into several messages. A record of more
// than 64 KiB is cut, and a message says so.
//
// The standard library's log/syslog is frozen, has one facility and severity per writer,
// and blocks the program while syslogd hangs. Here, records that syslogd does not take wait
// in package queue, which describes how they are handled. After a restart of syslogd, the
// package reconnects within a second.
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
	maxMessage = 1023     // in bytes, including the header: the limit of RFC 3164, less one byte that inetutils and busybox do not read
	maxBusybox = 255      // the default at build time; Debian uses it
	maxRecord  = 64 << 10 // bytes of text
	daemon     = 3 << 3   // the facility
)

// sockets lists the paths at which syslogds listen.
var sockets = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// Options configure a [Core].
type Options struct {
	// Tag is the name of the program in each message. It defaults to the executable's name.
	// Every character other than a letter, digit, '-', '.' or '_' is replaced by '_'.
	Tag string
	// Socket is the path at which syslogd listens. It defaults to the first of /dev/log,
	// /var/run/syslog and /var/run/log that accepts a connection.
	Socket string
}

// Core implements zapcore.Core and logs to syslog. Its methods may be called from any
// goroutine. See [queue.Sink] for what cores made by With share.
type Core struct {
	queue.Sink
	w    *writer
	text logtext.Text
}

// New connects to syslog and returns a core for it. It fails if nothing listens. Close the
// core after the last record was logged.
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

// room returns the maximum length of a message on the machine whose files are in root. A
// replaced busybox often leaves its link, so room looks for other syslogds first.
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

// With returns a core that adds fields to each record. It encodes them immediately.
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

// Write logs one record. It returns no error if syslog does not take the record. For a
// record at panic level or above, it waits as [queue.Sink.Sync] does. After Close, Write
// does nothing.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	own := logevent.Of(fields) != 0
	// Encoding a field may log as well, so hold no lock here.
	c.text.Encode(entry, fields, func(lines []byte) { c.w.write(entry, lines, own) })
	if entry.Level >= zapcore.PanicLevel {
		_ = c.Sync() // the process may exit next
	}
	return nil
}

// wire encodes the messages of a record, each with a newline at its end.
type wire struct {
	tag  string // includes the process ID
	most int    // the maximum length of a message in bytes

	level   zapcore.Level
	time    time.Time
	message []byte // the current message
	first   []byte // the first line of a record, with its level
	all     []byte
}

// record returns the messages of a record. The next call reuses the memory.
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

// begin starts a message with the header that all messages of a record have.
func (w *wire) begin() {
	b := append(w.message[:0], '<')
	b = strconv.AppendInt(b, int64(daemon+logtext.Severity(w.level)), 10)
	b = append(b, '>')
	b = w.time.AppendFormat(b, time.Stamp)
	w.message = append(append(b, ' '), w.tag...)
}

// end appends the message to the others.
func (w *wire) end() { w.all = append(append(w.all, w.message...), '\n') }

const maxTag = 32 // the limit of RFC 3164

// Tag returns the text before the process ID in each message of a program: its name, with
// '_' for the characters that syslogds take for the end of a tag, cut to 32 characters.
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

// tag returns the text before the text of each message.
func tag(name string) string { return Tag(name) + "[" + strconv.Itoa(os.Getpid()) + "]: " }
