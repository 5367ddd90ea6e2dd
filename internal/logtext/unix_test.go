//go:build unix

package logtext

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

func TestASocketThatNobodyReadsHoldsUpNobody(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	w, r := os.NewFile(uintptr(fds[0]), "w"), os.NewFile(uintptr(fds[1]), "r")
	defer func() { _, _ = w.Close(), r.Close() }()
	core := New(Options{File: w, Format: Prefixed}, zap.InfoLevel)
	log := zap.New(core)
	begun := time.Now()
	const records = 1000
	for range records {
		log.Info("x", zap.String("fill", strings.Repeat("x", 10_000)))
	}
	if took := time.Since(begun); core.Lost() == 0 || took > records*patience/3 {
		t.Errorf("%d were lost, it took %v", core.Lost(), took)
	}
	if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("the flags of the descriptor are %#x, %v", flags, err)
	}
}

func TestAReaderThatHasGoneIsNoEnd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	core := New(Options{File: w}, zap.InfoLevel)
	_ = r.Close()
	zap.New(core).Info("x")
	if core.Lost() != 1 {
		t.Errorf("%d lost", core.Lost())
	}
	if err := core.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsLoggedWaitsForRoomWhereItCannotBeOpenedAgain(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	w.Fd() // has a write wait
	o := newOutput(w)
	if err := o.close(0); err != nil { // from here on as where there is no /proc
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 10_000) + "\n")
	var n int
	for range 100 {
		m, err := o.write(line, time.Millisecond)
		if n += m; err != nil {
			break
		}
	}
	if n == 0 || n > 1<<20-1 {
		t.Errorf("%d bytes are written", n)
	}
}
