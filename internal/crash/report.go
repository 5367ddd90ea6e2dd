package crash

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Report describes a run that did not end with Close.
type Report struct {
	Run

	// Ended is the time when the runtime last wrote to the text, zero if there is no text.
	Ended time.Time

	// Text holds what the runtime wrote, at most MaxText bytes, as valid UTF-8. It is empty
	// if the run was killed or the machine went down.
	Text string

	// Size is the number of bytes that the runtime wrote.
	Size int64

	// File names the file with the text, "" if there is none.
	File string

	// Rebooted reports whether the machine has rebooted since the run began. It is always
	// false where boots have no ID: everywhere except on Linux and macOS.
	Rebooted bool
}

// Crashed reports whether the run left a text.
func (r Report) Crashed() bool { return r.Text != "" }

// Summary says in one short line how the run ended: the runtime's own line, or one inferred
// from the frames.
func (r Report) Summary() string {
	switch {
	case r.Crashed():
		return summary(r.Text)
	case r.Rebooted:
		return "the machine went down while it ran"
	default:
		return "it was killed, or exited without being stopped"
	}
}

// Fields returns the fields of the log record about the run, after Summary.
func (r Report) Fields() []zap.Field {
	fields := []zap.Field{
		logevent.Crashed.Field(), zap.String("version", r.Version), zap.Int("pid", r.PID),
		zap.String("how", r.Summary()), zap.Time("started", r.Started),
	}
	if r.Crashed() {
		fields = append(fields, zap.Time("ended", r.Ended), zap.String("file", r.File), zap.String("text", r.Text))
	}
	return fields
}

const maxSummary = 200

func summary(text string) string {
	for line := range strings.Lines(text) {
		for _, start := range []string{"panic: ", "fatal error: ", "SIG", "Exception ", "runtime: "} {
			if strings.HasPrefix(line, start) {
				return shorten(strings.TrimSpace(line))
			}
		}
		if strings.HasPrefix(line, "goroutine ") {
			break
		}
	}
	return "fatal error: " + inferError(text)
}

// inferError infers the runtime's error from the frames in text.
func inferError(text string) string {
	first := text // the part about the goroutine that failed, or about the runtime's own stack
	if i := strings.Index(strings.TrimLeft(text, "\n"), "\n\n"); i > 0 {
		first = text[:i+1]
	}
	for _, known := range []struct{ frame, text string }{
		{"internal/runtime/maps.fatal(", "concurrent use of a map"},
		{"runtime.mapaccess", "concurrent use of a map"},
		{"internal/sync.fatal(", "a lock that is not held was unlocked"},
		{"sync.fatal(", "a lock that is not held was unlocked"},
		{"runtime.newstack(", "stack overflow"},
		{"runtime.sysMap", "out of memory"},
		{"runtime.(*mheap).", "out of memory"},
		{"runtime.mallocgc", "out of memory"},
	} {
		if strings.Contains(first, "\n"+known.frame) {
			return known.text
		}
	}
	switch {
	case strings.Contains(first, "runtime.throw("), strings.Contains(first, "runtime.fatal("):
		return "see the text"
	case strings.HasPrefix(strings.TrimLeft(first, "\n"), "goroutine ") && !strings.Contains(first, " [running"):
		return "all goroutines are asleep: deadlock"
	}
	return "see the text"
}

func shorten(s string) string {
	s = plain(s)
	if len(s) <= maxSummary {
		return s
	}
	cut := maxSummary
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
