//go:build linux

package e2e

import (
	"testing"
	"time"
)

var reloading = props{"ActiveState": "reloading", "SubState": "reload-notify", "StatusText": "reloading"}

func TestAReloadIsASuccess(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=10", execStart("probe", "-reload=ok", notes.flag))
	u.start()
	before := u.show("MainPID")
	u.reload()
	u.is(running)
	u.is(props{"ReloadResult": "success", "StatusText": "running"})
	u.is(before)
	u.stop()
	u.is(clean)
	notes.says("starting", "started", "reloading", "reloaded", "stopping", "stopped")
}

func TestAReloadThatFailsSaysWhyAndChangesNothing(t *testing.T) {
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=10", execStart("probe", "-reload=fail"))
	u.start()
	before := u.show("MainPID")
	u.reload()
	u.is(running)
	u.is(props{"StatusText": "running; the last reload failed: probe: permission denied", "StatusErrno": "13"})
	u.is(before)
	u.stop()
	u.is(clean)
}

func TestASlowReloadIsWaitedFor(t *testing.T) {
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=slow"))
	u.start()
	begin := time.Now()
	u.systemctl("reload", "--no-block", u.name)
	u.becomes(reloading)
	u.reload() // waits for the job that there is
	if took := time.Since(begin); took < 2*time.Second {
		t.Errorf("systemctl reload returns after %s, but Reload takes 2s", took)
	}
	u.is(running)
}

func TestAStopDuringAReloadCutsItShort(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=slow", notes.flag))
	u.start()
	u.systemctl("reload", "--no-block", u.name)
	u.becomes(reloading)
	u.stop()
	u.is(clean)
	notes.says("starting", "started", "reloading", "reload cut short", "stopping", "stopped")
}

func TestAStopDuringAReloadCutsItShortAtOnceAlsoWhereTheProgramDrains(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=slow", "-drain-delay=4s", notes.flag))
	u.start()
	u.systemctl("reload", "--no-block", u.name)
	u.becomes(reloading)
	u.stop()
	u.is(clean)
	notes.says("starting", "started", "reloading", "reload cut short", "stopping", "stopped")
}

func TestAReloadOfAProgramThatCannotChangesNothing(t *testing.T) {
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=10", execStart("probe"))
	u.start()
	before := u.show("MainPID")
	u.reload()
	u.reload()
	u.is(running)
	u.is(props{"ReloadResult": "success", "StatusText": "running"})
	u.is(before)
}

func TestASIGHUPFromOutsideIsAReloadThatSystemdSees(t *testing.T) {
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=slow"))
	u.start()
	u.kill("HUP")
	u.becomes(reloading)
	u.becomes(running)
}

func TestTwoReloadsInARowAreBothDone(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=10", execStart("probe", "-reload=ok", notes.flag))
	u.start()
	u.reload()
	u.reload()
	u.is(running)
	u.is(props{"ReloadResult": "success"})
	notes.says("starting", "started", "reloading", "reloaded", "reloading", "reloaded")
}

func TestAReloadAskedForDuringAnotherIsDoneAfterIt(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=slow", notes.flag))
	u.start()
	u.kill("HUP")
	u.becomes(reloading)
	u.kill("HUP")
	eventually(t, func() string {
		if notes.count("reloaded") < 2 {
			return "the second reload is not done"
		}
		return ""
	})
	u.becomes(running)
	notes.says("starting", "started", "reloading", "reloaded", "reloading", "reloaded")
}

func TestASIGHUPDuringStartIsAReloadAfterIt(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify-reload", "TimeoutStartSec=20", execStart("probe", "-reload=ok", "-start-after=2s", notes.flag))
	u.begin()
	notes.await("starting")
	u.kill("HUP")
	u.start()
	notes.await("reloaded")
	u.becomes(running)
	notes.says("starting", "started", "reloading", "reloaded")
}

// This is what a unit is for a systemd older than 253.
func TestAReloadByExecReloadWorksToo(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", "ExecReload=/bin/sh -c 'kill -s HUP ${MAINPID}'", execStart("probe", "-reload=ok", notes.flag))
	u.start()
	before := u.show("MainPID")
	u.reload()
	notes.await("reloaded")
	u.becomes(running)
	u.is(before)
}
