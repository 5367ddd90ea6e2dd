//go:build unix

package syslog

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connection is a connection to a syslogd, over datagrams or a stream.
type connection struct {
	conn   *net.UnixConn
	raw    syscall.RawConn
	stream bool

	// What attempt sends, and what became of it: as fields they cost no allocation.
	b       []byte
	wait    time.Duration
	err     error
	attempt func(fd uintptr)
	poll    [1]unix.PollFd
}

func (c *connection) dial(path string) error {
	var conn *net.UnixConn
	var errs []error
	for _, network := range []string{"unixgram", "unix"} {
		var err error
		if conn, err = net.DialUnix(network, nil, &net.UnixAddr{Name: path, Net: network}); err == nil {
			c.stream = network == "unix"
			break
		}
		errs = append(errs, err)
		if !errors.Is(err, unix.EPROTOTYPE) {
			break // a stream would find the same
		}
	}
	if conn == nil {
		return errors.Join(errs...)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.conn, c.raw, c.attempt = conn, raw, c.try
	return nil
}

func (c *connection) open() bool { return c.conn != nil }

func (c *connection) close() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn, c.raw = nil, nil
	return err
}

// send sends one message. The error is os.ErrDeadlineExceeded if it was not taken within
// wait, and errGone if nobody listens any more.
func (c *connection) send(message []byte, wait time.Duration) error {
	if c.stream {
		message = append(message, '\n')
	}
	c.b, c.wait, c.err = message, wait, nil
	if err := c.raw.Control(c.attempt); err != nil {
		return err
	}
	err := c.err
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOTCONN), errors.Is(err, unix.ECONNRESET),
		errors.Is(err, unix.EPIPE), errors.Is(err, unix.EDESTADDRREQ), errors.Is(err, unix.ENOENT):
		_ = c.close()
		return fmt.Errorf("%w: %w", errGone, err)
	case c.stream && len(c.b) < len(message):
		_ = c.close() // half a message is in it: what came next would be the other half
	}
	return err
}

// try writes c.b, and leaves there what it could not write.
func (c *connection) try(fd uintptr) {
	var deadline time.Time
	for len(c.b) > 0 {
		n, err := unix.Write(int(fd), c.b)
		switch {
		case err == nil:
			c.b = c.b[n:]
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENOBUFS):
			c.err = err
			return
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(c.wait)
		}
		if c.err = c.ready(fd, deadline, errors.Is(err, unix.ENOBUFS)); c.err != nil {
			return
		}
	}
}

// ready waits until there is room. Where a full queue gives ENOBUFS, as on the BSDs, the
// socket is ready all the time, and only time passes.
func (c *connection) ready(fd uintptr, deadline time.Time, always bool) error {
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		c.poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}
		if always {
			left = min(left, time.Millisecond)
			c.poll[0].Events = 0
		}
		n, err := unix.Poll(c.poll[:], int((left+time.Millisecond-1)/time.Millisecond))
		switch {
		case n > 0, err == nil && always:
			return nil
		case err == nil:
			return os.ErrDeadlineExceeded
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}
