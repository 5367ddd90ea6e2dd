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

// writeBound limits the time for writing an answer. The answer fits into the buffer of the
// socket.
const writeBound = time.Second

// addressPrefix returns the name of the socket without the random part. An abstract name
// (unix(7)) needs no file system, so it works in a container that cannot write anywhere, and
// it disappears with the process. It belongs to the network namespace, which containers may
// share. That is why each run adds a random part, which nobody else can use in advance.
func addressPrefix(name string) string {
	if len(name) > 64 { // a name may have at most 107 bytes
		sum := sha256.Sum256([]byte(name))
		name = name[:32] + "+" + hex.EncodeToString(sum[:8])
	}
	return "@glidepath/" + name + "/"
}

type unixListener struct{ *net.UnixListener }

func listen(name string) (listener, error) {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: addressPrefix(name) + hex.EncodeToString(random), Net: "unix"})
	if err != nil {
		return nil, err
	}
	return unixListener{l}, nil
}

// accept closes connections from other users at once. An abstract name has no permissions that
// could keep them out.
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

// credentials returns the process and the user at the other end: who connected, or who began to
// listen.
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
		return nil, fmt.Errorf("find the user at the other end: %w", err)
	}
	return who, nil
}
