package syslogfile

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/service/records"
)

// Message is a line of a log.
type Message struct {
	At    time.Time // by the clock of the host, now or earlier
	Level zapcore.Level
	Known bool // the line has the level
	Tag   string
	PID   int
	Text  string // what follows the tag
}

// Mine reports whether a line of a log is a message of the program with that tag. Only the
// head of the line counts: what looks like one in the text of another program's message
// does not.
//
// The head is the time (Jan  2 15:04:05, RFC 3339, or what logread of OpenWrt prints), maybe
// the host, maybe facility.severity as busybox and OpenWrt have it or in <> as FreeBSD does,
// and TAG[PID]: or what RFC 5424 makes of these.
func Mine(line []byte, tag string, now time.Time) (m Message, mine bool) {
	if !bytes.Contains(line, []byte(tag)) {
		return m, false // as nearly all are
	}
	return By(line, func(word string) bool { return isTagged(word, tag) }, now)
}

// By is Mine for programs whose words for TAG[PID]: are what isTag says.
func By(line []byte, isTag func(word string) bool, now time.Time) (m Message, by bool) {
	text := strings.TrimRight(string(line), "\r\n")
	if pri, rest, ok := rfc5424(text); ok {
		f := strings.SplitN(rest, " ", 6)
		if len(f) < 5 || !isTag(f[2]+"["+f[3]+"]:") {
			return m, false
		}
		at, err := time.Parse(time.RFC3339, f[0])
		m = Message{At: at, Level: records.Severity(pri % 8), Known: true}
		m.setTag(f[2] + "[" + f[3] + "]:")
		if len(f) == 6 {
			m.Text = strings.TrimPrefix(strings.TrimPrefix(f[5], "- "), "\ufeff")
		}
		return m, err == nil
	}
	at, rest, ok := cutTime(text, now)
	if !ok {
		return m, false
	}
	m.At = at
	first, rest := cutWord(rest)
	if len(first) > 2 && first[0] == '<' && m.setSeverity(strings.Trim(first, "<>")) {
		first, rest = cutWord(rest)
	}
	second, afterSecond := cutWord(rest)
	third, afterThird := cutWord(afterSecond)
	switch {
	case isTag(first):
		m.setTag(first)
		m.Text = rest
		return m, true
	case strings.HasSuffix(first, ":"): // the tag of another, or none has a tag
		return m, false
	case isTag(second):
		m.setSeverity(first) // busybox without a host
		m.setTag(second)
		m.Text = afterSecond
		return m, true
	case isTag(third) && m.setSeverity(second):
		m.setTag(third)
		m.Text = afterThird
		return m, true
	}
	return m, false
}

// setTag takes TAG[PID]: apart.
func (m *Message) setTag(word string) {
	tag, pid, _ := strings.Cut(strings.TrimSuffix(word, ":"), "[")
	m.Tag = tag
	m.PID, _ = strconv.Atoi(strings.TrimSuffix(pid, "]"))
}

// setSeverity takes facility.severity, and reports whether a word is that.
func (m *Message) setSeverity(word string) bool {
	facility, severity, ok := strings.Cut(word, ".")
	if !ok || facility == "" {
		return false
	}
	n := 0
	switch severity {
	case "emerg", "panic", "alert", "crit":
		n = 2
	case "err", "error":
		n = 3
	case "warn", "warning":
		n = 4
	case "notice", "info":
		n = 6
	case "debug":
		n = 7
	default:
		var err error
		if n, err = strconv.Atoi(severity); err != nil || !digits(severity) {
			return false
		}
	}
	m.Level, m.Known = records.Severity(n), true
	return true
}

// rfc5424 is the priority, and what follows it and the version, in a line of that format.
func rfc5424(line string) (pri int, rest string, ok bool) {
	if !strings.HasPrefix(line, "<") {
		return 0, "", false
	}
	text, rest, ok := strings.Cut(line[1:], ">1 ")
	pri, err := strconv.Atoi(text)
	return pri, rest, ok && digits(text) && err == nil
}

// cutTime parses the time that a line begins with. The year, where there is none, is that
// which makes it now or earlier.
func cutTime(line string, now time.Time) (at time.Time, rest string, ok bool) {
	if t, after, found := strings.Cut(line, " "); found && strings.Contains(t, "T") && len(t) >= len("2006-01-02T15:04:05Z") {
		at, err := time.Parse(time.RFC3339, t)
		return at, after, err == nil
	}
	if len(line) > len(time.ANSIC) && line[len(time.ANSIC)] == ' ' {
		if at, err := time.ParseInLocation(time.ANSIC, line[:len(time.ANSIC)], now.Location()); err == nil {
			return at, line[len(time.ANSIC)+1:], true
		}
	}
	if len(line) < len(time.Stamp) {
		return time.Time{}, "", false
	}
	end := strings.IndexByte(line[len("Jan _2 "):], ' ')
	if end < 0 {
		return time.Time{}, "", false
	}
	end += len("Jan _2 ")
	at, err := time.ParseInLocation(time.Stamp, line[:end], now.Location()) // a fraction of the second may follow
	if err != nil {
		return time.Time{}, "", false
	}
	year := func(y int) time.Time {
		return time.Date(y, at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), now.Location())
	}
	if at = year(now.Year()); at.After(now.Add(24 * time.Hour)) {
		at = year(now.Year() - 1)
	}
	return at, line[end+1:], true
}

func cutWord(s string) (first, rest string) {
	first, rest, _ = strings.Cut(s, " ")
	return first, rest
}

// isTagged reports whether a word is TAG[PID]: .
func isTagged(word, tag string) bool {
	pid, ok := strings.CutPrefix(word, tag+"[")
	if !ok {
		return false
	}
	pid, ok = strings.CutSuffix(pid, "]:")
	return ok && digits(pid)
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
