//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// impatient is longer than two interrupts that count as one are apart.
const impatient = 400 * time.Millisecond

func TestCtrlCIsAGracefulStop(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-after=1s"))
	notes.await("started")
	term.press(ctrlC)
	if took := p.exits(0); took < time.Second-slack {
		t.Errorf("it ended after %s, but Stop takes 1s", took)
	}
	notes.says("starting", "started", "stopping", "stopped")
}

func TestASecondCtrlCDoesNotWaitForStop(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-after=20s"))
	notes.await("started")
	term.press(ctrlC)
	notes.await("stopping")
	p.runs(impatient)
	term.press(ctrlC)
	if took := p.exits(130); took > 10*time.Second {
		t.Errorf("it ended only after %s", took)
	}
	notes.says("starting", "started", "stopping")
}

// inAService gives cmd the environment that a terminal which is a service hands down.
func inAService(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, fmt.Sprintf("SYSTEMD_EXEC_PID=%d", os.Getpid()))
	return cmd
}

func TestASecondCtrlCDoesNotWaitForStopInATerminalThatIsAService(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(inAService(command("probe", notes.flag, "-stop-after=20s")))
	notes.await("started")
	term.press(ctrlC)
	notes.await("stopping")
	p.runs(impatient)
	term.press(ctrlC)
	p.exits(130)
	notes.says("starting", "started", "stopping")
}

func TestTheFirstCtrlCOnAProgramThatStopsAlreadySaysSo(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-fail-after=1ms", "-stop-after=20s"))
	notes.await("stopping")
	term.press(ctrlC)
	term.awaits("stopping already; interrupt again to stop at once")
	p.runs(impatient)
	term.press(ctrlC)
	p.exits(130)
	notes.says("starting", "started", "stopping")
}

func TestASecondCtrlCShowsWhatHangs(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-ignores-deadline"))
	notes.await("started")
	term.press(ctrlC)
	notes.await("stopping")
	p.runs(impatient)
	term.press(ctrlC)
	if took := p.exits(130); took > 10*time.Second {
		t.Errorf("it ended only after %s", took)
	}
	eventually(t, func() string {
		for _, want := range []string{"goroutine ", "(*probe).Stop"} {
			if !strings.Contains(term.screen.String(), want) {
				return "the screen does not show " + want
			}
		}
		return ""
	})
}

func TestTwoInterruptsAtOnceCountAsOne(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-after=1s"))
	notes.await("started")
	// Not the same signal twice, which the kernel would make one of.
	p.signal(syscall.SIGINT)
	p.signal(syscall.SIGTERM)
	p.exits(0)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestASIGINTAfterASIGTERMDoesNotWaitForStop(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-after=20s"))
	notes.await("started")
	p.signal(syscall.SIGTERM)
	notes.await("stopping")
	p.runs(impatient)
	p.signal(syscall.SIGINT)
	p.exits(130)
}

func TestWithoutATerminalASecondSignalChangesNothing(t *testing.T) {
	t.Parallel()
	notes := newHostNotebook(t)
	p := launch(t, command("probe", notes.flag, "-stop-after=2s"))
	notes.await("started")
	p.signal(syscall.SIGTERM)
	notes.await("stopping")
	p.runs(impatient)
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGINT)
	p.exits(0)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestSIGTERMUpToTheLastMomentChangesNothing(t *testing.T) {
	t.Parallel()
	for range 5 {
		notes := newHostNotebook(t)
		p := launch(t, command("probe", notes.flag, "-stop-after=50ms"))
		notes.await("started")
		sent := 0
		for p.cmd.Process.Signal(syscall.SIGTERM) == nil {
			sent++
		}
		if sent < 10 { // a machine that is busy sends fewer
			t.Errorf("%d signals are no storm", sent)
		}
		p.exits(0)
	}
}

func TestAStoppedTerminalDoesNotHoldUpTheWayDown(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag))
	notes.await("started")
	term.press(ctrlS)
	term.awaitStopped()
	p.signal(syscall.SIGTERM) // a Ctrl-C would let the terminal go on
	if took := p.exits(0); took > 10*time.Second {
		t.Errorf("it ended only after %s", took)
	}
	notes.says("starting", "started", "stopping", "stopped")
}

func TestSIGQUITShowsWhatRuns(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag))
	notes.await("started")
	p.signal(syscall.SIGQUIT)
	p.exits(2)
	eventually(t, func() string {
		if !strings.Contains(term.screen.String(), "goroutine ") {
			return "the screen shows no stack"
		}
		return ""
	})
}
