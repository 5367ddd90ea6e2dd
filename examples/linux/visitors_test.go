package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

// open starts visitors in ctx. closed stops them.
func open(t *testing.T, ctx context.Context) (v *visitors, closed func()) {
	t.Helper()
	v = newVisitors("127.0.0.1:0")
	if err := v.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return v, func() {
		if err := v.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}

// request returns the status and the body of the answer.
func request(t *testing.T, v *visitors, method, path, authorization string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+v.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.Status[:3] + " " + strings.TrimSpace(string(body))
}

// asks checks the answer to a request.
func asks(t *testing.T, v *visitors, method, path, authorization, want string) {
	t.Helper()
	if got := request(t, v, method, path, authorization); got != want {
		t.Errorf("%s %s: %q, want %q", method, path, got, want)
	}
}

func TestStop_SavesTheCount(t *testing.T) {
	ctx := daemontest.Context(t)
	v, closed := open(t, ctx)
	asks(t, v, "GET", "/", "", "200 hello, visitor 1")
	asks(t, v, "GET", "/", "", "200 hello, visitor 2")
	closed()
	v, closed = open(t, ctx)
	defer closed()
	asks(t, v, "GET", "/", "", "200 hello, visitor 3")
}

func TestStart_FailsIfTheCountIsNotANumber(t *testing.T) {
	ctx := daemontest.Context(t)
	paths, err := daemon.Directories(ctx)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(paths.State, "count"), "many")
	if err := newVisitors("127.0.0.1:0").Start(ctx); err == nil || !strings.Contains(err.Error(), "many") {
		t.Errorf("got %v", err)
	}
}

func TestReload_ReadsTheGreetingAgain(t *testing.T) {
	ctx := daemontest.Context(t)
	v, closed := open(t, ctx)
	defer closed()
	file := filepath.Join(v.paths.Configuration, "greeting")
	write(t, file, "bonjour\n")
	asks(t, v, "GET", "/", "", "200 hello, visitor 1")
	if err := v.Reload(ctx); err != nil {
		t.Error(err)
	}
	asks(t, v, "GET", "/", "", "200 bonjour, visitor 2")

	write(t, file, "\n")
	if err := v.Reload(ctx); !errors.Is(err, daemon.ErrConfig) {
		t.Errorf("an empty greeting: %v", err)
	}
	asks(t, v, "GET", "/", "", "200 bonjour, visitor 3")
}

func TestReset_NeedsTheToken(t *testing.T) {
	const refused = "401 want Authorization: Bearer, and the token"
	v, closed := open(t, daemontest.Context(t))
	asks(t, v, "POST", "/reset", "Bearer ", refused) // there is no token
	closed()

	dir := t.TempDir()
	write(t, filepath.Join(dir, token), "sesame\n")
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	v, closed = open(t, daemontest.Context(t))
	defer closed()
	asks(t, v, "GET", "/", "", "200 hello, visitor 1")
	asks(t, v, "POST", "/reset", "Bearer sesam", refused)
	asks(t, v, "POST", "/reset", "Bearer sesame", "200 done")
	asks(t, v, "GET", "/", "", "200 hello, visitor 1")
}

func TestStart_FailsWithoutTheCredential(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	if err := newVisitors("127.0.0.1:0").Start(daemontest.Context(t)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestCheck_FailsWhileItHangs(t *testing.T) {
	v := newVisitors("")
	if err := v.Check(t.Context()); err != nil {
		t.Error(err)
	}
	v.mu.Lock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // half of the watchdog's interval is over
	if err := v.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an error", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var (
	_ daemon.Reloader = (*visitors)(nil)
	_ daemon.Checker  = (*visitors)(nil)
)
