package journal

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// sendBuffer is the size of the socket's buffer in bytes. Records of this size fit too, if
// the kernel allows it.
const sendBuffer = 8 << 20

// socket is a connection to journald. Its owner locks connect and send.
type socket struct{ fd int }

func (s *socket) open(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	s.fd = fd
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer) // the kernel may grant less
	}
	if err := s.connect(path); err != nil {
		s.close()
		return err
	}
	return nil
}

// connect connects to the current listener.
func (s *socket) connect(path string) error {
	return unix.Connect(s.fd, &unix.SockaddrUnix{Name: path})
}

func (s *socket) close() { _ = unix.Close(s.fd) }

// send sends one record without waiting.
func (s *socket) send(b []byte) queue.Outcome {
	for {
		err := s.write(b)
		switch err {
		case nil:
			return queue.Taken
		case unix.EINTR:
		case unix.EMSGSIZE, unix.ENOBUFS:
			return s.sendSealed(b)
		default:
			return outcome(err)
		}
	}
}

// write writes a record. For a small one it does not inform Go's scheduler: the socket does
// not block, and informing it takes half as long as encoding the record. sendto takes a
// shorter path through the kernel than write.
func (s *socket) write(b []byte) error {
	const small = 4096
	if len(b) > small {
		return unix.Send(s.fd, b, unix.MSG_NOSIGNAL)
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func outcome(err error) queue.Outcome {
	switch err {
	case nil:
		return queue.Taken
	case unix.EAGAIN, unix.ETOOMANYREFS: // too many descriptors are in flight
		return queue.Full
	case unix.ECONNREFUSED, unix.ECONNRESET, unix.ENOTCONN, unix.EPIPE, unix.ENOENT:
		return queue.Gone
	}
	return queue.Refused
}

// sendSealed sends a record that is too large for the socket, as the descriptor of sealed
// memory.
func (s *socket) sendSealed(b []byte) queue.Outcome {
	if !s.wait(queue.Full, 0) {
		return queue.Full // before allocating memory for nothing
	}
	fd, err := sealed(b)
	if err != nil {
		return queue.Refused
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		err := unix.Sendmsg(s.fd, nil, unix.UnixRights(fd), nil, 0)
		if err != unix.EINTR {
			return outcome(err)
		}
	}
}

// sealed returns the descriptor of memory that contains b and cannot change any more.
func sealed(b []byte) (int, error) {
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	// Some machines require that memory is declared as not executable. Older kernels do not
	// know this flag.
	fd, err := unix.MemfdCreate("journal-record", flags|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("journal-record", flags)
	}
	if err != nil {
		return -1, err
	}
	for err == nil && len(b) > 0 {
		var n int
		n, err = unix.Write(fd, b)
		if errors.Is(err, unix.EINTR) {
			err = nil
		}
		b = b[max(n, 0):]
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// wait waits for at most d until sending again may succeed. It reports whether the socket
// has room. It needs no lock.
func (s *socket) wait(after queue.Outcome, d time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	if after != queue.Full {
		fds = nil // an unconnected socket would be ready at once
	}
	timeout := unix.NsecToTimespec(d.Nanoseconds())
	n, err := unix.Ppoll(fds, &timeout, nil)
	return err == nil && n > 0
}

// unread returns how many bytes journald has not read yet.
func (s *socket) unread() int {
	n, err := unix.IoctlGetInt(s.fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}
