package sdnotify

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Client sends messages over one connected socket. Only one goroutine may use it at a time.
// A nil Client sends nothing.
type Client struct {
	addr address
	fd   int // -1 while not connected
}

// Dial returns a client for the address in NOTIFY_SOCKET, or nil if that is empty. If
// nothing listens at the address, Dial returns a client and an error: the client tries
// again with each message.
func Dial(notifySocket string) (*Client, error) {
	if notifySocket == "" {
		return nil, nil
	}
	addr, err := parseAddress(notifySocket)
	if err != nil {
		return nil, err
	}
	c := &Client{addr: addr, fd: -1}
	if err := c.connect(); err != nil {
		return c, fmt.Errorf("NOTIFY_SOCKET=%q: %w", notifySocket, err)
	}
	return c, nil
}

// Send sends m. If the receiver's queue is full, it waits for at most timeout and then
// returns an error that matches os.ErrDeadlineExceeded. If the connection was lost, Send
// connects again, once.
func (c *Client) Send(m Message, timeout time.Duration) error {
	if c == nil {
		return nil
	}
	return c.send(m, nil, timeout)
}

// Barrier waits for at most timeout until the manager has processed all messages sent
// before it. Then the sender may exit: systemd cannot tell which service a message belongs
// to once its sender has gone, unless the sender is its own child.
func (c *Client) Barrier(timeout time.Duration) error {
	if c == nil || c.addr.kind != unixgram {
		return nil // vsock does not carry descriptors
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return fmt.Errorf("barrier: %w", err)
	}
	defer func() { _ = unix.Close(p[0]) }()
	deadline := time.Now().Add(timeout)
	err := c.send(Message(barrier), unix.UnixRights(p[1]), timeout)
	_ = unix.Close(p[1])
	if err == nil {
		// The manager closes its end when it reads this message.
		err = waitFor(p[0], 0, time.Until(deadline))
	}
	if err != nil {
		return fmt.Errorf("barrier: %w", err)
	}
	return nil
}

// Close closes the connection.
func (c *Client) Close() error {
	if c == nil || c.fd < 0 {
		return nil
	}
	fd := c.fd
	c.fd = -1
	return unix.Close(fd)
}

func (c *Client) send(m Message, rights []byte, timeout time.Duration) error {
	if c.fd < 0 {
		if err := c.connect(); err != nil {
			return err
		}
	}
	err := c.write(m, rights, timeout)
	if isLost(err) {
		// The manager was restarted, or the stream has carried its one message.
		if err := c.connect(); err != nil {
			return err
		}
		err = c.write(m, rights, timeout)
	}
	return err
}

func (c *Client) write(m Message, rights []byte, timeout time.Duration) error {
	deadline := time.Time{}
	for {
		var err error
		if rights == nil {
			_, err = unix.Write(c.fd, m)
		} else {
			err = unix.Sendmsg(c.fd, m, rights, nil, 0)
		}
		switch {
		case err == nil && c.addr.kind >= vsockPacket:
			return c.finish(timeout)
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENOBUFS):
			return err
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(timeout)
		}
		if err := waitFor(c.fd, unix.POLLOUT, time.Until(deadline)); err != nil {
			return err
		}
	}
}

// finish ends a connection that carries one message. The receiver reads up to the end and
// then closes its side.
func (c *Client) finish(timeout time.Duration) error {
	defer func() { _ = c.Close() }()
	if err := unix.Shutdown(c.fd, unix.SHUT_WR); err != nil {
		return err
	}
	return waitFor(c.fd, unix.POLLIN, timeout)
}

// isLost reports whether err says that the connection is gone.
func isLost(err error) bool {
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOTCONN) ||
		errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}

// waitFor waits for events, or a hang-up, on fd.
func waitFor(fd int, events int16, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		left := time.Until(deadline)
		if left < 0 {
			left = 0
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, int((left+time.Millisecond-1)/time.Millisecond))
		switch {
		case n > 0:
			return nil
		case err == nil:
			return os.ErrDeadlineExceeded
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}

// Monotonic returns the time of CLOCK_MONOTONIC, the clock that systemd uses.
func Monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
