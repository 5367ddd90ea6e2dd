//go:build linux

package windows

import (
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var ending = regexp.MustCompile(`ended after (\d+) ms with (\d+)`)

// atConsole is a probe in a console.
type atConsole struct {
	*testbed.Terminal
	t     *testing.T
	notes notebook
}

// newConsole runs a probe in a console, where the event happens to it when it has
// started.
func newConsole(t *testing.T, event string, args ...string) atConsole {
	t.Helper()
	requireWindows(t)
	t.Parallel()
	notes := newNotebook(t, "console-"+strconv.Itoa(int(services.Add(1))))
	args = append([]string{event, notes.file, testbed.WindowsPath(filepath.Join(programs, "probe.exe")), notes.flag, "-why"}, args...)
	terminal, err := machine.WineTerminal(t.Context(), filepath.Join(programs, "console.exe"), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	})
	return atConsole{terminal, t, notes}
}

func (c atConsole) press(keys string) {
	c.t.Helper()
	if err := c.Press(keys); err != nil {
		c.t.Fatal(err)
	}
}

// ends waits for the end and asserts the exit code. It returns how long after the start
// that was.
func (c atConsole) ends(code int) time.Duration {
	c.t.Helper()
	if _, err := c.Wait(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	found := ending.FindStringSubmatch(c.Screen())
	if found == nil || found[2] != strconv.Itoa(code) {
		c.t.Fatalf("it has not ended with %d; the screen says:\n%s", code, c.Screen())
	}
	ms, _ := strconv.Atoi(found[1])
	return time.Duration(ms) * time.Millisecond
}

func TestCtrlCStopsTheProgram(t *testing.T) {
	c := newConsole(t, "wait", "-stop-after=1s")
	c.notes.await("started")
	c.press("\x03")
	c.ends(0)
	c.notes.says("starting", c.notes.where(), "started", "stopping", "interrupt (CTRL_C) within 30s", "stopped")
}

func TestASecondCtrlCDoesNotWait(t *testing.T) {
	c := newConsole(t, "wait", "-stop-after=20s")
	c.notes.await("started")
	c.press("\x03")
	c.notes.await("stopping")
	time.Sleep(300 * time.Millisecond)
	c.press("\x03")
	if took := c.ends(130); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestEachConsoleEventHasItsBudget(t *testing.T) {
	for event, why := range map[string]string{
		"break":    "interrupt (CTRL_BREAK) within 30s",
		"close":    "console close (CTRL_CLOSE) within 4.5s",
		"logoff":   "console close (CTRL_LOGOFF) within 4.5s",
		"shutdown": "console close (CTRL_SHUTDOWN) within 4.5s",
	} {
		t.Run(event, func(t *testing.T) {
			c := newConsole(t, event, "-stop-after=1s")
			c.ends(0)
			c.notes.says("starting", c.notes.where(), "started", "stopping", why, "stopped")
		})
	}
}

func TestAProgramThatIsSlowWhenItsConsoleClosesIsGivenUpAfterItsBudget(t *testing.T) {
	c := newConsole(t, "close", "-stop-ignores-deadline")
	if took := c.ends(124); took < 4700*time.Millisecond || took > 8*time.Second {
		t.Errorf("it took %s, want 4.75 s", took) // Windows ends it after 5 s
	}
}
