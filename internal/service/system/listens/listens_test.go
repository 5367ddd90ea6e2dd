//go:build linux

package listens

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProcessThatListensIsNamed(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s, process %d", strings.TrimSpace(string(comm)), os.Getpid())
	listen := func(network, address string) string {
		t.Helper()
		if network == "udp" {
			c, err := net.ListenPacket(network, address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return c.LocalAddr().String()
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	one := listen("tcp", "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(one)
	all := listen("tcp", "0.0.0.0:0")
	_, open, _ := net.SplitHostPort(all)
	datagrams := listen("udp", "127.0.0.1:0")
	_, udp, _ := net.SplitHostPort(datagrams)
	path := filepath.Join(t.TempDir(), "s")
	listen("unix", path)
	for _, test := range []struct {
		network, address string
		ours             bool
	}{
		{"tcp", one, true},
		{"tcp", ":" + port, true}, // it would take that address, too
		{"tcp4", "0.0.0.0:" + port, true},
		{"tcp", "127.0.0.2:" + port, false},
		{"udp", one, false},
		{"tcp", "127.0.0.2:" + open, true},
		{"udp", datagrams, true},
		{"tcp", "127.0.0.1:" + udp, false},
		{"unix", path, true},
		{"unix", path + "x", false},
		{"tcp", "nonsense", false},
		{"sctp", one, false},
	} {
		// Another process may have the same port in another way.
		if got := Who(test.network, test.address); (got == want) != test.ours {
			t.Errorf("%s %s: %q; it is ours: %t", test.network, test.address, got, test.ours)
		}
	}
}
