package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// listen plays the part of systemd: it records what arrives and answers barriers.
type listen struct {
	conn     *net.UnixConn
	name     string
	messages chan string
}

func newListen(t *testing.T) *listen {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	l := &listen{conn: conn, name: name, messages: make(chan string, 20_000)}
	t.Cleanup(func() { _ = conn.Close() })
	return l
}

// serve reads until the socket is closed.
func (l *listen) serve() {
	defer close(l.messages)
	buf, oob := make([]byte, 1<<16), make([]byte, 1<<10)
	for {
		n, oobn, _, _, err := l.conn.ReadMsgUnix(buf, oob)
		if err != nil {
			return
		}
		l.messages <- string(buf[:n])
		controls, _ := unix.ParseSocketControlMessage(oob[:oobn])
		for _, c := range controls {
			fds, _ := unix.ParseUnixRights(&c)
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		}
	}
}

// closeAndRead closes the socket and returns everything that arrived.
func (l *listen) closeAndRead() []string {
	_ = l.conn.Close()
	var messages []string
	for m := range l.messages {
		messages = append(messages, m)
	}
	return messages
}

func open(t *testing.T, env Environ) *Host {
	t.Helper()
	h := New(env, false)
	h.Open(host.Run{Warn: func(msg string, _ ...zap.Field) { t.Errorf("warned: %s", msg) }})
	return h
}

func TestHost_SendsEachState(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newListen(t)
	go l.serve()
	h := open(t, Environ{notifySocket: l.name, mainPID: 77})
	noEntry := fmt.Errorf("open the certificate: %w", syscall.ENOENT)
	for _, s := range []host.Status{
		{State: lifecycle.Starting, Left: time.Minute},
		{State: lifecycle.Running},
		{State: lifecycle.Reloading},
		{State: lifecycle.Running, Err: noEntry},
		{State: lifecycle.Reloading},
		{State: lifecycle.Running},
		{State: lifecycle.Pausing},
		{State: lifecycle.Paused},
		{State: lifecycle.Stopping, Left: 31 * time.Second, Reason: "terminate (SIGTERM)"},
		{State: lifecycle.Stopped, Reason: "terminate (SIGTERM)"},
	} {
		h.Tell(s)
	}
	h.Close(t.Context())

	want := []string{
		"MAINPID=77\nEXTEND_TIMEOUT_USEC=5000000\nSTATUS=starting",
		"READY=1\nSTATUS=running",
		"RELOADING=1\nMONOTONIC_USEC=N\nSTATUS=reloading",
		"READY=1\nERRNO=2\nSTATUS=running; the last reload failed: open the certificate: no such file or directory",
		"RELOADING=1\nMONOTONIC_USEC=N\nSTATUS=reloading",
		"READY=1\nSTATUS=running",
		"STATUS=pausing",
		"STATUS=paused",
		"STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000\nSTATUS=stopping: terminate (SIGTERM)",
		"BARRIER=1",
	}
	got := strings.Join(l.closeAndRead(), "\n\n")
	got = regexp.MustCompile(`MONOTONIC_USEC=\d+`).ReplaceAllString(got, "MONOTONIC_USEC=N")
	if want := strings.Join(want, "\n\n"); got != want {
		t.Errorf("got\n%s\n\nwant\n%s", got, want)
	}
}

func TestHost_SendsErrnoAndTextOfAFailure(t *testing.T) {
	l := newListen(t)
	go l.serve()
	h := open(t, Environ{notifySocket: l.name})
	err := fmt.Errorf("start: %w", syscall.EADDRINUSE)
	h.Tell(host.Status{State: lifecycle.Stopping, Left: time.Second, Reason: "failure (Start failed): it is taken", Err: err})
	h.Tell(host.Status{State: lifecycle.Stopped, Err: err, Code: 1})
	h.Close(t.Context())
	got := l.closeAndRead()
	for i, want := range []string{
		"STOPPING=1\nEXTEND_TIMEOUT_USEC=3000000\nERRNO=98\nSTATUS=stopping: failure (Start failed): it is taken",
		"ERRNO=98\nSTATUS=failed: start: address already in use",
		"BARRIER=1",
	} {
		if i >= len(got) || got[i] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTell_TicksExtendUpToTheBudget(t *testing.T) {
	l := newListen(t)
	h := open(t, Environ{notifySocket: l.name})
	for i, left := range []time.Duration{time.Minute, 2 * time.Second, 500 * time.Millisecond, 0, -time.Second} {
		h.Tell(host.Status{State: lifecycle.Stopping, Checkpoint: uint32(i + 1), Left: left})
		for { // until it is sent, so that the next one does not take its place
			h.mu.Lock()
			sent := !h.ticked
			h.mu.Unlock()
			if sent {
				break
			}
		}
	}
	go l.serve()
	h.Close(t.Context())
	got := strings.Join(l.closeAndRead(), " ")
	if want := "EXTEND_TIMEOUT_USEC=5000000 EXTEND_TIMEOUT_USEC=4000000 EXTEND_TIMEOUT_USEC=2500000 BARRIER=1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAlive_IsSent(t *testing.T) {
	l := newListen(t)
	go l.serve()
	h := open(t, Environ{notifySocket: l.name, watchdog: 4 * time.Second})
	if h.Interval() != 4*time.Second {
		t.Errorf("the interval is %s", h.Interval())
	}
	h.Alive()
	if m := <-l.messages; m != "WATCHDOG=1" {
		t.Errorf("got %q", m)
	}
	h.Close(t.Context())
}

// fill fills the queue of systemd's socket.
func (l *listen) fill(t *testing.T) {
	t.Helper()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: l.name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		for {
			if err := unix.Send(int(fd), []byte("X_FILL=1"), unix.MSG_DONTWAIT); err != nil {
				return
			}
		}
	})
}

