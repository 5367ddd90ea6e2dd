package syslogfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
)

// WriteFile writes the records of a log file to w, and goes on with what is added to it if q
// says so. A file that is replaced or truncated is read from its beginning. Links are not
// followed: the folder is the service's own, and whoever reads the log may read more.
func WriteFile(ctx context.Context, tree files.Tree, file string, q manage.LogQuery, w io.Writer) error {
	t := newTail(tree, file)
	defer t.close()
	last := 0
	if records.All(q) {
		last = q.Lines
	}
	err := t.open(last)
	if err == nil && t.written().Before(q.Since) { // not all lines of a file say when they were written
		err = t.end()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !q.Follow:
		return fmt.Errorf("there is no %s yet: the service has not been started, or has logged nothing", file)
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return unreadable(file, err)
	}
	plain := records.Plain{View: records.NewView(q, w)}
	lines := records.Lines{To: plain.Line}
	for first := true; ; first = false {
		err := t.copy(&lines)
		if err == nil && !q.Follow {
			err = lines.End()
		}
		if err == nil {
			err = plain.End()
		}
		if err == nil && first {
			err = plain.View.Flush()
		}
		if err != nil || !q.Follow {
			return err
		}
		if !later(ctx) {
			return nil // this is how somebody who follows ends it
		}
	}
}

// unreadable says what to do about a log that cannot be read.
func unreadable(file string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, file)
	}
	return err
}

// later waits until a log that is followed is to be read again. It returns false when ctx
// ends.
func later(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(250 * time.Millisecond):
		return true
	}
}

// tail is a log file that is read as it grows.
type tail struct {
	tree files.Tree
	file string
	f    *os.File // nil until there is one
}

// newTail returns the tail of a file that need not exist yet. It begins with the file.
func newTail(tree files.Tree, file string) *tail { return &tail{tree: tree, file: file} }

// open opens the file at the beginning of its last lines, at its own for 0. A line that is
// indented belongs to the one before it.
func (t *tail) open(lines int) error {
	f, err := t.tree.Open(t.file)
	if err != nil {
		return err
	}
	if err := seek(f, lines); err != nil {
		return errors.Join(err, f.Close())
	}
	t.f = f
	return nil
}

// end goes to the end of the file.
func (t *tail) end() error {
	_, err := t.f.Seek(0, io.SeekEnd)
	return err
}

// close closes the file.
func (t *tail) close() {
	if t.f != nil {
		_ = t.f.Close()
		t.f = nil
	}
}

// copy writes what has been added to the file. If another is in its place by now, that
// follows; its writer may have added to the first one until then.
func (t *tail) copy(w io.Writer) error {
	for {
		if t.f != nil {
			if _, err := io.Copy(w, t.f); err != nil {
				return err
			}
		}
		other, err := t.replaced()
		if err != nil || !other {
			return err
		}
		if t.f != nil {
			if _, err := io.Copy(w, t.f); err != nil {
				return err
			}
			t.close()
		}
		if t.f, err = t.tree.Open(t.file); errors.Is(err, fs.ErrNotExist) {
			return nil // it is about to be made again
		} else if err != nil {
			return err
		}
	}
}

// replaced reports whether another file is there now. One that was truncated is read from
// its beginning the next time.
func (t *tail) replaced() (bool, error) {
	now, err := os.Lstat(t.tree.Path(t.file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil // it is about to be made again
	case err != nil:
		return false, err
	case t.f == nil:
		return true, nil
	}
	own, err := t.f.Stat()
	if err != nil || !os.SameFile(own, now) {
		return true, err
	}
	at, err := t.f.Seek(0, io.SeekCurrent)
	if err == nil && at > now.Size() {
		_, err = t.f.Seek(0, io.SeekStart)
	}
	return false, err
}

// seek puts f to the beginning of the last n lines, 0 for all.
func seek(f *os.File, n int) error {
	if n <= 0 {
		return nil
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for at := end; at > 0; {
		size := min(at, int64(len(block)))
		at -= size
		b := block[:size]
		if _, err := f.ReadAt(b, at); err != nil {
			return err
		}
		for i := bytes.LastIndexByte(b, '\n'); i >= 0; i = bytes.LastIndexByte(b[:i], '\n') {
			if at+int64(i) == end-1 {
				continue // the end of the last line
			}
			next := []byte{0}
			if i+1 < len(b) {
				next[0] = b[i+1]
			} else if _, err := f.ReadAt(next, at+int64(i)+1); err != nil {
				return err
			}
			if next[0] == ' ' || next[0] == '\t' || next[0] == '\n' {
				continue // no record begins there
			}
			if n--; n == 0 {
				_, err := f.Seek(at+int64(i)+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// written returns when the file was last written to, zero if that is not known.
func (t *tail) written() time.Time {
	if t.f == nil {
		return time.Time{}
	}
	info, err := t.f.Stat()
	if err != nil || info.Size() == 0 {
		return time.Time{}
	}
	return info.ModTime()
}
