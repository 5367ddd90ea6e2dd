//go:build unix

package main

import (
	"net"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/daemontest"
)

func TestStart_ServesTheSocketOfTheManager(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ctx := daemontest.Context(t)
	daemontest.HandOver(ctx, socket, f)
	v, closed := open(t, ctx)
	defer closed()
	if v.addr != l.Addr().String() {
		t.Errorf("it listens on %s, want %s", v.addr, l.Addr())
	}
	asks(t, v, "GET", "/", "", "200 hello, visitor 1")
}
