package sdnotify

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// connect replaces the connection with a new one.
func (c *Client) connect() error {
	_ = c.Close()
	switch c.addr.kind {
	case unixgram:
		return c.open(unix.AF_UNIX, unix.SOCK_DGRAM, &unix.SockaddrUnix{Name: c.addr.path})
	case vsockAny:
		// Few hypervisors carry datagrams. Fall back as sd_notify(3) does, and remember
		// what works.
		for k := vsockDatagram; ; k++ {
			err := c.vsock(k)
			if err == nil {
				c.addr.kind = k
			}
			if err == nil || k == vsockStream || !isUnsupported(err) {
				return err
			}
		}
	default:
		return c.vsock(c.addr.kind)
	}
}

func isUnsupported(err error) bool {
	for _, e := range []error{unix.ENODEV, unix.EOPNOTSUPP, unix.ESOCKTNOSUPPORT, unix.EPROTONOSUPPORT, unix.EPROTOTYPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (c *Client) vsock(k kind) error {
	typ := map[kind]int{
		vsockDatagram: unix.SOCK_DGRAM,
		vsockPacket:   unix.SOCK_SEQPACKET,
		vsockStream:   unix.SOCK_STREAM,
	}[k]
	return c.open(unix.AF_VSOCK, typ, &unix.SockaddrVM{CID: c.addr.cid, Port: c.addr.port})
}

func (c *Client) open(family, typ int, to unix.Sockaddr) error {
	fd, err := unix.Socket(family, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if family == unix.AF_VSOCK {
		bindPrivileged(fd)
	}
	err = unix.Connect(fd, to)
	if errors.Is(err, unix.EINPROGRESS) {
		err = awaitConnected(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("connect: %w", err)
	}
	c.fd = fd
	return nil
}

// connectTimeout limits a connection over vsock. A local socket accepts or refuses at once.
const connectTimeout = 1000 // ms

func awaitConnected(fd int) error {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, connectTimeout)
	if err != nil {
		return err
	}
	if n == 0 {
		return unix.ETIMEDOUT
	}
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	return err
}

// bindPrivileged binds fd to a port below 1024 if permitted. That shows a receiver outside
// this machine that the sender is privileged here.
func bindPrivileged(fd int) {
	for port := uint32(1023); port > 512; port-- {
		err := unix.Bind(fd, &unix.SockaddrVM{CID: unix.VMADDR_CID_ANY, Port: port})
		if !errors.Is(err, unix.EADDRINUSE) {
			return
		}
	}
}
