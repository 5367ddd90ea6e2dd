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
	"github.com/go-glidepath/glidepath/internal/service/files"
)

// Log writes a log file to w, and goes on with what is added to it if q says so. A file
// that is replaced or truncated is read from its beginning. A link is not followed: the
// folder is the service's own, and who reads the log may read more.
func Log(ctx context.Context, tree files.Tree, file string, q service.LogQuery, w io.Writer) error {
	f, err := tree.Open(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !q.Follow:
		return fmt.Errorf("there is no %s yet: the service has not been started, or has logged nothing", file)
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w to read %s: run it as root (sudo)", service.ErrPermission, file)
	case err != nil:
		return err
	default:
		if err := seek(f, q.Lines); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	defer func() {
		if f != nil {
			_ = f.Close()
		}
	}()
	for {
		if f != nil {
			if _, err := io.Copy(w, f); err != nil {
				return err
			}
		}
		if !q.Follow {
			return nil
		}
		tick := time.NewTimer(250 * time.Millisecond)
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil // who follows ends it this way
		case <-tick.C:
		}
		if f, err = current(f, tree, file); err != nil {
			return err
		}
	}
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
			if n--; n == 0 {
				_, err := f.Seek(at+int64(i)+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// current is f, or what is in its place now.
func current(f *os.File, tree files.Tree, file string) (*os.File, error) {
	now, err := os.Lstat(tree.Path(file))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil // it is about to be made anew
	}
	if err != nil {
		return f, err
	}
	if f != nil {
		own, err := f.Stat()
		if err != nil {
			return f, err
		}
		if os.SameFile(own, now) {
			if at, err := f.Seek(0, io.SeekCurrent); err == nil && at > now.Size() {
				_, err = f.Seek(0, io.SeekStart)
				return f, err
			}
			return f, nil
		}
		_ = f.Close()
	}
	return tree.Open(file)
}
