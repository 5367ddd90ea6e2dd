package health

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// open returns a host that listens under name for a healthy program.
func open(t *testing.T, name string) *Host { return openWith(t, name, well) }

func openWith(t *testing.T, name string, check func(context.Context) error) *Host {
	t.Helper()
	h := New(name)
	h.Open(host.Run{Check: check, Debug: func(msg string, fields ...zap.Field) { t.Error(msg, fields) }})
	t.Cleanup(func() { h.Close(context.Background()) })
	h.Tell(host.Status{State: lifecycle.Running})
	return h
}

// unique returns a name that no other test process uses.
func unique(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), os.Getpid()) }

func TestHost_AnswersUntilClosed(t *testing.T) {
	for _, name := range []string{unique(t), strings.Repeat("n", 200)} {
		h := open(t, name)
		for _, pid := range []int{0, os.Getpid()} {
			a, err := Ask(t.Context(), name, pid)
			if err != nil || a.State != "running" || a.PID != os.Getpid() {
				t.Errorf("process %d: got %+v, %v", pid, a, err)
			}
		}
		if a, err := Ask(t.Context(), name, 1); !errors.Is(err, ErrNone) {
			t.Errorf("the process of another service: got %+v, %v", a, err)
		}
		if a, err := Ask(t.Context(), name[:len(name)-1], 0); !errors.Is(err, ErrNone) {
			t.Errorf("a name that only begins like it: got %+v, %v", a, err)
		}
		h.Close(t.Context())
		if a, err := Ask(t.Context(), name, 0); !errors.Is(err, ErrNone) {
			t.Errorf("after the end: got %+v, %v", a, err)
		}
	}
}

func TestHost_TwoRunsOfOneName(t *testing.T) {
	name := unique(t)
	one, two := open(t, name), open(t, name)
	if found, err := findListening(addressPrefix(name)); len(found) != 2 {
		t.Errorf("%d listen, %v", len(found), err)
	}
	for _, h := range []*Host{one, two} {
		if a, err := Ask(t.Context(), name, 0); err != nil || a.State != "running" {
			t.Errorf("got %+v, %v", a, err)
		}
		h.Close(t.Context())
	}
}

// asUser calls f on a thread that runs as another user, and ends that thread.
func asUser(t *testing.T, uid uintptr, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	done := make(chan error)
	var become func()
	become = func() {
		runtime.LockOSThread() // and never unlock it: the thread ends with this goroutine
		if syscall.Gettid() == os.Getpid() {
			go become() // /proc shows the first thread as the process
			runtime.Goexit()
		}
		// Not syscall.Setresuid, which changes all threads of the process.
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uid, uid, uid)
		if errno != 0 {
			done <- errno
			return
		}
		f()
		done <- nil
	}
	go become()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

const (
	daemonUser = 1
	nobody     = 65534
)

func TestAsk_RootAsksItsOwnProgramOfAnotherUser(t *testing.T) {
	name := unique(t)
	asUser(t, nobody, func() { open(t, name) })
	if a, err := Ask(t.Context(), name, 0); err != nil || a.State != "running" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAsk_ARunOfRootIsNotAnEndedOne(t *testing.T) {
	name := unique(t)
	open(t, name)
	asUser(t, nobody, func() {
		if a, err := Ask(t.Context(), name, 0); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %+v, %v", a, err)
		}
	})
}

func TestHost_AnswersNoOtherUser(t *testing.T) {
	name := unique(t)
	asked := make(chan struct{}, 2)
	openWith(t, name, func(context.Context) error { asked <- struct{}{}; return nil })
	found, err := findListening(addressPrefix(name))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	asUser(t, nobody, func() {
		c, err := net.Dial("unix", found[0])
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if a, err := decode(c); !isClosed(err) {
			t.Errorf("got %+v, %v", a, err)
		}
	})
	if _, err := Ask(t.Context(), name, 0); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if len(asked) != 1 {
		t.Error("another user can have Check called")
	}
}

func TestAsk_TrustsNoOtherUser(t *testing.T) {
	name := unique(t)
	var l *net.UnixListener
	asUser(t, nobody, func() {
		var err error
		if l, err = net.ListenUnix("unix", &net.UnixAddr{Name: addressPrefix(name) + "0", Net: "unix"}); err != nil {
			t.Error(err)
		}
	})
	defer l.Close()
	// Ask must not read from it, or this would block forever: its PID is that of this process.
	asUser(t, daemonUser, func() {
		if a, err := Ask(t.Context(), name, 0); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %+v, %v", a, err)
		}
	})
	if a, err := Ask(t.Context(), name, os.Getpid()); !errors.Is(err, ErrNone) {
		t.Errorf("as a process of the manager: got %+v, %v", a, err)
	}
	open(t, name)
	for _, pid := range []int{0, os.Getpid()} {
		if a, err := Ask(t.Context(), name, pid); err != nil || a.State != "running" {
			t.Errorf("the run itself, as process %d: got %+v, %v", pid, a, err)
		}
	}
}