func TestTell_ManagerThatDoesNotReadLosesNoState(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newListen(t)
	l.fill(t)
	h := open(t, Environ{notifySocket: l.name})
	for range 1000 {
		h.Tell(host.Status{State: lifecycle.Reloading})
		h.Tell(host.Status{State: lifecycle.Running})
	}
	h.Tell(host.Status{State: lifecycle.Stopping})
	go l.serve()
	h.Close(t.Context())
	var got []string
	for _, m := range l.closeAndRead() {
		if word, _, _ := strings.Cut(m, "\n"); word != "X_FILL=1" {
			got = append(got, word)
		}
	}
	// The messages that were in the queue come first.
	want := []string{"RELOADING=1", "READY=1", "STOPPING=1", "BARRIER=1"}
	if n := len(got) - len(want); n < 0 || n > maxQueued+2 || !slices.Equal(got[n:], want) {
		t.Errorf("got %q, want %q at the end", got, want)
	}
}

func TestClose_ManagerThatIsStuck(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newListen(t)
	l.fill(t)
	h := open(t, Environ{notifySocket: l.name})
	h.Tell(host.Status{State: lifecycle.Running})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h.Close(ctx) // it returns
	select {
	case <-h.sendDone:
	default:
		t.Error("something still sends")
	}
}

func TestOpen_WarnsOnce(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, env := range map[string]map[string]string{
		"nobody listens":       {"NOTIFY_SOCKET": "/nonexistent/notify"},
		"not an address":       {"NOTIFY_SOCKET": "notify"},
		"a malformed watchdog": {"WATCHDOG_USEC": "often"},
		"all of it":            {"NOTIFY_SOCKET": "/nonexistent/notify", "WATCHDOG_USEC": "often"},
	} {
		t.Run(name, func(t *testing.T) {
			h := New(parseEnviron(func(key string) string { return env[key] }, 1, 0), false)
			var mu sync.Mutex
			var warnings []string
			h.Open(host.Run{Warn: func(_ string, fields ...zap.Field) {
				mu.Lock()
				defer mu.Unlock()
				err, _ := fields[0].Interface.(error)
				warnings = append(warnings, errors.Join(err).Error())
			}})
			h.Tell(host.Status{State: lifecycle.Starting})
			h.Tell(host.Status{State: lifecycle.Running})
			h.Tell(host.Status{State: lifecycle.Stopping})
			h.Tell(host.Status{State: lifecycle.Stopped})
			h.Close(t.Context())
			if len(warnings) != 1 {
				t.Fatalf("%d warnings: %q", len(warnings), warnings)
			}
			for key := range env {
				if !strings.Contains(warnings[0], key) {
					t.Errorf("the warning does not name %s: %s", key, warnings[0])
				}
			}
		})
	}
}

func TestTell_AllocatesNothing(t *testing.T) {
	l := newListen(t)
	client, err := sdnotify.Dial(l.name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	w := writer{channel: client, buf: make(sdnotify.Message, 0, sdnotify.Max)}
	buf := make([]byte, sdnotify.Max)
	for name, tell := range map[string]func() error{
		"a sign of life": w.alive,
		"a tick":         func() error { return w.tick(host.Status{State: lifecycle.Stopping, Left: time.Minute}) },
		"ready":          func() error { return w.state(queuedStatus{host.Status{State: lifecycle.Running}, time.Second}) },
		"reloading":      func() error { return w.state(queuedStatus{host.Status{State: lifecycle.Reloading}, time.Second}) },
	} {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, func() {
				if err := tell(); err != nil {
					t.Fatal(err)
				}
				_, _ = l.conn.Read(buf)
			}); n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestClose_ChildOfSystemdSendsNoBarrier(t *testing.T) {
	l := newListen(t)
	go l.serve()
	h := open(t, Environ{notifySocket: l.name, started: true})
	h.Tell(host.Status{State: lifecycle.Running})
	h.Close(t.Context())
	if m := <-l.messages; m != "READY=1\nSTATUS=running" {
		t.Errorf("got %q", m)
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for m := range l.messages {
		t.Errorf("got %q", m)
	}
}

func TestClose_BeforeExitLosesNothing(t *testing.T) {
	for range 200 {
		l := newListen(t)
		go l.serve()
		h := New(Environ{notifySocket: l.name, started: true}, true)
		h.Open(host.Run{})
		h.Tell(host.Status{State: lifecycle.Running})
		h.Tell(host.Status{State: lifecycle.Stopping})
		h.Tell(host.Status{State: lifecycle.Stopped, Err: syscall.EIO, Code: 1})
		h.Close(t.Context())
		h.stop() // as the exit of the process does
		for _, want := range []string{"READY=1\n", "STOPPING=1\n", "ERRNO=5\n"} {
			if m := <-l.messages; !strings.HasPrefix(m, want) {
				t.Fatalf("got %q, want %q", m, want)
			}
		}
	}
}

func TestClose_LeavesNoDescriptor(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	l := newListen(t)
	go l.serve()
	before := count()
	for range 50 {
		h := open(t, Environ{notifySocket: l.name})
		h.Tell(host.Status{State: lifecycle.Running})
		h.Close(t.Context())
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestNew_NilWithoutSystemd(t *testing.T) {
	if h := New(Environ{}, true); h != nil {
		t.Errorf("got %+v", h)
	}
}
