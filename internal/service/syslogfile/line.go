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
	At    time.Time // by the host's clock; not in the future
	Level zapcore.Level
	Known bool // the line names the level
	Tag   string
	PID   int
	Text  string // what follows the tag
}

// Mine reports whether a line of a log is a message of the program with that tag. Only the
// head of the line counts, so the text of another program's message cannot imitate it.
//
// The head has the time (Jan  2 15:04:05, RFC 3339, or the format of OpenWrt's logread),
// optionally the host, optionally facility.severity as busybox and OpenWrt write it or in <>
// as FreeBSD does, and TAG[PID]:, or the equivalents of RFC 5424.
func Mine(line []byte, tag string, now time.Time) (m Message, mine bool) {
	if !bytes.Contains(line, []byte(tag)) {
		return m, false // the fast way for most lines
	}
	return By(line, func(word string) bool { return isTagged(word, tag) }, now)
}

// By works like Mine, but isTag decides which words are the TAG[PID]: of the program.
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
	case strings.HasSuffix(first, ":"): // another program's tag
		return m, false
	case isTag(second):
		m.setSeverity(first) // busybox writes no host
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

// setTag parses TAG[PID]:.
func (m *Message) setTag(word string) {
	tag, pid, _ := strings.Cut(strings.TrimSuffix(word, ":"), "[")
	m.Tag = tag
	m.PID, _ = strconv.Atoi(strings.TrimSuffix(pid, "]"))
}

// setSeverity parses facility.severity. It returns false if word is none.
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

// rfc5424 returns the priority of a line in that format, and what follows priority and
// version.
func rfc5424(line string) (pri int, rest string, ok bool) {
	if !strings.HasPrefix(line, "<") {
		return 0, "", false
	}
	text, rest, ok := strings.Cut(line[1:], ">1 ")
	pri, err := strconv.Atoi(text)
	return pri, rest, ok && digits(text) && err == nil
}

// cutTime parses the time at the beginning of a line. If that has no year, it takes the
// latest that does not make it later than now.
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

// isTagged reports whether word is TAG[PID]:.
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
