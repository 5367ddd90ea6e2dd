//go:build unix

package logtext

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// output writes to a descriptor without waiting longer than it is told to.
type output struct {
	file *os.File // whose descriptor it is
	fd   int      // where it writes: that of file, or the same opened again, where a write never waits
	kind kind
	own  bool // fd is ours to close
	poll [1]unix.PollFd
}

type kind uint8

const (
	plain  kind = iota // a regular file: it always has room
	pipe               // or a terminal
	socket             // as systemd gives a service for standard error
)

func newOutput(f *os.File) *output {
	o := &output{file: f, fd: descriptor(f), kind: pipe}
	var s unix.Stat_t
	if unix.Fstat(o.fd, &s) == nil {
		switch s.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			o.kind = plain
		case unix.S_IFSOCK:
			if dontWait != 0 {
				o.kind = socket
			}
		default:
			if fd, err := reopen(o.fd); err == nil {
				o.fd, o.own = fd, true
			}
		}
	}
	return o
}

// descriptor is that of f, as it is: f.Fd would have it block, for all who have it.
func descriptor(f *os.File) int {
	d := -1
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { d = int(fd) })
	}
	return d
}

// write returns how much of b was written. The error is os.ErrDeadlineExceeded if there
// was no room for the rest within wait.
func (o *output) write(b []byte, wait time.Duration) (n int, err error) {
	var deadline time.Time
	for n < len(b) {
		// There is room for this much at least, where there is room at all.
		chunk := b[n:]
		if o.kind == pipe && !o.own {
			chunk = chunk[:min(len(chunk), room)]
			if err := o.ready(wait, &deadline); err != nil {
				return n, err
			}
		}
		var m int
		if o.kind == socket {
			m, err = unix.SendmsgN(o.fd, chunk, nil, nil, dontWait)
		} else {
			m, err = unix.Write(o.fd, chunk)
		}
		switch {
		case err == nil:
			n += m
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := o.ready(wait, &deadline); err != nil {
				return n, err
			}
		default:
			return n, err
		}
	}
	return n, nil
}

// ready waits until there is room.
func (o *output) ready(wait time.Duration, deadline *time.Time) error {
	now := time.Now()
	if deadline.IsZero() {
		*deadline = now.Add(wait)
	}
	for {
		left := max(deadline.Sub(now), 0)
		o.poll[0] = unix.PollFd{Fd: int32(o.fd), Events: unix.POLLOUT}
		n, err := unix.Poll(o.poll[:], int((left+time.Millisecond-1)/time.Millisecond))
		switch {
		case n > 0:
			return nil
		case err == nil:
			return os.ErrDeadlineExceeded
		case !errors.Is(err, unix.EINTR):
			return err
		}
		now = time.Now()
	}
}

func (o *output) sync(time.Duration) error { return nil }

// close gives up a descriptor of our own. What comes later goes the other way.
func (o *output) close(time.Duration) error {
	if !o.own {
		return nil
	}
	fd := o.fd
	o.fd, o.own = descriptor(o.file), false
	return unix.Close(fd)
}
