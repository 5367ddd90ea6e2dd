//go:build unix

package syslog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

func TestRoom_Busybox(t *testing.T) {
	root := t.TempDir()
	is := func(want int) {
		t.Helper()
		if got := room(root); got != want {
			t.Errorf("%d bytes, want %d", got, want)
		}
	}
	is(maxMessage)
	link := func(to, from string) {
		t.Helper()
		file := filepath.Join(root, from)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.RemoveAll(file), os.Symlink(to, file)); err != nil {
			t.Fatal(err)
		}
	}
	link("inetutils-syslogd", "/sbin/syslogd")
	is(maxMessage)
	link("/bin/busybox", "/sbin/syslogd")
	is(maxBusybox)
	link("../bin/busybox", "/usr/sbin/syslogd")
	if err := os.Remove(filepath.Join(root, "/sbin/syslogd")); err != nil {
		t.Fatal(err)
	}
	is(maxBusybox)
	if err := os.WriteFile(filepath.Join(root, "/usr/sbin/rsyslogd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	is(maxMessage)
}

func TestWrite_MessagesStayShortEnough(t *testing.T) {
	path := socket(t)
	conn := syslogd(t, path)
	w, err := newWriter([]string{path}, tag("web"), maxBusybox)
	if err != nil {
		t.Fatal(err)
	}
	c := &Core{Sink: queue.NewSink(zap.DebugLevel, w.queue), w: w, text: w.text}
	defer func() { _ = c.Close(t.Context()) }()
	long := strings.Repeat("é", 500)
	write(t, c, zap.InfoLevel, "m", zap.String("k", long))
	var whole string
	for n := 1; strings.Count(whole, "é") < 500; n++ {
		got := receive(t, conn)
		body, ok := strings.CutPrefix(got, "<30>"+head)
		if !ok || len(got) > maxBusybox || n < 4 && len(got) < maxBusybox-10 || strings.ToValidUTF8(got, "") != got {
			t.Fatalf("got %d bytes: %q", len(got), got)
		}
		whole += strings.TrimPrefix(body, "    ")
	}
	if whole != "m k="+long {
		t.Errorf("it says %q", whole)
	}
}
