// Package servicelog lets a program that was written for kardianos/service keep its log
// calls. A [Logger] has the methods of that package's Logger, and writes to the log that
// package daemon has chosen for the host. It does not import kardianos/service.
//
// The levels map to those of zap: Error to error, Warning to warn, Info to info. Calls of
// Info are therefore not logged while the log level is warn, which an operator can set.
package servicelog

import (
	"fmt"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logger logs with the methods of kardianos/service, and with the name and the fields of
// its zap.Logger. The caller in a record is the caller of the method. The methods may be
// called from any goroutine. They always return nil: the log counts the records that it
// loses, and a program need not handle that.
type Logger struct{ log *zap.Logger }

// New returns a Logger that writes to log, such as that of daemon.Logger(ctx). If log is
// nil, it writes nothing.
func New(log *zap.Logger) *Logger {
	if log == nil {
		log = zap.NewNop()
	}
	return &Logger{log.WithOptions(zap.AddCallerSkip(2))} // skips the method and write
}

// Error logs v, formatted as by fmt.Sprint, at level error.
func (l *Logger) Error(v ...any) error {
	return l.write(zapcore.ErrorLevel, fmt.Sprint(v...))
}

// Warning logs v, formatted as by fmt.Sprint, at level warn.
func (l *Logger) Warning(v ...any) error {
	return l.write(zapcore.WarnLevel, fmt.Sprint(v...))
}

// Info logs v, formatted as by fmt.Sprint, at level info.
func (l *Logger) Info(v ...any) error {
	return l.write(zapcore.InfoLevel, fmt.Sprint(v...))
}

// Errorf logs a, formatted as by fmt.Sprintf, at level error.
func (l *Logger) Errorf(format string, a ...any) error {
	return l.write(zapcore.ErrorLevel, fmt.Sprintf(format, a...))
}

// Warningf logs a, formatted as by fmt.Sprintf, at level warn.
func (l *Logger) Warningf(format string, a ...any) error {
	return l.write(zapcore.WarnLevel, fmt.Sprintf(format, a...))
}

// Infof logs a, formatted as by fmt.Sprintf, at level info.
func (l *Logger) Infof(format string, a ...any) error {
	return l.write(zapcore.InfoLevel, fmt.Sprintf(format, a...))
}

// write logs msg without a newline at its end, which some programs add.
func (l *Logger) write(level zapcore.Level, msg string) error {
	l.log.Log(level, strings.TrimSuffix(msg, "\n"))
	return nil
}
