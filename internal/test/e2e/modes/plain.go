package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

func wellBehaved() map[string]daemon.Program {
	return map[string]daemon.Program{
		"plain":    program{},
		"hello":    program{start: says("STARTED", nil), stop: says("STOPPED", nil)},
		"termself": program{start: terminateItself, stop: says("STOPPED", nil)},
		"goret":    worker(says("RETURNED", nil)),
		"slog":     program{start: logBySlog},
		"handler":  &server{},
	}
}

// terminateItself is a stop as early as one can be heard.
func terminateItself(context.Context) error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(syscall.SIGTERM)
}

func logBySlog(context.Context) error {
	slog.Info("by slog", "a", 1)
	return nil
}

// server logs, and starts goroutines, in handlers whose contexts are not made from that
// of Start. It ends when it has served one of each.
type server struct{ http http.Server }

func (s *server) Start(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/log", func(_ http.ResponseWriter, r *http.Request) {
		daemon.Logger(r.Context()).Error("the payment failed", zap.Int("customer", 7))
	})
	mux.HandleFunc("/go", func(_ http.ResponseWriter, r *http.Request) {
		daemon.Go(r.Context(), func(ctx context.Context) error {
			defer fmt.Println("THE GOROUTINE ENDS")
			daemon.Finish(ctx)
			return until(ctx)
		})
	})
	s.http.Handler = mux
	daemon.Go(ctx, func(context.Context) error { return s.http.Serve(l) })
	daemon.Go(ctx, func(context.Context) error {
		for _, path := range []string{"/log", "/go"} {
			answer, err := http.Get("http://" + l.Addr().String() + path)
			if err != nil {
				return err
			}
			if err := answer.Body.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

func (s *server) Stop(ctx context.Context) error { return s.http.Shutdown(ctx) }
