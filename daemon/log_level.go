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

// level is the level of the log, which changes while the run goes on.
type level struct {
	zap.AtomicLevel
	fixed bool          // the log is the program's, and nobody has said what its level is
	first zapcore.Level // where nothing says another
	debug bool          // of this start, whatever else is said
	file  string        // an operator's, "" if nobody looks for one
	read  func(path string) ([]byte, error)

	mu sync.Mutex // between one who sets it and another
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

// errFixed is a level that cannot be changed.
var errFixed = errors.New("the level of Config.Logger stays what it is: give Config.LogLevel the level that it goes by")

// configured is the level that is configured now.
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

// readSmall reads the beginning of a file, and never waits for one that is none.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, 64))
}

// parseLevel knows the levels of zap, and what syslog calls them.
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

// readLevel sets the level to what is configured now: at the start, when detail is "" and
// there is nothing to say of it, and at each reload.
func (r *run) readLevel(detail string) {
	v, err := r.level.configured() // which may take as long as a disk does
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

// stepLevel makes the log more verbose by one level, or less where by is 1.
func (r *run) stepLevel(by zapcore.Level, detail string) {
	r.level.mu.Lock()
	defer r.level.mu.Unlock()
	r.setLevel(min(max(r.level.Level()+by, zapcore.DebugLevel), zapcore.ErrorLevel), detail)
}

// setLevel sets it, and says so in a record that is in the log before and after.
func (r *run) setLevel(to zapcore.Level, detail string) {
	from := r.level.Level()
	at := max(zapcore.InfoLevel, min(from, to))
	r.level.SetLevel(min(from, at)) // no lower than this record needs, or others came before it
	r.book.add(at, "the level of the log is "+to.String(), "",
		zap.Stringer("from", from), zap.Stringer("to", to), zap.String("detail", detail), logevent.LevelChanged.Field())
	r.level.SetLevel(to)
}
