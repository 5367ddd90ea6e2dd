// Package records defines what the logs of all service managers consist of: records with a
// time, a level, a message and fields. The package of each manager reads them from what its
// host keeps. A [View] selects the wanted ones and writes them in one form, as text or JSON.
package records

import (
	"strings"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// Record is a record of a log.
type Record struct {
	zapcore.Entry // its time is zero if the log has none
	Fields        []zapcore.Field
	PID           int // of the process that has logged it, 0 if the log has none
}

// Size returns about how many bytes of memory the record takes.
func (r *Record) Size() int {
	n := 200 + len(r.Message) + len(r.Stack)
	for _, f := range r.Fields {
		n += 100 + len(f.Key) + len(f.String)
	}
	return n
}

// Severity returns the level for a syslog severity, 0 to 7.
func Severity(n int) zapcore.Level {
	switch {
	case n <= 2:
		return zapcore.FatalLevel
	case n == 3:
		return zapcore.ErrorLevel
	case n == 4:
		return zapcore.WarnLevel
	case n >= 7:
		return zapcore.DebugLevel
	}
	return zapcore.InfoLevel
}

// Lowest returns the lowest wanted level, and false if all levels are wanted.
func Lowest(wanted zapcore.LevelEnabler) (zapcore.Level, bool) {
	if wanted == nil {
		return zapcore.DebugLevel, false
	}
	for l := zapcore.DebugLevel; l < zapcore.FatalLevel; l++ {
		if wanted.Enabled(l) {
			return l, l > zapcore.DebugLevel
		}
	}
	return zapcore.FatalLevel, true
}

// restoreEvents turns fields back into what they were when they were logged: an event of the
// run, or a level without a name.
func restoreEvents(fields []zapcore.Field) {
	for i, f := range fields {
		if f.Type != zapcore.StringType && f.Type != zapcore.Int64Type {
			continue
		}
		switch f.Key {
		case logevent.Key:
			for _, e := range logevent.All() {
				if e.String() == f.String {
					fields[i] = e.Field()
				}
			}
		case logmeta.NumberKey:
			if f.Type == zapcore.Int64Type {
				fields[i] = logmeta.Level(f.Integer - 9).Field()
			}
		}
	}
}

// levelNamed returns the level with that name, in any form in which package logtext writes
// it.
func levelNamed(name string) (zapcore.Level, bool) {
	name, _, _ = strings.Cut(name, "+")
	switch strings.ToLower(name) {
	case "debug":
		return zapcore.DebugLevel, true
	case "info", "notice":
		return zapcore.InfoLevel, true
	case "warn", "warning":
		return zapcore.WarnLevel, true
	case "error":
		return zapcore.ErrorLevel, true
	case "dpanic":
		return zapcore.DPanicLevel, true
	case "panic", "critical":
		return zapcore.PanicLevel, true
	case "fatal", "alert", "emergency":
		return zapcore.FatalLevel, true
	}
	return zapcore.InfoLevel, false
}

// parseCaller parses a place in the source, FILE:LINE.
func parseCaller(text string) zapcore.EntryCaller {
	file, line, ok := cutLast(text, ":")
	n, valid := parseDigits(line)
	if !ok || !valid {
		return zapcore.EntryCaller{}
	}
	return zapcore.EntryCaller{Defined: true, File: file, Line: n}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// parseDigits parses a number of at most nine decimal digits.
func parseDigits(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// Time parses a time in the format of RFC 3339. It returns the zero time if text is none.
func Time(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
