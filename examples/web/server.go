package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

// maxSlow limits how long a client may make /slow take.
const maxSlow = 10 * time.Second

type server struct {
	addr    string
	handler http.Handler
	http    *http.Server
}

func newServer(addr string) *server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", hello)
	mux.HandleFunc("GET /slow", slow)
	return &server{addr: addr, handler: mux}
}

// Start returns when the server accepts connections.
func (s *server) Start(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	s.addr = listener.Addr().String()
	s.http = &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		// Requests must not end when stopping begins, so their contexts carry the values of
		// ctx but not its end.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	daemon.Go(ctx, func(context.Context) error {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	daemon.Logger(ctx).Info("serving", zap.String("url", "http://"+s.addr))
	return nil
}

// Stop closes the listener and waits for the requests in flight. It cuts those that are not
// answered by the deadline.
func (s *server) Stop(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were cut: %w", err), s.http.Close())
	}
	return nil
}

func hello(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, "hello")
}

// slow answers after a while, like work that must not be lost.
func slow(w http.ResponseWriter, r *http.Request) {
	d := time.Second
	if q := r.FormValue("for"); q != "" {
		var err error
		if d, err = time.ParseDuration(q); err != nil || d < 0 || d > maxSlow {
			http.Error(w, fmt.Sprintf("for=%q: want a duration up to %s, such as 2s", q, maxSlow), http.StatusBadRequest)
			return
		}
	}
	select {
	case <-time.After(d):
		_, _ = fmt.Fprintf(w, "this took %s\n", d)
	case <-r.Context().Done(): // the client has gone, or the deadline has passed
	}
}
