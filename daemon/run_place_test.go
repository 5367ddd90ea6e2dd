package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
)

// recordingHost is a host that records its calls.
type recordingHost []string

func (h *recordingHost) Open(host.Run)         { *h = append(*h, "open") }
func (h *recordingHost) Tell(s host.Status)    { *h = append(*h, s.State.String()+": "+s.Reason) }
func (h *recordingHost) Close(context.Context) { *h = append(*h, "close") }

func TestRun_TellsTheManagerAboutAWrongConfiguration(t *testing.T) {
	var h recordingHost
	ctx := host.NewContext(t.Context(), host.Env{Hosts: []host.Host{&h}})
	err := Run(ctx, idle{}, Config{})
	if got := strings.Join(h, ", "); !errors.Is(err, ErrConfig) || got != "open, "+lifecycle.Stopped.String()+": "+err.Error()+", close" {
		t.Errorf("it is told %q, and the error is %v", got, err)
	}
}

func TestRun_HostSCMOutsideOfAService(t *testing.T) {
	err := Run(t.Context(), idle{}, Config{Name: "web", Host: HostSCM})
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), `Config.Host is "scm"`) {
		t.Errorf("got %v", err)
	}
}

func TestThisProcess_HostCanBeForced(t *testing.T) {
	for want, hosts := range map[Host]int{"": 2, HostConsole: 1, HostSystemd: 2} {
		t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "notify"))
		env, err := thisProcess(Config{Host: want}, false)
		if err != nil || len(env.Hosts) != hosts || env.Dir != "" {
			t.Errorf("as %q: %d hosts, in %q, %v", want, len(env.Hosts), env.Dir, err)
		}
		if _, ok := os.LookupEnv("NOTIFY_SOCKET"); ok {
			t.Errorf("as %q: children inherit the socket", want)
		}
	}
}

func TestRun_ChangesToTheWorkingDirectory(t *testing.T) {
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chdir(before) })
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	where := ""
	p := Func(func(context.Context, func()) error { where, err = os.Getwd(); return err })
	ctx := host.NewContext(t.Context(), host.Env{Dir: dir})
	if err := Run(ctx, p, Config{Name: "web"}); err != nil || where != dir {
		t.Errorf("it runs in %s, %v", where, err)
	}
	if err := os.Chdir(before); err != nil {
		t.Fatal(err)
	}
}

func TestThisProcess_InvalidSocketsAreNotTaken(t *testing.T) {
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("LISTEN_FDS", "none")
	env, err := thisProcess(Config{}, false)
	if err != nil || len(env.Sockets) > 0 || env.Untaken == nil || os.Getenv("LISTEN_FDS") != "" {
		t.Errorf("taken: %v, because of %v, %v; LISTEN_FDS is %q", env.Sockets, env.Untaken, err, os.Getenv("LISTEN_FDS"))
	}
}
