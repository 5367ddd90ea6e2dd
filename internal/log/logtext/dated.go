package logtext

import (
	"strings"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/log/logmeta"
)

// NewDated returns a Text whose records begin with their time and level, for somebody who
// reads the log of another process:
//
//	2006-01-02T15:04:05.000+01:00 INFO  web: listening addr=:8080
//
// The time is local; it is "-" if the record has none.
func NewDated() Text { return Text{newLines(style{begin: beginDated}).(*lines)} }

func beginDated(b []byte, e zapcore.Entry, m *logmeta.Meta, _ bool) []byte {
	if e.Time.IsZero() {
		b = append(b, '-')
	} else {
		b = e.Time.Local().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	b = append(b, ' ')
	start := len(b)
	b = appendLevel(b, e.Level, m)
	return append(b, spaces[:max(len("ERROR")+1-(len(b)-start), 1)]...)
}

// LevelPrefix returns what stands before a message where nothing else tells its level: the
// word for it and a space, "" for info.
func LevelPrefix(l zapcore.Level) string {
	if word := levelWord(l); word != "INFO" {
		return word + " "
	}
	return ""
}

// CutLevelPrefix returns the level that LevelPrefix has put before a message, and what is
// behind it. Without one it is info.
func CutLevelPrefix(text string) (level zapcore.Level, message string) {
	for _, l := range []zapcore.Level{zapcore.DebugLevel, zapcore.WarnLevel, zapcore.ErrorLevel, zapcore.PanicLevel, zapcore.FatalLevel} {
		if rest, ok := strings.CutPrefix(text, LevelPrefix(l)); ok {
			return l, rest
		}
	}
	return zapcore.InfoLevel, text
}
