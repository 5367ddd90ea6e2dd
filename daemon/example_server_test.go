package daemon_test

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-glidepath/glidepath/daemon"
)

type server struct{ http http.Server }

func (s *server) Start(ctx context.Context) error {
	listener, err := daemon.Listen(ctx, "http", "tcp", "127.0.0.1:8080")
	if err != nil {
		return err
	}
	daemon.Go(ctx, func(context.Context) error {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err // the program fails
		}
		return nil
	})
	return nil // it serves
}

func (s *server) Stop(ctx context.Context) error {
	return s.http.Shutdown(ctx) // returns when the last request is answered
}

// A server begins to listen in Start, serves on a goroutine, and finishes its requests in
// Stop.
func Example_server() {
	daemon.Main(&server{}, daemon.Config{Name: "web"})
}
