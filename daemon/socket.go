package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/runctx"
)

// Socket returns a descriptor that the manager has opened and handed over under this
// name, nil if there is none, or none left: systemd does it for the sockets in
// Service.Sockets, for those of a unit of type socket that somebody has written
// (FileDescriptorName=, the unit's own name without it), for OpenFile= and for what
// its descriptor store has kept; other supervisors of Unix do it in the same way
// (sd_listen_fds(3)). Where there is no run it is nil.
//
// The caller owns the file and closes it; net.FileListener, net.FilePacketConn and
// net.FileConn make copies. Each descriptor is returned once: where several have the
// name, each call returns the next, in the manager's order. It may be called from
// any goroutine.
//
// What nobody has asked for when Start returns is a warning in the log, and is closed
// when the run ends. systemd keeps its own copy: whoever connects meanwhile waits for
// the next start. No child inherits one.
//
// For a listener, [Listen] is shorter.
func Socket(ctx context.Context, name string) *os.File {
	if r := runctx.Find(ctx); r != nil {
		return r.Socket(name)
	}
	return nil
}

// Listen returns the listener that the manager has handed over under this name, and if
// there is none one of its own, made by net.ListenConfig of network ("tcp", "unix", …)
// and address. The one that was handed over listens where the manager has been told
// to: network and address do not matter then.
//
// The caller owns it. To close it does not remove a socket in the file system that is
// the manager's.
func Listen(ctx context.Context, name, network, address string) (net.Listener, error) {
	f := Socket(ctx, name)
	if f == nil {
		var config net.ListenConfig
		return config.Listen(ctx, network, address)
	}
	defer func() { _ = f.Close() }()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("what the manager has handed over as %q is no listener: %w", name, err)
	}
	return l, nil
}

// sockets are those that the manager has handed over and nobody has asked for.
type sockets struct {
	mu   sync.Mutex
	left []host.Socket
}

func (s *sockets) take(name string) *os.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range s.left {
		if k.Name == name {
			s.left = append(s.left[:i:i], s.left[i+1:]...)
			return k.File
		}
	}
	return nil
}

func (s *sockets) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, k := range s.left {
		names = append(names, k.Name)
	}
	return names
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	host.Env{Sockets: s.left}.Close()
	s.left = nil
}

// Socket hands over one of those that are left.
func (r *run) Socket(name string) *os.File { return r.sockets.take(name) }
