package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/daemon"
)

// load sends requests from several clients until the server does not answer any more. It
// notes which requests were answered in full.
type load struct {
	begun    sync.Map // the ids of the requests that a handler has begun to serve
	answered sync.Map
	count    atomic.Int64
	reset    atomic.Int64  // how many clients lost their connection before a handler got the request
	enough   chan struct{} // closed when the server is under load
}

// observe notes which requests reach a handler.
func (l *load) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.begun.Store(r.Header.Get("Request-Id"), true)
		next.ServeHTTP(w, r)
	})
}

func (l *load) client(n int, base string, enough int64) {
	transport := &http.Transport{DisableKeepAlives: n%2 == 0} // both kinds of clients
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	for i := 0; ; i++ {
		path, want := "/", "hello\n"
		if i%3 == 0 {
			path, want = "/slow?for=20ms", "this took 20ms\n"
		}
		id := fmt.Sprintf("%d-%d", n, i)
		r, err := http.NewRequest(http.MethodGet, base+path, nil)
		if err != nil {
			panic(err)
		}
		r.Header.Set("Request-Id", id)
		response, err := client.Do(r)
		if err != nil {
			l.end(err)
			return
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && response.StatusCode == http.StatusOK && string(body) == want {
			l.answered.Store(id, true)
		}
		if l.count.Add(1) == enough {
			close(l.enough)
		}
	}
}

// end notes how a client noticed that the server does not answer any more: it could not
// connect, or its connection was closed. The ids show whether a request was lost with it.
func (l *load) end(err error) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" {
		l.reset.Add(1)
	}
}

// serving is a server that sends its address to ready when it serves.
type serving struct {
	*server
	ready chan string
}

func (s serving) Start(ctx context.Context) error {
	err := s.server.Start(ctx)
	s.ready <- s.addr
	return err
}

func TestStop_LosesNoRequest(t *testing.T) {
	const rounds, clients, enough = 20, 8, 200
	total, reset := 0, int64(0)
	for round := range rounds {
		l := &load{enough: make(chan struct{})}
		s := serving{newServer("127.0.0.1:0"), make(chan string, 1)}
		s.handler = l.observe(s.handler)
		ctx, stop := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() { result <- daemon.Run(ctx, s, daemon.Config{Name: "web", Logger: zap.NewNop()}) }()

		base := "http://" + <-s.ready
		var wg sync.WaitGroup
		for n := range clients {
			wg.Go(func() { l.client(n, base, enough) })
		}
		<-l.enough
		stop() // under full load
		if err := <-result; err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		wg.Wait()
		reset += l.reset.Load()
		l.begun.Range(func(id, _ any) bool {
			total++
			if _, ok := l.answered.Load(id); !ok {
				t.Errorf("round %d: request %s reached a handler, but its client got no answer", round, id)
			}
			return true
		})
	}
	t.Logf("%d requests in %d rounds, each stopped under load; %d clients lost their connection before a handler got the request", total, rounds, reset)
}

func TestStop_ServesNewConnectionsUntilTheListenerCloses(t *testing.T) {
	s := serving{newServer("127.0.0.1:0"), make(chan string, 1)}
	stopping := make(chan struct{})
	s.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	ctx, stop := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		result <- daemon.Run(ctx, s, daemon.Config{Name: "web", DrainDelay: 300 * time.Millisecond, Logger: zap.NewNop()})
	}()
	base := "http://" + <-s.ready
	go func() { stop(); close(stopping) }()
	<-stopping
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	served := 0
	for {
		response, err := client.Get(base)
		if err != nil {
			break
		}
		_ = response.Body.Close()
		served++
	}
	if served == 0 {
		t.Error("no new connection was served after the stop was requested")
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestStart_FailsIfThePortIsInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = daemon.Run(context.Background(), newServer(taken.Addr().String()), daemon.Config{Name: "web", Logger: zap.NewNop()})
	if code := daemon.ExitCode(err); code != 1 {
		t.Errorf("exit code %d, %v", code, err)
	}
}

func TestSlow_RefusesWrongDurations(t *testing.T) {
	for _, query := range []string{"for=soon", "for=-1s", "for=1h"} {
		w := httptest.NewRecorder()
		newServer("").handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow?"+query, nil))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
