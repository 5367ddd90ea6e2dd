package daemon

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/windows"
)

func TestAddressInUse_IncludesExclusiveUse(t *testing.T) {
	for code, want := range map[error]bool{windows.WSAEADDRINUSE: true, windows.WSAEACCES: true, windows.WSAEADDRNOTAVAIL: false} {
		err := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", code)}
		if got := addressInUse(err); got != want {
			t.Errorf("%v is in use: %t", err, got)
		}
	}
}
