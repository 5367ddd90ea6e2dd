package daemontest

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// notification holds the lines of a datagram, in order.
type notification []string

// assignments maps the assignments that sd_notify(3) lists to functions that check their
// values.
var assignments = map[string]func(string) bool{
	"READY": isOne, "RELOADING": isOne, "STOPPING": isOne,
	"STATUS":              isLine,
	"ERRNO":               func(v string) bool { n, ok := decimal(v); return ok && n > 0 && n <= maxErrno },
	"MAINPID":             func(v string) bool { n, ok := decimal(v); return ok && n > 1 && n <= maxPID },
	"MONOTONIC_USEC":      isNumber,
	"EXTEND_TIMEOUT_USEC": func(v string) bool { n, ok := decimal(v); return ok && n > 0 && n < infinity },
	"WATCHDOG":            func(v string) bool { return v == "1" || v == "trigger" },
	"WATCHDOG_USEC":       isNumber,
	"NOTIFYACCESS":        isLine, "BUSERROR": isLine, "VARLINKERROR": isLine, "EXIT_STATUS": isLine,
	"MAINPIDFDID": isNumber, "MAINPIDFD": isOne, "RESTART_RESET": isOne,
	"FDSTORE": isOne, "FDSTOREREMOVE": isOne, "FDNAME": isLine, "FDPOLL": func(v string) bool { return v == "0" },
}

const (
	maxErrno = 4095 // ERRNO_MAX
	maxPID   = 1<<31 - 1
	infinity = 1<<64 - 1 // USEC_INFINITY
)

func isOne(v string) bool { return v == "1" }

func isLine(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

func isNumber(v string) bool { _, ok := decimal(v); return ok }

// decimal parses a number without a sign.
func decimal(v string) (uint64, bool) {
	n, err := strconv.ParseUint(v, 10, 64)
	return n, err == nil
}

// parse splits a datagram into lines, and reports errors in its format.
func (u *unit) parse(text string) notification {
	switch {
	case text == "":
		u.broken(ruleLines, "the service has sent an empty message")
		return nil
	case len(text) > sdnotify.Max:
		u.broken(ruleSize, "the service has sent a message of %d bytes", len(text))
		return nil // systemd drops the whole message
	case !utf8.ValidString(text):
		u.broken(ruleText, "the service has sent %q, which is not UTF-8", text)
	case strings.ContainsRune(text, 0):
		u.broken(ruleText, "the service has sent %q, which has a zero byte in it", text)
		return nil
	}
	n := notification(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	seen := map[string]bool{}
	for _, assignment := range n {
		key, value, ok := strings.Cut(assignment, "=")
		valid, listed := assignments[key]
		switch {
		case !ok || key == "":
			u.broken(ruleLines, "the service has sent a line %q in %q", assignment, text)
		case key == "BARRIER":
			u.broken(ruleBarrier, "the service has sent %q, without a descriptor", text)
		case !listed && !strings.HasPrefix(key, "X_"):
			u.broken(ruleUnknown, "the service has sent %q in %q", key, text)
		case seen[key]:
			u.broken(ruleTwice, "the service has sent %s twice in %q", key, text)
		case listed && !valid(value):
			u.broken(ruleValue, "the service has sent %q", assignment)
		}
		seen[key] = true
	}
	return n
}

// has reports whether n contains an assignment.
func (n notification) has(assignment string) bool {
	for _, a := range n {
		if a == assignment {
			return true
		}
	}
	return false
}

// get returns the value of a key. The first one counts.
func (n notification) get(key string) (string, bool) {
	for _, a := range n {
		if k, v, ok := strings.Cut(a, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// number returns the value of a key as a number.
func (n notification) number(key string) (uint64, bool) {
	v, _ := n.get(key)
	return decimal(v)
}
