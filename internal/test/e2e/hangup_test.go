//go:build linux

package e2e

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestATerminalThatHangsUpIsAGracefulStop(t *testing.T) {
	for name, flag := range map[string]string{"of a Reloader": "-reload=ok", "of another program": "-reload=none"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notes, term := newHostNotebook(t), newTerminal(t)
			p := term.launch(command("probe", notes.flag, flag))
			notes.await("started")
			term.hangUp()
			p.exits(0)
			notes.says("starting", "started", "stopping", "stopped")
		})
	}
}

func TestATerminalThatIsAServiceHangsUpLikeAnyOther(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(inAService(command("probe", notes.flag)))
	notes.await("started")
	term.hangUp()
	p.exits(0)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestATerminalThatHangsUpDuringTheWayDownChangesNothing(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-stop-after=1s"))
	notes.await("started")
	term.press(ctrlC)
	notes.await("stopping")
	p.runs(impatient)
	term.hangUp()
	p.exits(0)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestASIGHUPWithAnOpenTerminalReloadsAReloader(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag, "-reload=ok"))
	notes.await("started")
	p.signal(syscall.SIGHUP)
	notes.await("reloaded")
	p.runs(200 * time.Millisecond)
	term.press(ctrlC)
	p.exits(0)
	notes.says("starting", "started", "reloading", "reloaded", "stopping", "stopped")
}

func TestASIGHUPWithAnOpenTerminalReloadsTheLogOfAProgramThatCannotReload(t *testing.T) {
	t.Parallel()
	notes, term := newHostNotebook(t), newTerminal(t)
	p := term.launch(command("probe", notes.flag))
	notes.await("started")
	p.signal(syscall.SIGHUP)
	term.awaits("reloaded")
	if notes.count("stopping") > 0 {
		t.Error("it stops")
	}
	term.hangUp() // and this is one
	p.exits(0)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestASIGHUPWithoutATerminalIsAReload(t *testing.T) {
	t.Parallel()
	notes := newHostNotebook(t)
	p := launch(t, command("probe", notes.flag, "-reload=ok"))
	notes.await("started")
	p.signal(syscall.SIGHUP)
	notes.await("reloaded")
	p.signal(syscall.SIGTERM)
	p.exits(0)
	notes.says("starting", "started", "reloading", "reloaded", "stopping", "stopped")
}

func TestNohupSurvivesTheHangUp(t *testing.T) {
	for name, flag := range map[string]string{"of a Reloader": "-reload=ok", "of another program": "-reload=none"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notes, term := newHostNotebook(t), newTerminal(t)
			cmd := command("probe")
			// As nohup does, but without its redirections.
			cmd.Path = "/bin/sh"
			cmd.Args = []string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh", filepath.Join(programs, "probe"), notes.flag, flag}
			p := term.launch(cmd)
			notes.await("started")
			term.hangUp()
			p.runs(time.Second)
			if notes.count("stopping") > 0 {
				t.Error("it stops")
			}
			p.signal(syscall.SIGTERM)
			p.exits(0)
			if notes.count("stopped") != 1 {
				t.Error("it was not stopped")
			}
		})
	}
}
