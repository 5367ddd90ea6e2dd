// Package servicelog lets a program that was written for kardianos/service go on
// logging as it does: a [Logger] has the methods of that package's Logger, and writes to
// the log that this library has chosen for the host. Nothing of kardianos/service is
// linked for it.
//
// Its levels become those of zap: Error is error, Warning is warn, Info is info. What
// Info logs so is not there while the level of the log is warn, as an operator can set it.
package servicelog

import (
	"fmt"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Logger logs in the manner of kardianos/service, with the fields and the name that its
// zap.Logger has. Where that says who has logged a line, it is the caller of the method.
// The methods may be called from any goroutine. They return nil, always: what a log
// could not take is counted there, and no reason for a program to do anything else.
type Logger struct{ log *zap.Logger }

// New returns a Logger that writes to log, as that of daemon.Logger(ctx). One of nil
// writes nothing.
func New(log *zap.Logger) *Logger {
	if log == nil {
		log = zap.NewNop()
	}
	return &Logger{log.WithOptions(zap.AddCallerSkip(2))} // the method, and write
}

// Error logs v, as fmt.Sprint has it, at level error.
func (l *Logger) Error(v ...any) error {
	return l.write(zapcore.ErrorLevel, fmt.Sprint(v...))
}

// Warning logs v, as fmt.Sprint has it, at level warn.
func (l *Logger) Warning(v ...any) error {
	return l.write(zapcore.WarnLevel, fmt.Sprint(v...))
}

// Info logs v, as fmt.Sprint has it, at level info.
func (l *Logger) Info(v ...any) error {
	return l.write(zapcore.InfoLevel, fmt.Sprint(v...))
}

// Errorf logs a, as fmt.Sprintf has it, at level error.
func (l *Logger) Errorf(format string, a ...any) error {
	return l.write(zapcore.ErrorLevel, fmt.Sprintf(format, a...))
}

// Warningf logs a, as fmt.Sprintf has it, at level warn.
func (l *Logger) Warningf(format string, a ...any) error {
	return l.write(zapcore.WarnLevel, fmt.Sprintf(format, a...))
}

// Infof logs a, as fmt.Sprintf has it, at level info.
func (l *Logger) Infof(format string, a ...any) error {
	return l.write(zapcore.InfoLevel, fmt.Sprintf(format, a...))
}

// write is without the end of a line, which some give to a logger that adds its own.
func (l *Logger) write(level zapcore.Level, msg string) error {
	l.log.Log(level, strings.TrimSuffix(msg, "\n"))
	return nil
}
