// Package sdnotify speaks the notification protocol of systemd, sd_notify(3):
// datagrams of KEY=value lines, sent to the address in NOTIFY_SOCKET.
package sdnotify

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Max is how many bytes a message may have. systemd drops a longer one whole, and
// its sender hears nothing of it (NOTIFY_BUFFER_MAX is PIPE_BUF).
const Max = 4096

// The assignments that carry no value of ours.
const (
	Ready    = "READY=1"
	Reload   = "RELOADING=1"
	Stopping = "STOPPING=1"
	Watchdog = "WATCHDOG=1"
	barrier  = "BARRIER=1"
)

// Message is one datagram in the making. Its memory can be used again: m[:0].
type Message []byte

// Add adds an assignment that is one of the constants of this package.
func (m Message) Add(assignment string) Message {
	return append(m.line(), assignment...)
}

// Number adds KEY=n.
func (m Message) Number(key string, n int64) Message {
	m = append(append(m.line(), key...), '=')
	return strconv.AppendInt(m, n, 10)
}

// Extend adds EXTEND_TIMEOUT_USEC: the manager waits at least d from now.
func (m Message) Extend(d time.Duration) Message {
	return m.Number("EXTEND_TIMEOUT_USEC", d.Microseconds())
}

// Reloading adds RELOADING=1 together with the time, which systemd wants in the
// same datagram and not older than its own request.
func (m Message) Reloading() Message { return m.ReloadingAt(Monotonic()) }

// ReloadingAt is Reloading for a manager whose clock is not that of this machine:
// one in a test.
func (m Message) ReloadingAt(now time.Duration) Message {
	return m.Add(Reload).Number("MONOTONIC_USEC", now.Microseconds())
}

// Status adds STATUS=text as one line of valid UTF-8, cut to what still fits into
// the message: a newline in it would begin another assignment, and systemd drops
// what is not UTF-8. Add it last.
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
