// Package sdnotify speaks the notification protocol of systemd, sd_notify(3):
// datagrams of KEY=value lines, sent to the address in NOTIFY_SOCKET.
package sdnotify

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Max is the longest message in bytes. systemd drops a longer one without telling the
// sender (NOTIFY_BUFFER_MAX is PIPE_BUF).
const Max = 4096

// Assignments with a fixed value.
const (
	Ready    = "READY=1"
	Reload   = "RELOADING=1"
	Stopping = "STOPPING=1"
	Watchdog = "WATCHDOG=1"
	barrier  = "BARRIER=1"
)

// Message holds a datagram. Use m[:0] to reuse its memory.
type Message []byte

// Add appends one of the assignments defined in this package.
func (m Message) Add(assignment string) Message {
	return append(m.line(), assignment...)
}

// Number appends KEY=n.
func (m Message) Number(key string, n int64) Message {
	m = append(append(m.line(), key...), '=')
	return strconv.AppendInt(m, n, 10)
}

// Extend appends EXTEND_TIMEOUT_USEC: the manager waits at least d from now.
func (m Message) Extend(d time.Duration) Message {
	return m.Number("EXTEND_TIMEOUT_USEC", d.Microseconds())
}

// Reloading appends RELOADING=1 together with the time. systemd requires the time in the
// same datagram, and no older than its own request.
func (m Message) Reloading() Message { return m.ReloadingAt(Monotonic()) }

// ReloadingAt works like Reloading, for a manager with a clock of its own, as in a test.
func (m Message) ReloadingAt(now time.Duration) Message {
	return m.Add(Reload).Number("MONOTONIC_USEC", now.Microseconds())
}

// Status appends STATUS=text as one line of valid UTF-8, cut to the space that is left in
// the message. A newline in it would begin another assignment, and systemd drops a status
// that is not UTF-8. Add it last.
func (m Message) Status(text string) Message {
	m = append(m.line(), "STATUS="...)
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			r = ' '
		}
		if len(m)+utf8.RuneLen(r) > Max {
			break
		}
		m = utf8.AppendRune(m, r)
	}
	return m
}

func (m Message) line() Message {
	if len(m) > 0 {
		return append(m, '\n')
	}
	return m
}
