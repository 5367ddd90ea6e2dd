// Package syslog logs to the syslog of the machine, for hosts without a journal: SysV,
// OpenRC, the BSDs, macOS.
//
// A record is what syslog(3) makes of it, in the local form of RFC 3164: facility daemon,
// the severity of its level (debug 7, info 6, warning 4, error 3, above 2), the local time
// of the record, or that of the call if it has none, and
//
//	<30>Jan  2 15:04:05 web[123]: server: request failed path=/a error="no route"
//
// with the text of package logtext: nothing in a record can end its line or begin
// another. A value of several lines follows, a message for each of its lines, indented.
// A message has at most 1023 bytes, which syslogds take whole, and 255 where syslogd is
// busybox; each cuts what is longer. What does not fit is several messages, and of a record
// that is longer than 64 KiB the rest is left out, with a message that says so.
//
// The standard library has a log/syslog, which is frozen, has a facility and a severity
// for its writer as a whole, and holds up the program for as long as syslogd hangs. This
// one waits 100 ms for the messages of a record to be taken, and those after it, until one is
// taken again, not at all. What is not taken is dropped and counted, and a record of the
// event RecordsLost says how many there were when one is taken again. If syslogd has been
// started anew it is found, at the next message, or if it is not there yet within a
// second.
package syslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/logevent"
	"github.com/go-glidepath/glidepath/internal/logtext"
)

const (
	patience    = 100 * time.Millisecond // how long the messages of a record wait until they are taken
	redialEvery = time.Second

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
// goroutine. Cores made by With share its connection and its count of what was lost.
type Core struct {
	zapcore.LevelEnabler
	w    *writer
	text logtext.Text
}

// New connects to syslog and returns a core for it. It fails if nobody listens. Close
// the core when nobody logs any more.
func New(o Options, enabler zapcore.LevelEnabler) (*Core, error) {
	w := &writer{sockets: sockets, tag: tag(o.Tag), text: logtext.NewText(), most: maxMessage}
	if o.Socket != "" {
		w.sockets = []string{o.Socket}
	} else {
		w.most = room("")
	}
	if err := w.dial(); err != nil {
		return nil, fmt.Errorf("connect to syslog: %w", err)
	}
	return &Core{LevelEnabler: enabler, w: w, text: w.text}, nil
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

// Level is the lowest level that is logged.
func (c *Core) Level() zapcore.Level { return zapcore.LevelOf(c.LevelEnabler) }

// With returns a core that adds fields to each record. They are encoded here and now.
func (c *Core) With(fields []zapcore.Field) zapcore.Core {
	return &Core{LevelEnabler: c.LevelEnabler, w: c.w, text: c.text.With(fields)}
}

// Check adds the core to ce if entries of this level are logged.
func (c *Core) Check(entry zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return ce.AddCore(entry, c)
	}
	return ce
}

// Write logs one record. What syslog did not take is no error, for zap would write it to
// standard error each time; [Core.Lost] counts it. After Close the error is os.ErrClosed.
func (c *Core) Write(entry zapcore.Entry, fields []zapcore.Field) (err error) {
	// What a field is asked for may log as well: nothing is locked meanwhile.
	c.text.Encode(entry, fields, func(lines []byte) { err = c.w.write(entry, lines) })
	return err
}

// Sync does nothing: what was taken is in the socket.
func (c *Core) Sync() error { return nil }

// Lost is how many records were lost so far, in whole or in part.
func (c *Core) Lost() uint64 {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.w.lost
}

// Close says how many records were lost if that has not been said yet, and closes the
// connection. It waits for nothing, so that ctx bounds nothing. The core and those made by
// With log nothing any more. A second Close does nothing.
func (c *Core) Close(context.Context) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.w.close()
}

// writer sends records, in order.
type writer struct {
	sockets []string
	tag     string // with the process
	text    logtext.Text
	most    int // bytes of a message

	mu     sync.Mutex
	conn   connection
	dialed time.Time
	closed bool
	hung   bool // a message has waited in vain, and none was taken since
	lost   uint64
	told   uint64 // of those, how many a record was about

	level   zapcore.Level // of the record that is sent
	time    time.Time
	until   time.Time // when no message of it waits any more
	message []byte
	failed  bool // it was not taken
}

// write sends a record, after one about those that are lost.
func (w *writer) write(e zapcore.Entry, lines []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.lost++
		return fmt.Errorf("log to syslog: %w", os.ErrClosed)
	}
	if w.lost > w.told && !w.tell() {
		w.lost++
		return nil
	}
	if !w.send(e, lines) {
		w.lost++
	}
	return nil
}

func (w *writer) tell() bool {
	n := w.lost
	e := zapcore.Entry{Level: zapcore.WarnLevel, Time: time.Now(), Message: "records of the log are lost: syslog did not take them"}
	fields := []zapcore.Field{logevent.RecordsLost.Field(), zap.Uint64("records", n-w.told)}
	sent := false
	if w.text.Encode(e, fields, func(lines []byte) { sent = w.send(e, lines) }); !sent {
		return false
	}
	w.told = n
	return true
}

func (w *writer) send(e zapcore.Entry, lines []byte) bool {
	now := time.Now()
	w.level, w.time, w.until, w.failed = e.Level, e.Time.Local(), now.Add(patience), false
	if e.Time.IsZero() {
		w.time = now
	}
	w.lines(lines)
	return !w.failed
}

// lines sends the lines of a record, a message each.
func (w *writer) lines(lines []byte) {
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
	for line := range bytes.Lines(lines) {
		logtext.Split(bytes.TrimSuffix(line, []byte{'\n'}), w.most-head-1, func(part []byte) {
			w.message = append(w.message[:head], part...)
			w.failed = w.failed || !w.take()
		})
	}
	if all > maxRecord {
		w.message = fmt.Appendf(w.message[:head], "    …(%d bytes)", all)
		w.failed = w.failed || !w.take()
	}
}

// begin makes what each message of a record begins with.
func (w *writer) begin() {
	b := append(w.message[:0], '<')
	b = strconv.AppendInt(b, int64(daemon+logtext.Severity(w.level)), 10)
	b = append(b, '>')
	b = w.time.AppendFormat(b, time.Stamp)
	w.message = append(append(b, ' '), w.tag...)
}

// take has syslog take the message, over a new connection if there has to be one.
func (w *writer) take() bool {
	wait := max(time.Until(w.until), 0)
	if w.hung {
		wait = 0
	}
	err := errGone
	if w.conn.open() {
		err = w.conn.send(w.message, wait)
	}
	if errors.Is(err, errGone) && w.redial() {
		err = w.conn.send(w.message, wait)
	}
	w.hung = errors.Is(err, os.ErrDeadlineExceeded)
	return err == nil
}

// errGone says that nobody listens any more at the other end of a connection.
var errGone = errors.New("nobody listens")

// redial connects anew, but not all the time.
func (w *writer) redial() bool {
	return time.Since(w.dialed) >= redialEvery && w.dial() == nil
}

// dial connects to the first socket that somebody listens at.
func (w *writer) dial() error {
	w.dialed = time.Now()
	_ = w.conn.close()
	var errs []error
	for _, path := range w.sockets {
		err := w.conn.dial(path)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (w *writer) close() error {
	if w.closed {
		return nil
	}
	if w.lost > w.told {
		w.hung = true // it has waited often enough
		w.tell()
	}
	w.closed = true
	return w.conn.close()
}

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
