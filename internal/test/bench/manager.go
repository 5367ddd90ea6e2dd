//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// manager is what systemd is for one process: it reads what the process says, at
// once, and lets go of a barrier when it gets to it.
type manager struct {
	conn *net.UnixConn
	done chan struct{}

	mu    sync.Mutex
	heard map[string]time.Time // when a line came first
	ready chan struct{}
}

func newManager(path string) (*manager, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	m := &manager{conn: conn, done: make(chan struct{}), heard: map[string]time.Time{}, ready: make(chan struct{})}
	go m.read()
	return m, nil
}

func (m *manager) read() {
	defer close(m.done)
	buf, oob := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4*16))
	for {
		n, oobn, _, _, err := m.conn.ReadMsgUnix(buf, oob)
		at := time.Now()
		if err != nil {
			return // closed
		}
		if oobn > 0 {
			closeRights(oob[:oobn])
		}
		m.hear(buf[:n], at)
	}
}

// closeRights closes what was sent along: for the sender, that is the end of its
// barrier.
func closeRights(oob []byte) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
	}
}

func (m *manager) hear(datagram []byte, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range bytes.SplitSeq(datagram, []byte("\n")) {
		if _, ok := m.heard[string(line)]; ok {
			continue
		}
		m.heard[string(line)] = at
		if string(line) == "READY=1" {
			close(m.ready)
		}
	}
}

// when says when line came first, zero if it never did.
func (m *manager) when(line string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heard[line]
}

func (m *manager) waitReady(within time.Duration) (time.Time, error) {
	select {
	case <-m.ready:
		return m.when("READY=1"), nil
	case <-time.After(within):
		return time.Time{}, fmt.Errorf("no READY=1 in %s", within)
	}
}

func (m *manager) close() error {
	path := m.conn.LocalAddr().String()
	err := m.conn.Close()
	<-m.done
	return errors.Join(err, os.Remove(path)) // nobody else does: it is not a listener
}
