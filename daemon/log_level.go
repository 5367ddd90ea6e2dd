package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
)

// level holds the level of the log, which can change during the run.
type level struct {
	zap.AtomicLevel
	fixed bool          // the log is the program's, and its level is unknown
	first zapcore.Level // the default
	debug bool          // this start logs at debug, whatever is configured
	file  string        // where an operator sets the level, "" if the run reads no file
	read  func(path string) ([]byte, error)

	mu sync.Mutex // held while the level is set
}

func newLevel(c Config, own bool) *level {
	l := &level{AtomicLevel: c.LogLevel, read: readSmall, fixed: c.LogLevel == zap.AtomicLevel{}}
	if l.fixed {
		l.AtomicLevel = zap.NewAtomicLevel()
		l.fixed = c.Logger != nil
	}
	l.first = l.AtomicLevel.Level()
	if own {
		l.debug = os.Getenv("DEBUG_INVOCATION") == "1" // systemd.exec(5): RestartMode=debug
		if dir := dirs.Find(c.Name).Configuration; dir != "" {
			l.file = filepath.Join(dir, "log-level")
		}
	}
	return l
}

// errFixed is returned if the level of the log cannot be changed.
var errFixed = errors.New("the level of Config.Logger cannot be changed: set Config.LogLevel to the logger's AtomicLevel")

// configured returns the level that is configured now.
func (l *level) configured() (zapcore.Level, error) {
	if l.debug {
		return zapcore.DebugLevel, nil
	}
	if l.file == "" {
		return l.first, nil
	}
	b, err := l.read(l.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return 0, fmt.Errorf("read the level of the log: %w", err)
	}
	what, text := l.file, strings.TrimSpace(string(b))
	if text == "" {
		what, text = "LOG_LEVEL", os.Getenv("LOG_LEVEL")
	}
	if text == "" {
		return l.first, nil
	}
	v, ok := parseLevel(text)
	if !ok {
		return 0, fmt.Errorf("%s is %q: want debug, info, warn or error", what, text)
	}
	return v, nil
}

// readSmall reads the beginning of a regular file. It does not wait for anything else, such
// as a pipe.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, 64))
}

// parseLevel parses the name of a level of zap, and the names and numbers of syslog.
func parseLevel(s string) (zapcore.Level, bool) {
	switch s := strings.ToLower(s); s {
	case "debug", "7", "trace":
		return zapcore.DebugLevel, true
	case "info", "6", "notice", "5":
		return zapcore.InfoLevel, true
	case "warn", "warning", "4":
		return zapcore.WarnLevel, true
	case "error", "err", "3":
		return zapcore.ErrorLevel, true
	}
	return 0, false
}

// readLevel sets the level to the one that is configured now. At the start detail is empty,
// and the change is not logged; at a reload it is.
func (r *run) readLevel(detail string) {
	v, err := r.level.configured() // may wait for a disk, so before the lock
	r.level.mu.Lock()
	defer r.level.mu.Unlock()
	switch {
	case err != nil:
		r.warn("the level of the log stays what it is", zap.Error(err))
	case v == r.level.Level():
	case r.level.fixed:
		r.warn("the level of the log stays what it is", zap.Error(errFixed))
	case detail == "":
		r.level.SetLevel(v)
	default:
		r.setLevel(v, detail)
	}
}

// stepLevel changes the level by one: -1 makes the log more verbose, and 1 less.
func (r *run) stepLevel(by zapcore.Level, detail string) {
	r.level.mu.Lock()
	defer r.level.mu.Unlock()
	r.setLevel(min(max(r.level.Level()+by, zapcore.DebugLevel), zapcore.ErrorLevel), detail)
}

// setLevel sets the level, and logs that in a record which both levels let through.
func (r *run) setLevel(to zapcore.Level, detail string) {
	from := r.level.Level()
	at := max(zapcore.InfoLevel, min(from, to))
	r.level.SetLevel(min(from, at)) // no lower than this record needs, or other records could come before it
	r.book.add(at, "the level of the log is "+to.String(), "",
		zap.Stringer("from", from), zap.Stringer("to", to), zap.String("detail", detail), logevent.LevelChanged.Field())
	r.level.SetLevel(to)
}
