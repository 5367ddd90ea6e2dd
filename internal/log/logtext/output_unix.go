//go:build unix

package logtext

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// output writes to a descriptor of its own without blocking. It leaves the flags of the
// original file alone, because everyone who has that file shares them.
type output struct {
	fd   int
	kind kind
	poll [1]unix.PollFd // used by Send
}

type kind uint8

const (
	ready  kind = iota // a write does not block: a regular file, or one that was reopened
	pipe               // or a terminal: a write blocks if there is no space
	socket             // systemd gives a service one as standard error
	none               // there is no file
)

func newOutput(f *os.File) *output {
	fd, err := duplicate(f)
	if err != nil {
		return &output{kind: none}
	}
	o := &output{fd: fd, kind: pipe}
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil {
		return o
	}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		o.kind = ready
	case unix.S_IFSOCK:
		if dontWait != 0 {
			o.kind = socket
		}
	default:
		if again, err := reopen(fd); err == nil {
			_ = unix.Close(fd)
			o.fd, o.kind = again, ready
		}
	}
	return o
}

// blocks reports whether Send may take any time.
func (*output) blocks() bool { return false }

// colour reports whether the file interprets escape sequences.
func (*output) colour() bool { return true }

// columns returns the width of a terminal, 0 if unknown.
func (o *output) columns() int {
	size, err := unix.IoctlGetWinsize(o.fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// Send writes the part of b that fits. It treats a missing reader and a full disk as
// temporary.
func (o *output) Send(b []byte) (n int, outcome queue.Outcome) {
	if o.kind == none {
		return 0, queue.Refused
	}
	for n < len(b) {
		m, err := o.write(b[n:])
		switch {
		case err == nil:
			n += m
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return n, queue.Full
		default:
			return n, queue.Gone
		}
	}
	return n, queue.Taken
}

// write writes a part of b.
func (o *output) write(b []byte) (int, error) {
	switch o.kind {
	case socket:
		return unix.SendmsgN(o.fd, b, nil, nil, dontWait)
	case pipe:
		o.poll[0] = unix.PollFd{Fd: int32(o.fd), Events: unix.POLLOUT}
		if n, err := unix.Poll(o.poll[:], 0); err != nil {
			return 0, err
		} else if n == 0 {
			return 0, unix.EAGAIN
		}
		b = b[:min(len(b), room)] // if there is any space, there is space for this much
	}
	return unix.Write(o.fd, b)
}

// Wait waits until there is space.
func (o *output) Wait(after queue.Outcome, d time.Duration) {
	if after != queue.Full {
		time.Sleep(d)
		return
	}
	fds := []unix.PollFd{{Fd: int32(o.fd), Events: unix.POLLOUT}}
	_, _ = unix.Poll(fds, int((d+time.Millisecond-1)/time.Millisecond))
}

// Unread returns 0: data in a pipe is not tracked further.
func (*output) Unread() int { return 0 }

// Close closes the descriptor.
func (o *output) Close() error {
	if o.kind == none {
		return nil
	}
	return unix.Close(o.fd)
}
