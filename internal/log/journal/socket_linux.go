package journal

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// sendBuffer is how much may wait in the socket, in bytes. It takes in records of this
// size too, where the kernel allows it.
const sendBuffer = 8 << 20

// socket is a connection to journald. connect needs the lock of its owner, as send
// does.
type socket struct{ fd int }

func (s *socket) open(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	s.fd = fd
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer) // as much as one may
	}
	if err := s.connect(path); err != nil {
		s.close()
		return err
	}
	return nil
}

// connect connects to whoever listens now.
func (s *socket) connect(path string) error {
	return unix.Connect(s.fd, &unix.SockaddrUnix{Name: path})
}

func (s *socket) close() { _ = unix.Close(s.fd) }

// send sends one record. It does not wait.
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

// write writes a record. Of a small one the scheduler of Go is not told: the socket does
// not wait, and to tell it takes half as long as to make the record. sendto is a shorter
// way through the kernel than write.
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
	case unix.EAGAIN, unix.ETOOMANYREFS: // so many descriptors are on their way
		return queue.Full
	case unix.ECONNREFUSED, unix.ECONNRESET, unix.ENOTCONN, unix.EPIPE, unix.ENOENT:
		return queue.Gone
	}
	return queue.Refused
}

// sendSealed sends a record that is too large for the socket, as the descriptor of
// memory that nobody can change any more.
func (s *socket) sendSealed(b []byte) queue.Outcome {
	if !s.wait(queue.Full, 0) {
		return queue.Full // and the memory would have been for nothing
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

// sealed returns memory with b in it.
func sealed(b []byte) (int, error) {
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	// A machine may want it to be said that it is not to be run; older kernels do
	// not know the word.
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

// wait waits at most d after an outcome that may be another one later. It reports whether there
// is room in the queue, and needs no lock.
func (s *socket) wait(after queue.Outcome, d time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	if after != queue.Full {
		fds = nil // one without a connection would be ready at once
	}
	timeout := unix.NsecToTimespec(d.Nanoseconds())
	n, err := unix.Ppoll(fds, &timeout, nil)
	return err == nil && n > 0
}

// unread is how much journald has not read of what was sent.
func (s *socket) unread() int {
	n, err := unix.IoctlGetInt(s.fd, unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}
