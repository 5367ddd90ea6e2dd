package daemon_test

import (
	"context"
	"net"
	"os"
	"path/filepath"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/service"
)

// Listen returns the listener that systemd has opened for the service. Without systemd it
// opens one itself.
func ExampleListen() {
	start := func(ctx context.Context) error {
		l, err := daemon.Listen(ctx, "http", "tcp", "127.0.0.1:8080")
		if err != nil {
			return err
		}
		return l.Close() // or http.Server.Serve
	}
	_ = daemon.Config{
		Name: "web",
		Service: service.Config{
			StartType: service.OnSocket,
			Sockets:   []service.Socket{{Name: "http", Network: "tcp", Address: "127.0.0.1:8080"}},
		},
	}
	_ = start
	// Output:
}

// For datagrams, Socket does the same as Listen does for listeners, in a few lines.
func ExampleSocket() {
	packets := func(ctx context.Context) (net.PacketConn, error) {
		f := daemon.Socket(ctx, "dns")
		if f == nil {
			var config net.ListenConfig
			return config.ListenPacket(ctx, "udp", "127.0.0.1:0")
		}
		defer f.Close() // FilePacketConn makes a copy
		return net.FilePacketConn(f)
	}
	_ = packets // in Start
	// Output:
}

func ExampleDirectories() {
	// Start writes a file for the next run.
	start := func(ctx context.Context) error {
		paths, err := daemon.Directories(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(paths.State, "last"), []byte("here"), 0o600)
	}
	_ = start // of a Program
	// Output:
}
