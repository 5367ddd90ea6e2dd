package logfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/DeRuina/timberjack"
	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/log/queue"
)

const (
	defaultSize = 100 // MB
	defaultKeep = 10
	mode        = 0o600
	retryEvery  = time.Second
)

// writer writes records to the file.
type writer struct {
	options Options
	notice  func(e zapcore.Entry, fields []zapcore.Field) ([]byte, error)
	now     func() time.Time

	mu      sync.Mutex
	path    string             // empty until the first record
	file    *timberjack.Logger // nil while no file is open
	closing chan error         // not nil while the file is being closed; records are still written meanwhile
	until   time.Time          // when to rotate by time
	tried   time.Time          // when opening the file last failed
	failure error              // the error from that attempt
	failing bool               // the last record was lost
	torn    bool               // a part of the last record was written
	losses  queue.Losses
}

func newWriter(o Options) *writer { return &writer{options: o, now: time.Now} }

// write writes a record. It returns an error only for the first of several records lost in
// a row.
func (w *writer) write(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.prepare()
	if err == nil {
		err = w.put(b)
	}
	first := !w.failing
	if w.failing = err != nil; !w.failing {
		return nil
	}
	w.losses.Add(1)
	if first {
		return err
	}
	return nil
}

// prepare opens the file if necessary, and writes the report about lost records.
func (w *writer) prepare() error {
	now := w.now()
	if w.file == nil {
		if err := w.open(now); err != nil {
			return err
		}
	}
	if w.options.RotateEvery > 0 && w.closing == nil && !now.Before(w.until) {
		if err := w.file.RotateWithReason("time"); err != nil {
			return err
		}
		w.until = endOfPeriod(now, w.options.RotateEvery)
	}
	if !w.losses.Due() {
		return nil
	}
	e, fields, upTo := w.losses.Announce("the log file")
	b, err := w.notice(e, fields)
	if err == nil {
		err = w.put(b)
	}
	if err == nil {
		w.losses.Told(upTo)
	} else {
		w.losses.Withdraw(0)
	}
	return err
}

func (w *writer) put(b []byte) error {
	if w.torn {
		if _, err := w.file.Write([]byte{'\n'}); err != nil {
			return err
		}
		w.torn = false
	}
	n, err := w.file.Write(b)
	w.torn = err != nil && n > 0
	return err
}

// open prepares the file. After a failure, it does not retry immediately.
func (w *writer) open(now time.Time) error {
	if w.failure != nil && now.Sub(w.tried) < retryEvery {
		return w.failure
	}
	w.tried = now
	modified, err := w.find()
	if w.failure = err; err != nil {
		return err
	}
	o := w.options
	w.file = &timberjack.Logger{Filename: w.path, FileMode: mode, LocalTime: true, Compression: "gzip", MaxSize: o.MaxSize, MaxBackups: o.Keep}
	switch {
	case o.MaxSize == 0:
		w.file.MaxSize = defaultSize
	case o.MaxSize < 0:
		w.file.MaxSize = math.MaxInt32
	}
	switch {
	case o.Keep == 0:
		w.file.MaxBackups = defaultKeep
	case o.Keep < 0:
		w.file.MaxBackups = 0
	}
	if o.Plain {
		w.file.Compression = "none"
	}
	if o.KeepFor > 0 {
		const day = 24 * time.Hour
		w.file.MaxAge = int((o.KeepFor + day - 1) / day)
	}
	if o.RotateEvery > 0 {
		w.until = endOfPeriod(modified, o.RotateEvery) // far in the past if there is no file, so that nothing is rotated
	}
	return nil
}

// find checks that the file may be opened. It returns the time when it was last modified,
// zero if it does not exist.
func (w *writer) find() (modified time.Time, err error) {
	switch o := w.options; {
	case w.path != "":
	case o.Path != "" && !filepath.IsAbs(o.Path):
		return time.Time{}, fmt.Errorf("logfile.Options.Path %q: want an absolute path", o.Path)
	case o.Path != "":
		w.path = o.Path
	case o.Name == "" || strings.ContainsAny(o.Name, `/\`):
		return time.Time{}, fmt.Errorf("logfile.Options.Name %q: want the name of the service, or a Path", o.Name)
	default:
		logs, err := dirs.Logs(o.Name)
		if err != nil {
			return time.Time{}, err
		}
		w.path = filepath.Join(logs, o.Name+".log")
	}
	if err := os.MkdirAll(filepath.Dir(w.path), 0o700); err != nil {
		return time.Time{}, err
	}
	info, err := os.Lstat(w.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	case !info.Mode().IsRegular(): // otherwise a user who can write in the folder could redirect the log
		return time.Time{}, fmt.Errorf("%s is not a regular file: remove it", w.path)
	}
	return info.ModTime(), nil
}

// close closes the file, which takes until a rotated file is compressed. Until then,
// records are still written: each opens the file that has the name.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	if w.file == nil {
		w.mu.Unlock()
		return nil
	}
	if w.closing == nil {
		w.closing = make(chan error, 1)
		go func(file *timberjack.Logger, done chan<- error) {
			err := file.Close()
			w.mu.Lock()
			w.file, w.closing = nil, nil
			w.mu.Unlock()
			done <- err
			close(done)
		}(w.file, w.closing)
	}
	done := w.closing
	w.mu.Unlock()
	select {
	case err := <-done: // nil for all callers except one
		return err
	case <-ctx.Done():
		return fmt.Errorf("a rotated file is still being compressed: %w", context.Cause(ctx))
	}
}

// endOfPeriod returns the end of the period that contains t: a multiple of every, in local time. A
// day has 23 or 25 hours when the clock changes.
func endOfPeriod(t time.Time, every time.Duration) time.Time {
	_, offset := t.Zone()
	next := t.Add(time.Duration(offset) * time.Second).UTC().Truncate(every).Add(every) // in wall clock time
	if every%(24*time.Hour) == 0 {
		return time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, t.Location())
	}
	return next.Add(-time.Duration(offset) * time.Second).In(t.Location())
}
