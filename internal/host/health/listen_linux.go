package health

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// writeBound is how long an answer may take to be written. It fits the buffer of the
// socket.
const writeBound = time.Second

// addressPrefix is the name of the socket, without what makes it unique. An abstract name
// (unix(7)) needs no file system, so it works in a container that can write nowhere, and
// it is gone with the process. It belongs to the network namespace, which containers may
// share: that is why each run adds a random part, which nobody can take in advance.
func addressPrefix(name string) string {
	if len(name) > 64 { // a name has 107 bytes
		sum := sha256.Sum256([]byte(name))
		name = name[:32] + "+" + hex.EncodeToString(sum[:8])
	}
	return "@glidepath/" + name + "/"
}

type unixListener struct{ *net.UnixListener }

func listen(name string) (listener, error) {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // it never fails
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: addressPrefix(name) + hex.EncodeToString(random), Net: "unix"})
	if err != nil {
		return nil, err
	}
	return unixListener{l}, nil
}

// accept lets nobody wait who may not ask. Permissions of a file could do that for us,
// but an abstract name has none.
func (l unixListener) accept() (io.WriteCloser, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		who, err := credentials(c)
		if err == nil && (who.Uid == 0 || int(who.Uid) == os.Geteuid()) {
			_ = c.SetWriteDeadline(time.Now().Add(writeBound + checkBound))
			return c, nil
		}
		_ = c.Close()
	}
}

func (l unixListener) close() { _ = l.Close() }

// credentials returns who the process at the other end is: who has connected, or who
// has begun to listen.
func credentials(c syscall.Conn) (*unix.Ucred, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var who *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		who, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("who is at the other end: %w", err)
	}
	return who, nil
}
