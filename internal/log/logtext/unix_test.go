//go:build unix

package logtext

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/go-glidepath/glidepath/internal/log/queue"
)

// pair returns two connected sockets.
func pair(t *testing.T) (w, r *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, r = os.NewFile(uintptr(fds[0]), "w"), os.NewFile(uintptr(fds[1]), "r")
	t.Cleanup(func() { _, _ = w.Close(), r.Close() })
	return w, r
}

func TestCore_UnreadSocketDelaysNoCallAndKeepsItsFlags(t *testing.T) {
	w, r := pair(t)
	core := New(Options{File: w, Format: Prefixed}, zap.InfoLevel)
	log := zap.New(core)
	const records = 1000
	for range records {
		log.Info("x", zap.String("fill", strings.Repeat("x", 10_000)))
	}
	if core.Lost() == 0 {
		t.Error("nothing was lost")
	}
	if flags, err := unix.FcntlInt(w.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("the flags of the descriptor are %#x, %v", flags, err)
	}
	lines := make(chan int)
	go func() {
		b, _ := io.ReadAll(r)
		lines <- strings.Count(string(b), "\n")
	}()
	shut(t, core)
	_ = w.Close()
	if n := <-lines; n+int(core.Lost()) != records+1 { // and the report about them
		t.Errorf("%d lines, %d lost", n, core.Lost())
	}
}

func TestCore_DescriptorIsNeitherInheritedNorLeaked(t *testing.T) {
	w, _ := pair(t)
	core := New(Options{File: w}, zap.InfoLevel)
	fd := newOutput(w)
	if flags, err := unix.FcntlInt(uintptr(fd.fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %x, %v", flags, err)
	}
	if err := fd.Close(); err != nil {
		t.Error(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd.fd), unix.F_GETFD, 0); err == nil {
		t.Error("it is still open")
	}
	shut(t, core)
}

func TestCore_MissingReaderDelaysNoCall(t *testing.T) {
	core, r := pipeOf(t, JSON)
	_ = r.Close()
	log := zap.New(core)
	for range 100 {
		log.Info("x")
	}
	if core.Drain(t.Context()) == nil || core.Lost() != 100 {
		t.Errorf("%d lost", core.Lost())
	}
	if err := core.Close(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "100 log records were lost") {
		t.Errorf("Close: %v", err)
	}
}

func TestCore_NamedPipeReceivesWaitingRecords(t *testing.T) {
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	core := New(Options{File: w}, zap.InfoLevel)
	_ = w.Close() // now the pipe has no reader
	log := zap.New(core)
	log.Info("one")
	log.Info("two")
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	shut(t, core)
	b, err := io.ReadAll(r)
	if err != nil || strings.Count(string(b), "\n") != 2 || core.Lost() != 0 {
		t.Errorf("got %q, %v, %d lost", b, err, core.Lost())
	}
}

func TestOutput_WritesOnlyWhatFitsIfReopeningFails(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	w.Fd() // makes a write block
	fd, err := duplicate(w)
	if err != nil {
		t.Fatal(err)
	}
	o := &output{fd: fd, kind: pipe} // as on a system without /proc
	defer func() { _ = o.Close() }()
	line := []byte(strings.Repeat("x", 10_000) + "\n")
	var n int
	for {
		m, outcome := o.Send(line)
		if n += m; outcome == queue.Full {
			break
		} else if outcome != queue.Taken || n > 10<<20 {
			t.Fatalf("outcome %d after %d bytes", outcome, n)
		}
	}
	if n == 0 || n > 1<<20-1 {
		t.Errorf("%d bytes are written", n)
	}
	done := make(chan struct{})
	go func() { o.Wait(queue.Full, time.Hour); close(done) }()
	if _, err := io.ReadFull(r, make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	<-done
	if m, outcome := o.Send(line); m != len(line) || outcome != queue.Taken {
		t.Errorf("then %d bytes, outcome %d", m, outcome)
	}
}
