package sdnotify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMessage_OneAssignmentPerLine(t *testing.T) {
	m := Message{}.Add(Stopping).Extend(90*time.Second).Number("ERRNO", 2).Status("stopping")
	if want := "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\nERRNO=2\nSTATUS=stopping"; string(m) != want {
		t.Errorf("got %q, want %q", m, want)
	}
}

func FuzzStatus(f *testing.F) {
	for _, s := range []string{"", "running", "x\nREADY=1", "a\x00b\r\u2028c", "\xff\xfe", strings.Repeat("ä", Max), strings.Repeat("x", Max-7)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := Message{}.Add(Ready).Status(s)
		switch {
		case len(m) > Max:
			t.Errorf("%d bytes", len(m))
		case !utf8.Valid(m):
			t.Errorf("not UTF-8: %q", m)
		case strings.Count(string(m), "\n") != 1 || strings.ContainsAny(string(m), "\x00\r"):
			t.Errorf("more than one line: %q", m)
		case !strings.HasPrefix(string(m), "READY=1\nSTATUS="):
			t.Errorf("not a status: %q", m)
		}
	})
}

func TestStatus_KeepsShortText(t *testing.T) {
	if m := (Message{}).Status("läuft: 3 of 4"); string(m) != "STATUS=läuft: 3 of 4" {
		t.Errorf("got %q", m)
	}
}

func TestParseAddress(t *testing.T) {
	for s, want := range map[string]address{
		"/run/systemd/notify":    {path: "/run/systemd/notify"},
		"@abstract":              {path: "@abstract"},
		"vsock:2:1234":           {kind: vsockAny, cid: 2, port: 1234},
		"vsock-stream:2:1234":    {kind: vsockStream, cid: 2, port: 1234},
		"vsock-dgram:2:1234":     {kind: vsockDatagram, cid: 2, port: 1234},
		"vsock-seqpacket:2:1234": {kind: vsockPacket, cid: 2, port: 1234},
	} {
		t.Run(s, func(t *testing.T) {
			got, err := parseAddress(s)
			if err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
	for _, s := range []string{
		"", "/", "@", "notify", "tcp:1:2", "vsock", "vsock:", "vsock::1234", "vsock:2", "vsock:2:",
		"vsock:-1:1234", "vsock:4294967295:1234", "vsock:2:4294967296", "vsock:2:1234:5",
	} {
		if got, err := parseAddress(s); err == nil {
			t.Errorf("%q: got %+v, want an error", s, got)
		} else if !strings.Contains(err.Error(), "NOTIFY_SOCKET") {
			t.Errorf("%q: the error does not name the variable: %v", s, err)
		}
	}
}

func TestReloadingAt(t *testing.T) {
	if m := (Message{}).ReloadingAt(1500 * time.Microsecond); string(m) != "RELOADING=1\nMONOTONIC_USEC=1500" {
		t.Errorf("got %q", m)
	}
}
