package health

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

func open(t *testing.T, name string) *Host {
	t.Helper()
	h := New(name)
	h.Open(host.Run{Check: well, Debug: func(msg string, fields ...zap.Field) { t.Error(msg, fields) }})
	t.Cleanup(func() { h.Close(context.Background()) })
	h.Tell(host.Status{State: lifecycle.Running})
	return h
}

func TestHost_AnswersUntilClosed(t *testing.T) {
	name := t.Name()
	h := open(t, name)
	for range 3 {
		a, err := Ask(t.Context(), name, os.Getpid())
		if err != nil || a.State != "running" || a.PID != os.Getpid() {
			t.Fatalf("got %+v, %v", a, err)
		}
	}
	if a, err := Ask(t.Context(), name, 4); !errors.Is(err, ErrNone) {
		t.Errorf("the process of another service: got %+v, %v", a, err)
	}
	h.Close(t.Context())
	if a, err := Ask(t.Context(), name, os.Getpid()); !errors.Is(err, ErrNone) {
		t.Errorf("after the end: got %+v, %v", a, err)
	}
}

func TestAsk_FindsARunWithoutItsPID(t *testing.T) {
	name := t.Name()
	open(t, name)
	a, err := Ask(t.Context(), name, 0)
	if wine() { // Wine does not list pipes
		if !errors.Is(err, windows.ERROR_BAD_DEV_TYPE) {
			t.Errorf("got %+v, %v", a, err)
		}
		return
	}
	if err != nil || a.State != "running" || a.PID != os.Getpid() {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestHost_ClientThatLeavesEarly(t *testing.T) {
	name := t.Name()
	open(t, name)
	for range 20 {
		p, err := connect(t.Context(), pipePath(name, os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if a, err := Ask(t.Context(), name, os.Getpid()); err != nil || a.State != "running" {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestHost_ManyClientsAtOnce(t *testing.T) {
	name := t.Name()
	open(t, name)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if a, err := Ask(t.Context(), name, os.Getpid()); err != nil || a.State != "running" {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
	all.Wait()
}

func TestListen_RefusesANameInUse(t *testing.T) {
	name := t.Name()
	open(t, name)
	l, err := listen(name)
	switch {
	case err == nil:
		l.(*pipes).release()
	case !errors.Is(err, windows.ERROR_ACCESS_DENIED):
		t.Errorf("a second one fails with %v", err)
	}
	// Wine ignores FILE_FLAG_FIRST_PIPE_INSTANCE.
	if err == nil && !wine() {
		t.Error("a second one listens at the same pipe")
	}
}

func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
