package sdnotify

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// manager returns a socket at which a test acts as systemd.
func manager(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 2*Max)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func dial(t *testing.T, addr string) *Client {
	t.Helper()
	c, err := Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSend_ToPathsAndAbstractNames(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@glidepath-test-" + filepath.Base(t.TempDir())} {
		conn := manager(t, name)
		c := dial(t, name)
		for _, m := range []string{"READY=1", "STATUS=two"} {
			if err := c.Send(Message(m), time.Second); err != nil {
				t.Fatal(err)
			}
			if got := receive(t, conn); got != m {
				t.Errorf("got %q, want %q", got, m)
			}
		}
	}
}

func TestReloading_CarriesTheCurrentTime(t *testing.T) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatal(err)
	}
	before := time.Duration(ts.Nano())
	m := string(Message{}.Reloading())
	value, ok := strings.CutPrefix(m, "RELOADING=1\nMONOTONIC_USEC=")
	if !ok {
		t.Fatalf("got %q", m)
	}
	usec, err := time.ParseDuration(value + "us")
	if err != nil || usec < before.Truncate(time.Microsecond) || usec > before+time.Minute {
		t.Errorf("got %s at %s, %v", usec, before, err)
	}
}

func TestDial_WithoutAnAddressDoesNothing(t *testing.T) {
	c, err := Dial("")
	if c != nil || err != nil {
		t.Fatal(c, err)
	}
	if err := errors.Join(c.Send(Message(Ready), 0), c.Barrier(0), c.Close()); err != nil {
		t.Error(err)
	}
}

func TestSend_FailsWithoutAListener(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	c, err := Dial(name)
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), name) {
		t.Fatalf("got %v", err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Send(Message(Ready), time.Second); !errors.Is(err, unix.ENOENT) {
		t.Fatalf("got %v", err)
	}
	conn := manager(t, name)
	if err := c.Send(Message(Ready), time.Second); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, conn); got != Ready {
		t.Errorf("got %q", got)
	}
}

func TestSend_Reconnects(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	first := manager(t, name)
	c := dial(t, name)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(name)
	second := manager(t, name)
	if err := c.Send(Message(Ready), time.Second); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, second); got != Ready {
		t.Errorf("got %q", got)
	}
}

func TestDial_ChildrenDoNotInheritTheConnection(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	manager(t, name)
	flags, err := unix.FcntlInt(uintptr(dial(t, name).fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v", flags, err)
	}
}

func TestSend_WaitsForAFullQueueUntilTheTimeout(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	conn := manager(t, name)
	c := dial(t, name)
	var err error
	for range 100_000 {
		if err = c.Send(Message(Watchdog), time.Millisecond); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if got := receive(t, conn); got != Watchdog {
		t.Errorf("got %q", got)
	}
	if err := c.Send(Message(Ready), 10*time.Second); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestBarrier_WaitsUntilTheManagerClosesIt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	conn := manager(t, name)
	c := dial(t, name)
	done := make(chan error, 1)
	go func() { done <- c.Barrier(10 * time.Second) }()

	buf, oob := make([]byte, Max), make([]byte, Max)
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil || string(buf[:n]) != "BARRIER=1" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("%d descriptors, %v", len(fds), err)
	}
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	_ = unix.Close(fds[0])
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBarrier_EndsAtTheTimeout(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	manager(t, name)
	if err := dial(t, name).Barrier(time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// Machines without a hypervisor have no vsock. Sending one message per connection, which is
// our part, works the same over any stream.
func TestSend_EndsAStreamAfterOneMessage(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	receiver := os.NewFile(uintptr(fds[1]), "receiver")
	got := make(chan string, 1)
	go func() {
		defer func() { _ = receiver.Close() }()
		buf := make([]byte, Max)
		n, _ := receiver.Read(buf)
		m, _ := receiver.Read(buf[n:]) // returns the end of the stream; without it, this blocks
		got <- string(buf[:n+m])
	}()
	c := &Client{addr: address{kind: vsockStream}, fd: fds[0]}
	if err := c.Send(Message(Ready), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if m := <-got; m != Ready {
		t.Errorf("got %q", m)
	}
	if c.fd >= 0 {
		t.Error("the connection is still open")
	}
}

func TestDial_VsockAddressNeverBecomesAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	manager(t, "vsock:2:1")
	c, err := Dial("vsock:2:1")
	if err == nil {
		t.Log("this machine has a vsock peer")
	}
	_ = c.Close()
	if c.addr.kind == unixgram {
		t.Error("a vsock address became a path")
	}
}

func TestSend_AllocatesNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	conn := manager(t, name)
	c := dial(t, name)
	m := make(Message, 0, Max)
	buf := make([]byte, Max)
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Send(m[:0].Add(Watchdog).Extend(time.Second).Status("serving 17 of 20"), time.Second); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Read(buf)
	}); n > 0 {
		t.Errorf("%v allocations a message", n)
	}
}
