//go:build linux

package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal that is the console of a Windows program. Its methods may be
// called from any goroutine.
type Terminal struct {
	master *os.File
	cmd    *exec.Cmd
	screen screen
	ended  chan struct{}
	err    error // how the program ended; read it after ended is closed
	hangUp func() error
}

// WineTerminal starts a Windows program at a new terminal. For exe and args see [Machine.Wine].
// The program is killed when ctx ends or Close is called.
func (m *Machine) WineTerminal(ctx context.Context, exe string, args ...string) (*Terminal, error) {
	if err := m.startWindows(ctx); err != nil {
		return nil, err
	}
	master, side, err := m.openTerminal()
	if err != nil {
		return nil, err
	}
	// The program leads its own session with the terminal. That way, keys and the hang-up reach
	// the program and not the nsenter that waits for it.
	cmd, err := m.command(m.withLife(ctx), windowsEnv(), []string{"--", "setsid", "--ctty", "wine"}, windowsProgram(exe), args)
	if err != nil {
		return nil, errors.Join(err, master.Close(), side.Close())
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("run %s at a terminal: %w", exe, err), master.Close(), side.Close())
	}
	t := &Terminal{master: master, cmd: cmd, ended: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		t.screen.readFrom(master)
	}()
	t.hangUp = sync.OnceValue(func() error {
		defer func() { <-read }()
		return master.Close()
	})
	go func() {
		defer close(t.ended)
		t.err = cmd.Wait()
		// Except for processes that the program started, nothing else has the terminal open,
		// so the reader ends.
		_ = side.Close()
		select {
		case <-read:
		case <-time.After(time.Second):
		}
	}()
	return t, nil
}

// openTerminal opens both sides of a new terminal of the machine.
func (m *Machine) openTerminal() (master, side *os.File, err error) {
	if err := m.checkAlive(); err != nil {
		return nil, nil, err
	}
	// Not os.OpenFile: Close must interrupt Read, and calling Fd on its file would make it
	// blocking.
	fd, err := unix.Open(m.Path("/dev/pts/ptmx"), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	// Wide, because Wine breaks lines at the width of the terminal.
	size := &unix.Winsize{Row: 100, Col: 1000}
	err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0), unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size))
	master = os.NewFile(uintptr(fd), "ptmx")
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("unlock the pseudo-terminal: %w", err), master.Close())
	}
	side, err = os.OpenFile(m.Path(fmt.Sprintf("/dev/pts/%d", number)), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, side, nil
}

// Press presses keys, such as "\x03" for Ctrl-C or "text\r".
func (t *Terminal) Press(keys string) error {
	_, err := t.master.WriteString(keys)
	return err
}

// Screen returns what was written to the terminal so far, without colors and cursor movements.
func (t *Terminal) Screen() string { return t.screen.String() }

// HangUp closes the terminal. Wine does not turn that into a CTRL_CLOSE_EVENT: SIGHUP kills the
// program. Screen still works afterwards. A second HangUp does nothing.
func (t *Terminal) HangUp() error { return t.hangUp() }

// Wait waits until the program ends and returns its exit code, as in [Output].
func (t *Terminal) Wait(ctx context.Context) (code int, err error) {
	select {
	case <-t.ended:
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for the program at the terminal: %w\n%s", context.Cause(ctx), t.Screen())
	}
	return exitCode(t.err)
}

// Close hangs up and kills the program if it still runs. A second Close does
// nothing.
func (t *Terminal) Close() error {
	_ = t.cmd.Process.Kill()
	err := t.hangUp()
	<-t.ended
	return err
}

type screen struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (s *screen) readFrom(f *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(buf)
		s.mu.Lock()
		s.buf.Write(buf[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

var controls = regexp.MustCompile(`\x1b\][^\x07]*\x07|\x1b\[[0-9;?]*[A-Za-z]|\r`)

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return controls.ReplaceAllString(s.buf.String(), "")
}
