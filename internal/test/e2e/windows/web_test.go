//go:build linux

package windows

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestWebLosesNoRequestWhenItIsStopped(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String() // nobody else takes it so soon
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "web", "-addr="+addr)
	s.start()
	s.await(running)
	if err := slow(addr, 0); err != nil {
		t.Error(err)
	}

	const clients = 8
	answers := make(chan error, clients)
	for range clients {
		go func() { answers <- slow(addr, 2*time.Second) }()
	}
	time.Sleep(time.Second) // until the server has begun with all of them
	s.control(controlStop, 0)
	s.await(stopped)
	s.is(0, 0)
	for range clients {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if err := slow(addr, 0); err == nil {
		t.Error("there still is an answer")
	}
}

// slow asks for an answer that takes so long.
func slow(addr string, d time.Duration) error {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get(fmt.Sprintf("http://%s/slow?for=%s", addr, d))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if want := fmt.Sprintf("this took %s\n", d); err != nil || string(text) != want {
		return fmt.Errorf("the answer is %q, %v; want %q", text, err, want)
	}
	return nil
}

func TestTheExampleForWindowsRefusesWhatIsNoNumber(t *testing.T) {
	t.Parallel()
	s := newService(t, "windows")
	s.start("no-number")
	s.await(stopped)
	s.is(errServiceSpecific, 78)
}
