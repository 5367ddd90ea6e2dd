//go:build unix

package daemon_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
	"github.com/go-glidepath/glidepath/internal/host"
)

// listening returns a descriptor as systemd passes it, and its address.
func listening(t *testing.T, network, address string) (*os.File, net.Addr) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	return f, l.Addr()
}

// runWith runs a program with these sockets until start has returned. It returns the log.
func runWith(t *testing.T, start func(context.Context) error, sockets ...host.Socket) *observer.ObservedLogs {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	ctx := host.NewContext(t.Context(), host.Env{Sockets: sockets})
	err := daemon.Run(ctx, daemon.Func(func(ctx context.Context, ready func()) error {
		if err := start(ctx); err != nil {
			return err
		}
		ready()
		return nil
	}), daemon.Config{Name: "web", Logger: zap.New(core)})
	if err != nil {
		t.Errorf("Run: %v", err)
	}
	return logs
}

func closed(f *os.File) bool { return errors.Is(f.Close(), os.ErrClosed) }

func TestSocket_ReturnsEachDescriptorOnce(t *testing.T) {
	first, _ := listening(t, "tcp", "127.0.0.1:0")
	second, _ := listening(t, "tcp", "127.0.0.1:0")
	other, _ := listening(t, "tcp", "127.0.0.1:0")
	logs := runWith(t, func(ctx context.Context) error {
		for _, want := range []struct {
			name string
			file *os.File
		}{{"nothing", nil}, {"http", first}, {"http", second}, {"http", nil}, {"other", other}, {"other", nil}} {
			if got := daemon.Socket(ctx, want.name); got != want.file {
				t.Errorf("%s: got %v, want %v", want.name, got, want.file)
			}
		}
		return nil
	}, host.Socket{Name: "http", File: first}, host.Socket{Name: "other", File: other}, host.Socket{Name: "http", File: second})
	for _, f := range []*os.File{first, second, other} {
		if closed(f) {
			t.Error("the run has closed a descriptor of the program")
		}
	}
	if n := logs.FilterMessageSnippet("nobody has asked").Len(); n > 0 {
		t.Errorf("got a warning:\n%v", logs.All())
	}
}

func TestSocket_WarnsOfADescriptorThatIsLeftAndClosesIt(t *testing.T) {
	asked, _ := listening(t, "tcp", "127.0.0.1:0")
	left, _ := listening(t, "tcp", "127.0.0.1:0")
	logs := runWith(t, func(ctx context.Context) error {
		return daemon.Socket(ctx, "http").Close()
	}, host.Socket{Name: "https", File: left}, host.Socket{Name: "http", File: asked})
	if !closed(left) {
		t.Error("the descriptor is open")
	}
	warnings := logs.FilterMessageSnippet("nobody has asked").All()
	if len(warnings) != 1 || warnings[0].Level != zap.WarnLevel {
		t.Fatalf("got no warning:\n%v", logs.All())
	}
	if got := warnings[0].ContextMap()["sockets"]; !slices.Equal(got.([]any), []any{"https"}) {
		t.Errorf("the warning says %v", got)
	}
}

func TestRun_ClosesTheSocketsIfItFails(t *testing.T) {
	for name, config := range map[string]daemon.Config{"a wrong configuration": {}, "a failed start": {Name: "web", Logger: zap.NewNop()}} {
		t.Run(name, func(t *testing.T) {
			f, _ := listening(t, "tcp", "127.0.0.1:0")
			ctx := host.NewContext(t.Context(), host.Env{Sockets: []host.Socket{{Name: "http", File: f}}})
			err := daemon.Run(ctx, program{start: func(context.Context) error { return errBoom }}, config)
			if err == nil || !closed(f) {
				t.Errorf("the descriptor is open, or the error is nil: %v", err)
			}
		})
	}
}

func TestRun_LogsWhyNoSocketWasTaken(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	ctx, cancel := context.WithCancel(host.NewContext(t.Context(), host.Env{Untaken: errBoom}))
	cancel()
	if err := daemon.Run(ctx, program{}, daemon.Config{Name: "web", Logger: zap.New(core)}); err != nil {
		t.Error(err)
	}
	if lines := logs.FilterLevelExact(zap.WarnLevel).All(); len(lines) != 1 || lines[0].ContextMap()["error"] != "boom" {
		t.Errorf("logged:\n%v", logs.All())
	}
}

// greet sends a greeting to addr, and returns what the listener receives.
func greet(t *testing.T, l net.Listener, addr net.Addr) string {
	t.Helper()
	go func() {
		if c, err := net.Dial(addr.Network(), addr.String()); err == nil {
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	c, err := l.Accept()
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = c.Close() }()
	buf := make([]byte, 16)
	n, _ := c.Read(buf)
	return string(buf[:n])
}

func TestListen_TakesTheListenerOfTheManager(t *testing.T) {
	ctx := daemontest.Context(t)
	path := filepath.Join(t.TempDir(), "s")
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": path} {
		f, addr := listening(t, network, address)
		daemontest.HandOver(ctx, "http", f)
		l, err := daemon.Listen(ctx, "http", "tcp", "ignored")
		if err != nil {
			t.Fatal(err)
		}
		if got := greet(t, l, addr); got != "hello" || l.Addr().String() != addr.String() {
			t.Errorf("%s: got %q, at %s", network, got, l.Addr())
		}
		if !closed(f) {
			t.Error("the descriptor is open")
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the manager's socket was removed: %v", err)
	}
}

func TestListen_OpensAListenerIfThereIsNone(t *testing.T) {
	for name, ctx := range map[string]context.Context{"in a run": daemontest.Context(t), "without a run": t.Context()} {
		l, err := daemon.Listen(ctx, "http", "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := greet(t, l, l.Addr()); got != "hello" {
			t.Errorf("%s: got %q", name, got)
		}
		_ = l.Close()
		if _, err := daemon.Listen(ctx, "http", "tcp", "nowhere"); err == nil {
			t.Errorf("%s: it listens nowhere", name)
		}
	}
}

func TestListen_NamesADescriptorThatIsNotAListener(t *testing.T) {
	ctx := daemontest.Context(t)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	daemontest.HandOver(ctx, "http", f)
	if _, err := daemon.Listen(ctx, "http", "tcp", "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), `"http"`) || !closed(f) {
		t.Errorf("got %v", err)
	}
}

func TestSocket_NilWithoutARun(t *testing.T) {
	if f := daemon.Socket(t.Context(), "http"); f != nil {
		t.Errorf("got %v", f)
	}
}
