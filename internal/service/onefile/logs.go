package onefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// Log writes the records of a log file to w, and goes on with what is added to it if q says so. A file
// that is replaced or truncated is read from its beginning. A link is not followed: the
// folder is the service's own, and who reads the log may read more.
func Log(ctx context.Context, tree files.Tree, file string, q service.LogQuery, w io.Writer) error {
	t := NewTail(tree, file)
	defer t.Close()
	last := 0
	if records.All(q) {
		last = q.Lines
	}
	err := t.Open(last)
	if err == nil && t.Written().Before(q.Since) { // not all lines of a file say when they were written
		err = t.End()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !q.Follow:
		return fmt.Errorf("there is no %s yet: the service has not been started, or has logged nothing", file)
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return Unreadable(file, err)
	}
	plain := records.Plain{View: records.NewView(q, w)}
	lines := records.Lines{To: plain.Line}
	for first := true; ; first = false {
		err := t.Copy(&lines)
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
		if !Later(ctx) {
			return nil // who follows ends it this way
		}
	}
}

// Unreadable says what to do about a log that cannot be read.
func Unreadable(file string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, file)
	}
	return err
}

// Later waits until a log that is followed is to be read again. It returns false when ctx
// ends.
func Later(ctx context.Context) bool {
	tick := time.NewTimer(250 * time.Millisecond)
	defer tick.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-tick.C:
		return true
	}
}

// Tail is a log file that is read as it grows.
type Tail struct {
	tree files.Tree
	file string
	f    *os.File // nil until there is one
}

// NewTail is the tail of a file that need not be there yet. It begins with the file.
func NewTail(tree files.Tree, file string) *Tail { return &Tail{tree: tree, file: file} }

// Open opens the file at the beginning of its last lines, at its own for 0. A line that is
// indented belongs to the one before it.
func (t *Tail) Open(lines int) error {
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

// End goes to the end of the file.
func (t *Tail) End() error {
	_, err := t.f.Seek(0, io.SeekEnd)
	return err
}

// Close closes the file.
func (t *Tail) Close() {
	if t.f != nil {
		_ = t.f.Close()
		t.f = nil
	}
}

// Copy writes what has been added to the file. If another is in its place by now, that
// follows; who has written the first may have added to it until then.
func (t *Tail) Copy(w io.Writer) error {
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
			t.Close()
		}
		if t.f, err = t.tree.Open(t.file); errors.Is(err, fs.ErrNotExist) {
			return nil // it is about to be made anew
		} else if err != nil {
			return err
		}
	}
}

// replaced reports whether another file is there now. One that was truncated is read from
// its beginning the next time.
func (t *Tail) replaced() (bool, error) {
	now, err := os.Lstat(t.tree.Path(t.file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil // it is about to be made anew
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

// Written is when the file was last written to, zero if that is not known.
func (t *Tail) Written() time.Time {
	if t.f == nil {
		return time.Time{}
	}
	info, err := t.f.Stat()
	if err != nil || info.Size() == 0 {
		return time.Time{}
	}
	return info.ModTime()
}
