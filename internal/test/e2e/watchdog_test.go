//go:build linux

package e2e

import (
	"testing"
	"time"
)

func TestTheWatchdogIsKeptQuiet(t *testing.T) {
	for name, flag := range map[string]string{
		"without a Checker": "-check=none",
		"with a Checker":    "-check=ok",
	} {
		t.Run(name, func(t *testing.T) {
			u := newUnit(t, "Type=notify", "WatchdogSec=2", execStart("probe", flag))
			u.start()
			before := u.show("MainPID")
			stays(t, 7*time.Second, func() string { return u.wrong(running) })
			u.is(before)
			u.stop()
			u.is(clean)
		})
	}
}

func TestACheckThatDoesNotPassIsACaseForTheWatchdog(t *testing.T) {
	for name, flag := range map[string]string{
		"fails": "-check=fail-after=3s",
		"hangs": "-check=hang-after=3s",
	} {
		t.Run(name, func(t *testing.T) {
			u := newUnit(t, "Type=notify", "WatchdogSec=1", execStart("probe", flag))
			u.start()
			// Go answers SIGABRT with its stacks and code 2.
			u.becomes(props{"ActiveState": "failed", "Result": "watchdog", "ExecMainCode": "1", "ExecMainStatus": "2"})
			u.lasts("ActiveEnter", "ActiveExit", 3*time.Second)
		})
	}
}

func TestACheckThatPanicsFailsTheProgramAtOnce(t *testing.T) {
	u := newUnit(t, "Type=notify", "WatchdogSec=10", execStart("probe", "-check=panic-after=0s"))
	u.begin()
	u.becomes(failed(1))
}

func TestTheWatchdogDoesNotActDuringALongStop(t *testing.T) {
	u := newUnit(t, "Type=notify", "WatchdogSec=1", execStart("probe", "-check=ok", "-stop-after=4s"))
	u.start()
	u.stop()
	u.is(clean)
	u.lasts("ActiveExit", "ExecMainExit", 4*time.Second)
}

func TestTheWatchdogDoesNotActDuringASlowStart(t *testing.T) {
	u := newUnit(t, "Type=notify", "WatchdogSec=1", execStart("probe", "-check=ok", "-start-after=3s"))
	u.start()
	u.is(running)
}

func TestTheWatchdogIsKeptQuietDuringASlowReload(t *testing.T) {
	u := newUnit(t, "Type=notify-reload", "WatchdogSec=1", "TimeoutStartSec=20", execStart("probe", "-check=ok", "-reload=slow"))
	u.start()
	before := u.show("MainPID")
	u.reload()
	u.is(running)
	u.is(before)
}
