package logtext

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// pty opens a terminal that nobody reads.
func pty(t *testing.T) (*os.File, error) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	side, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil {
		t.Cleanup(func() { _ = side.Close() })
	}
	return side, err
}

func TestCore_UnreadTerminalDelaysNoCall(t *testing.T) {
	side, err := pty(t)
	if err != nil {
		t.Fatal(err)
	}
	core := New(Options{File: side, Format: Terminal, Colour: true}, zap.InfoLevel)
	log := zap.New(core)
	const records = 10_000
	for range records {
		log.Info("x", zap.String("fill", strings.Repeat("x", 1000)))
	}
	if core.Lost() == 0 {
		t.Error("nothing was lost")
	}
	if core.Drain(t.Context()) == nil {
		t.Error("Drain has no error")
	}
	if err := core.Close(t.Context()); err == nil {
		t.Error("Close has no error")
	}
}

func TestLook_Colours(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"TERM": "xterm"}, true},
		{map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true},
		{map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		{map[string]string{"TERM": "dumb"}, false},
		{nil, false},
	} {
		side, err := pty(t)
		if err != nil {
			t.Fatal(err)
		}
		terminal, colour := Look(side, func(k string) string { return c.env[k] })
		if !terminal || colour != c.want {
			t.Errorf("%v: %t, %t", c.env, terminal, colour)
		}
	}
}
