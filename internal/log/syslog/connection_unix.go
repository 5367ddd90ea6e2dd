//go:build unix

package syslog

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// connection sends datagrams or a stream to a syslogd.
type connection struct {
	conn   atomic.Pointer[net.UnixConn] // read by wait while others use the rest
	raw    syscall.RawConn
	stream bool

	// The argument and the results of attempt. As fields they need no allocation.
	b       []byte
	n       int
	err     error
	attempt func(fd uintptr)
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
			break // a stream would have the same result
		}
	}
	if conn == nil {
		return errors.Join(errs...)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	c.raw, c.attempt = raw, c.write
	c.conn.Store(conn)
	return nil
}

func (c *connection) close() error {
	conn := c.conn.Swap(nil)
	if conn == nil {
		return nil
	}
	return conn.Close()
}

// send sends messages that each end with a newline, as many as there is room for. If
// nothing listens any more, it closes the connection.
func (c *connection) send(messages []byte) (n int, outcome queue.Outcome) {
	if c.conn.Load() == nil {
		return 0, queue.Gone
	}
	for n < len(messages) {
		if c.b = messages[n:]; !c.stream {
			c.b = c.b[:bytes.IndexByte(c.b, '\n')]
		}
		if c.n, c.err = 0, nil; len(c.b) > 0 {
			if err := c.raw.Control(c.attempt); err != nil {
				c.err = err
			}
		}
		switch {
		case c.err == nil:
		case errors.Is(c.err, unix.EAGAIN), errors.Is(c.err, unix.ENOBUFS): // the BSDs return this if the buffer is full
			return n, queue.Full
		case errors.Is(c.err, unix.EMSGSIZE):
			return n, queue.Refused
		default:
			_ = c.close()
			return n, queue.Gone
		}
		if n += c.n; !c.stream {
			n++
		}
	}
	return n, queue.Taken
}

// write writes c.b, or to a stream the part of it that fits.
func (c *connection) write(fd uintptr) {
	for {
		c.n, c.err = unix.Write(int(fd), c.b)
		if !errors.Is(c.err, unix.EINTR) {
			return
		}
	}
}

// wait waits for at most d until there is room.
func (c *connection) wait(d time.Duration) {
	conn := c.conn.Load()
	if conn == nil {
		time.Sleep(d)
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, _ = unix.Poll(fds, int((d+time.Millisecond-1)/time.Millisecond))
	})
}
