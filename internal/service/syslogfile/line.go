package syslogfile

import (
	"bytes"
	"strings"
	"time"
)

// Mine reports whether a line of a log is a message of the program with that tag, and when
// it was logged by the host's clock, now or earlier. Only the head of the line counts: what
// looks like one in the text of another program's message does not.
//
// The head is the time (Jan  2 15:04:05, RFC 3339, or what logread of OpenWrt prints), maybe
// the host, maybe facility.severity as busybox and OpenWrt have it or in <> as FreeBSD does,
// and TAG[PID]: or what RFC 5424 makes of these.
func Mine(line []byte, tag string, now time.Time) (at time.Time, mine bool) {
	if !bytes.Contains(line, []byte(tag)) {
		return time.Time{}, false // as nearly all are
	}
	return By(line, func(word string) bool { return tagged(word, tag) }, now)
}

// By is Mine for programs whose words for TAG[PID]: are what is says.
func By(line []byte, is func(word string) bool, now time.Time) (at time.Time, by bool) {
	text := strings.TrimSuffix(string(line), "\n")
	if rest, ok := rfc5424(text); ok {
		f := strings.SplitN(rest, " ", 5)
		if len(f) < 5 || !is(f[2]+"["+f[3]+"]:") {
			return time.Time{}, false
		}
		at, err := time.Parse(time.RFC3339, f[0])
		return at, err == nil
	}
	at, rest, ok := clock(text, now)
	if !ok {
		return time.Time{}, false
	}
	one, rest := word(rest)
	if len(one) > 2 && one[0] == '<' && priority(strings.Trim(one, "<>")) {
		one, rest = word(rest)
	}
	two, rest := word(rest)
	three, _ := word(rest)
	switch {
	case is(one):
		return at, true
	case strings.HasSuffix(one, ":"): // the tag of another, or none has a tag
		return at, false
	case is(two), priority(two) && is(three):
		return at, true
	}
	return at, false
}

// rfc5424 is what follows <PRI>1 in a line of that format.
func rfc5424(line string) (rest string, ok bool) {
	if !strings.HasPrefix(line, "<") {
		return "", false
	}
	pri, rest, ok := strings.Cut(line[1:], ">1 ")
	return rest, ok && digits(pri)
}

// clock parses the time that a line begins with. The year, where there is none, is that
// which makes it now or earlier.
func clock(line string, now time.Time) (at time.Time, rest string, ok bool) {
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

func word(s string) (first, rest string) {
	first, rest, _ = strings.Cut(s, " ")
	return first, rest
}

// tagged reports whether a word is TAG[PID]: .
func tagged(word, tag string) bool {
	pid, ok := strings.CutPrefix(word, tag+"[")
	if !ok {
		return false
	}
	pid, ok = strings.CutSuffix(pid, "]:")
	return ok && digits(pid)
}

// priority reports whether a word is facility.severity.
func priority(word string) bool {
	facility, severity, ok := strings.Cut(word, ".")
	if !ok || facility == "" {
		return false
	}
	switch severity {
	case "emerg", "panic", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug":
		return true
	}
	return digits(severity)
}

func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
