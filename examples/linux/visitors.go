package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

const (
	socket = "http"  // the name of the socket in systemd
	token  = "token" // the name of the credential
)

// visitors implements daemon.Program, daemon.Reloader and daemon.Checker.
type visitors struct {
	addr  string
	paths daemon.Paths
	token string // authorizes a reset; if empty, nobody may reset
	http  *http.Server

	mu       sync.Mutex
	greeting string
	count    int
}

func newVisitors(addr string) *visitors { return &visitors{addr: addr} }

// Start returns when the server accepts visitors. Under systemd the first one may be waiting
// already.
func (v *visitors) Start(ctx context.Context) (err error) {
	if v.paths, err = daemon.Directories(ctx); err != nil {
		return err
	}
	if v.token, err = credential(token); err != nil {
		return err
	}
	if err := errors.Join(v.remember(), v.Reload(ctx)); err != nil {
		return err
	}
	listener, err := daemon.Listen(ctx, socket, "tcp", v.addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.visit)
	mux.HandleFunc("POST /reset", v.reset)
	v.addr = listener.Addr().String()
	v.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	daemon.Go(ctx, func(context.Context) error {
		if err := v.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	daemon.Logger(ctx).Info("open", zap.String("url", "http://"+v.addr), zap.String("state", v.paths.State))
	return nil
}

// Stop waits until the current visitors are served, and saves the count. Under systemd, later
// visitors wait at the socket for the next start.
func (v *visitors) Stop(ctx context.Context) error {
	err := v.http.Shutdown(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(err, os.WriteFile(v.counter(), []byte(strconv.Itoa(v.count)), 0o600))
}

// Reload reads the greeting again. systemctl reload waits until it is in use. If Reload
// fails, the last greeting stays. systemctl reload succeeds all the same, and systemctl
// status shows the error.
func (v *visitors) Reload(context.Context) error {
	file := filepath.Join(v.paths.Configuration, "greeting")
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the greeting: %w", err)
	}
	greeting := strings.TrimSpace(string(text))
	if err == nil && greeting == "" {
		return fmt.Errorf("%w: %s is empty", daemon.ErrConfig, file)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.greeting = cmp.Or(greeting, "hello")
	return nil
}

// Check is called for the watchdog. It reports an error if it cannot get the lock: if a
// visitor holds it forever, systemd restarts the program.
func (v *visitors) Check(ctx context.Context) error {
	for !v.mu.TryLock() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("a visitor holds the lock: %w", ctx.Err())
		}
	}
	v.mu.Unlock()
	return nil
}

func (v *visitors) counter() string { return filepath.Join(v.paths.State, "count") }

// remember reads the count that the last run has saved.
func (v *visitors) remember() error {
	text, err := os.ReadFile(v.counter())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		v.count, err = strconv.Atoi(string(text))
	}
	if err != nil {
		return fmt.Errorf("read the count: %w", err)
	}
	return nil
}

// credential returns a secret that systemd has read for the program, "" if there is none.
func credential(name string) (string, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return "", fmt.Errorf("read a credential: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (v *visitors) visit(w http.ResponseWriter, _ *http.Request) {
	v.mu.Lock()
	v.count++
	greeting, count := v.greeting, v.count
	v.mu.Unlock()
	_, _ = fmt.Fprintf(w, "%s, visitor %d\n", greeting, count)
}

// reset sets the count to 0 for clients that know the token.
func (v *visitors) reset(w http.ResponseWriter, r *http.Request) {
	given := r.Header.Get("Authorization")
	if v.token == "" || subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+v.token)) != 1 {
		http.Error(w, "want Authorization: Bearer, and the token", http.StatusUnauthorized)
		return
	}
	v.mu.Lock()
	v.count = 0
	v.mu.Unlock()
	_, _ = fmt.Fprintln(w, "done")
}
