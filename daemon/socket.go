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

// Socket returns a descriptor that the manager has opened and passed under this name. It
// returns nil if there is none, or none left, and if no run is active. systemd passes the
// sockets in Service.Sockets, those of a socket unit that somebody has written
// (FileDescriptorName=, or else the name of the unit), the files of OpenFile=, and what its
// descriptor store has kept. Other supervisors of Unix pass sockets in the same way
// (sd_listen_fds(3)).
//
// The caller owns the file and has to close it; net.FileListener, net.FilePacketConn and
// net.FileConn make copies. Each descriptor is returned once: if several have the name,
// each call returns the next one, in the manager's order. Socket may be called from any
// goroutine.
//
// A descriptor that has not been asked for when Start returns is reported by a warning in
// the log, and closed when the run ends. systemd keeps its own copy, so clients that
// connect in the meantime wait for the next start. No child inherits a descriptor.
//
// For a listener, [Listen] is shorter.
func Socket(ctx context.Context, name string) *os.File {
	if r := runctx.Find(ctx); r != nil {
		return r.Socket(name)
	}
	return nil
}

// Listen returns the listener that the manager has passed under this name. If there is
// none, Listen opens one with net.ListenConfig, on network ("tcp", "unix", …) and address.
// A listener that was passed listens where the manager was told to; network and address do
// not matter then.
//
// The caller owns the listener. Closing it does not remove a Unix socket of the manager
// from the file system.
func Listen(ctx context.Context, name, network, address string) (net.Listener, error) {
	f := Socket(ctx, name)
	if f == nil {
		var config net.ListenConfig
		return config.Listen(ctx, network, address)
	}
	defer func() { _ = f.Close() }()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("the descriptor %q that the manager has passed is not a listener: %w", name, err)
	}
	return l, nil
}

// sockets holds the descriptors that the manager has passed and the program has not taken.
type sockets struct {
	mu   sync.Mutex
	left []host.Socket
}

// take removes the first descriptor with this name and returns it, nil if there is none.
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

// Socket returns the next descriptor with this name, nil if there is none left.
func (r *run) Socket(name string) *os.File { return r.sockets.take(name) }
