//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The keys of a terminal.
const (
	ctrlC = "\x03"
	ctrlS = "\x13"
)

// terminal is a pseudo-terminal. The test is the person before it.
type terminal struct {
	t      *testing.T
	master *os.File
	name   string
	screen output
	hangUp func()
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	// Not os.OpenFile, whose Fd would make it blocking: Close is to end Read.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("open a pseudo-terminal: %v", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatalf("unlock the pseudo-terminal: %v", err)
	}
	term := &terminal{t: t, master: os.NewFile(uintptr(fd), "ptmx"), name: fmt.Sprintf("/dev/pts/%d", number)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := term.master.Read(buf)
			_, _ = term.screen.Write(buf[:n])
			if err != nil && !errors.Is(err, syscall.EIO) {
				return
			}
			if err != nil {
				// Nobody has the other side open yet, or any more.
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	term.hangUp = sync.OnceFunc(func() {
		_ = term.master.Close()
		<-read
	})
	t.Cleanup(func() {
		term.hangUp()
		if t.Failed() {
			t.Logf("the screen:\n%s", &term.screen)
		}
	})
	return term
}

// open opens the side of the terminal where programs are.
func (term *terminal) open(flags int) *os.File {
	term.t.Helper()
	f, err := os.OpenFile(term.name, os.O_RDWR|unix.O_NOCTTY|flags, 0)
	if err != nil {
		term.t.Fatal(err)
	}
	return f
}

// launch starts cmd at the terminal.
func (term *terminal) launch(cmd *exec.Cmd) *process {
	term.t.Helper()
	side := term.open(0)
	defer func() { _ = side.Close() }()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	cmd.SysProcAttr.Setctty = true // of descriptor 0
	return launch(term.t, cmd)
}

// press presses a key.
func (term *terminal) press(key string) {
	term.t.Helper()
	if _, err := term.master.WriteString(key); err != nil {
		term.t.Fatal(err)
	}
}

// awaits waits until the screen shows something.
func (term *terminal) awaits(text string) {
	term.t.Helper()
	eventually(term.t, func() string {
		if strings.Contains(term.screen.String(), text) {
			return ""
		}
		return "the screen does not show " + text
	})
}

// awaitStopped waits until the terminal takes no output.
func (term *terminal) awaitStopped() {
	term.t.Helper()
	side := term.open(unix.O_NONBLOCK)
	defer func() { _ = side.Close() }()
	fd := int(side.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		term.t.Fatal(err)
	}
	eventually(term.t, func() string {
		if _, err := unix.Write(fd, []byte(".")); !errors.Is(err, unix.EAGAIN) {
			return fmt.Sprintf("the terminal still takes output (%v)", err)
		}
		return ""
	})
}
