package crash

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// Report is what a run has left that did not end with Close.
type Report struct {
	Run

	// Ended is when the runtime wrote the last of the text, zero if there is none.
	Ended time.Time

	// Text is what the runtime wrote, at most MaxText bytes of it, as valid UTF-8. It is
	// empty if the run ended without a word: it was killed, or the machine went down.
	Text string

	// Size is how many bytes the runtime wrote.
	Size int64

	// File is where the text is filed, "" if there is none.
	File string

	// Rebooted says that the machine has been started anew since the run began. It is
	// never set where boots have no name: everywhere but Linux and macOS.
	Rebooted bool
}

// Crashed reports whether the run has left a text.
func (r Report) Crashed() bool { return r.Text != "" }

// Summary is how the run ended, in one short line: the line of the runtime that says so,
// or what its frames say.
func (r Report) Summary() string {
	switch {
	case r.Crashed():
		return summary(r.Text)
	case r.Rebooted:
		return "the machine went down while it ran"
	default:
		return "it was killed, or has exited without having been stopped"
	}
}

// Fields are what a record of the log says of it, after Summary.
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
				return short(strings.TrimSpace(line))
			}
		}
		if strings.HasPrefix(line, "goroutine ") {
			break
		}
	}
	return "fatal error: " + fatal(text)
}

// fatal tells by its frames what error of the runtime a text is of.
func fatal(text string) string {
	first := text // that of the goroutine, or of the runtime's own stack, that failed
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

func short(s string) string {
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
