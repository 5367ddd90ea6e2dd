//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	native "github.com/go-glidepath/glidepath/internal/log/journal"
)

// mood is what journald does with what comes to its socket.
type mood int

const (
	reads mood = iota // at once
	hangs             // it does not read
	stuck             // it has not read for so long that its queue is full
)

// journal is journald: a stream socket for standard output and standard error, and its
// socket for those who know its protocol. The stream is read when the process is gone; a
// few lines fit in, and nobody wakes up for them.
type journal struct {
	ours, theirs, null *os.File
	conn               *net.UnixConn
	done               chan struct{}
	records            strings.Builder // of the socket, once done is closed
}

func newJournal(mood mood) (*journal, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	j := &journal{ours: os.NewFile(uintptr(fds[0]), "journal"), theirs: os.NewFile(uintptr(fds[1]), "stderr")}
	if j.null, err = os.Open(os.DevNull); err != nil {
		return nil, errors.Join(err, j.close())
	}
	j.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: native.DefaultSocket, Net: "unixgram"})
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	j.done = make(chan struct{})
	switch mood {
	case reads:
		go j.listen()
		return j, nil
	case stuck:
		err = fill(native.DefaultSocket)
	}
	close(j.done)
	if err != nil {
		return nil, errors.Join(err, j.close())
	}
	return j, nil
}

// fill fills the queue of a socket.
func fill(path string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	for err == nil {
		err = syscall.Sendto(fd, []byte("MESSAGE=full\n"), 0, &syscall.SockaddrUnix{Name: path})
	}
	if !errors.Is(err, syscall.EAGAIN) {
		return err
	}
	return nil
}

func (j *journal) listen() {
	defer close(j.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := j.conn.Read(buf)
		if err != nil {
			return // closed
		}
		j.records.Write(buf[:n])
	}
}

// env is what says that standard error leads here.
func (j *journal) env() string {
	var s syscall.Stat_t
	_ = syscall.Fstat(int(j.theirs.Fd()), &s)
	return fmt.Sprintf("JOURNAL_STREAM=%d:%d", s.Dev, s.Ino)
}

// wait waits for the first line: of the peer, it is written in Start.
func (j *journal) wait() error {
	limit := syscall.NsecToTimeval(patience.Nanoseconds())
	if err := syscall.SetsockoptTimeval(int(j.ours.Fd()), syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		return err
	}
	for {
		_, _, err := syscall.Recvfrom(int(j.ours.Fd()), make([]byte, 1), syscall.MSG_PEEK)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// read is what was logged, either way, when the process is gone.
func (j *journal) read() (string, error) {
	buf := make([]byte, 64<<10)
	n, _, err := syscall.Recvfrom(int(j.ours.Fd()), buf, syscall.MSG_DONTWAIT)
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		return "", fmt.Errorf("read the log: %w", err)
	}
	if err := j.end(); err != nil {
		return "", err
	}
	return string(buf[:max(n, 0)]) + j.records.String(), nil
}

// end takes the socket away.
func (j *journal) end() error {
	if j.conn == nil {
		return nil
	}
	err := errors.Join(os.Remove(native.DefaultSocket), j.conn.Close())
	<-j.done
	j.conn = nil
	return err
}

func (j *journal) close() error {
	errs := []error{j.end()}
	for _, f := range []*os.File{j.ours, j.theirs, j.null} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
