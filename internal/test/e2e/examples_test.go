//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"
)

func TestHelloStartsAndStopsAsAService(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("hello"))
	u.start()
	u.is(running)
	u.stop()
	u.is(clean)
}

func TestWebFinishesTheRequestInFlightWhenItIsStopped(t *testing.T) {
	addr := freeAddress(t)
	u := newUnit(t, "Type=notify", execStart("web", "-addr="+addr))
	u.start()
	if _, body, err := get(t, "http://"+addr+"/", nil); err != nil || body != "hello\n" {
		t.Errorf("/ says %q, %v", body, err)
	}

	sent := make(chan struct{})
	answered := make(chan error, 1)
	go func() {
		status, body, err := get(t, "http://"+addr+"/slow?for=2s", sent)
		if err == nil && (status != http.StatusOK || body != "this took 2s\n") {
			err = fmt.Errorf("/slow says %d %q", status, body)
		}
		answered <- err
	}()
	<-sent
	// A fresh connection that was accepted but not read from is one that may be
	// closed; this lets the server begin.
	time.Sleep(300 * time.Millisecond)
	u.stop()
	u.is(clean)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if _, _, err := get(t, "http://"+addr+"/", nil); err == nil {
		t.Error("there still is an answer")
	}
}

// get closes sent when the request is written.
func get(t *testing.T, url string, sent chan<- struct{}) (status int, body string, err error) {
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if sent != nil {
				close(sent)
			}
		},
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// freeAddress is an address that nobody listens at, in the network that the machine
// shares with the test.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
