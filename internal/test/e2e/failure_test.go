//go:build linux

package e2e

import (
	"strconv"
	"testing"
	"time"
)

func TestAFailureOfTheProgramIsAFailureOfTheUnit(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-fail-after=200ms"))
	u.start()
	u.becomes(failed(1))
	u.is(props{"StatusText": "failed: as asked by -fail-after"})
}

func TestAPanicInAGoroutineIsAFailureOfTheUnit(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", execStart("probe", "-panic-after=200ms", notes.flag))
	u.start()
	u.becomes(failed(1))
	u.is(props{"StatusText": "failed: panic in a goroutine: as asked by -panic-after"})
	notes.says("starting", "started", "stopping", "stopped")
}

func TestAFailureIsRestartedAgainAndAgain(t *testing.T) {
	u := newUnit(t, "Type=notify", "Restart=on-failure", "RestartSec=100ms", execStart("probe", "-fail-after=200ms"))
	u.start()
	eventually(t, func() string {
		got := u.show("NRestarts")["NRestarts"]
		if n, err := strconv.Atoi(got); err != nil || n < 2 {
			return "NRestarts is " + got
		}
		return ""
	})
}

func TestAFunctionThatHasFinishedIsNotRestarted(t *testing.T) {
	u := newUnit(t, "Type=notify", "Restart=on-failure", "RestartSec=100ms", execStart("probe", "-job=500ms"))
	u.start()
	u.becomes(clean)
}

func TestASlowStopAfterAFailureIsKeptAliveBeyondTimeoutStopSec(t *testing.T) {
	u := newUnit(t, "Type=notify", "TimeoutStopSec=2", execStart("probe", "-fail-after=200ms", "-stop-after=7500ms"))
	u.start()
	// systemd takes STOPPING=1 for the beginning of its own stop.
	u.becomes(props{"ActiveState": "deactivating", "SubState": "stop-sigterm"})
	u.becomes(failed(1))
	u.lasts("ActiveExit", "ExecMainExit", 7500*time.Millisecond)
}

func TestAWrongConfigurationIsNotRestarted(t *testing.T) {
	for name, flag := range map[string]string{
		"of the program":     "-start-config-error",
		"of package daemon":  "-stop-timeout=-1s",
		"as nobody could do": "-drain-delay=1h",
	} {
		t.Run(name, func(t *testing.T) {
			u := newUnit(t, "Type=notify", "Restart=on-failure", "RestartSec=100ms", "RestartPreventExitStatus=78", execStart("probe", flag))
			if out := u.try("start", u.name); out.Code == 0 {
				t.Error("systemctl start succeeds")
			}
			u.becomes(failed(78))
		})
	}
}

func TestASIGKILLIsASignal(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe"))
	u.start()
	u.systemctl("kill", "--signal=KILL", u.name)
	u.becomes(props{"ActiveState": "failed", "Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9"})
}

func TestASIGKILLIsRestarted(t *testing.T) {
	u := newUnit(t, "Type=notify", "Restart=on-failure", "RestartSec=100ms", execStart("probe"))
	u.start()
	before := u.show("MainPID")["MainPID"]
	u.systemctl("kill", "--signal=KILL", u.name)
	u.becomes(props{"NRestarts": "1", "ActiveState": "active", "SubState": "running", "StatusText": "running"})
	if after := u.show("MainPID")["MainPID"]; after == before {
		t.Errorf("MainPID is %s, as before", after)
	}
}

func TestASIGTERMFromOutsideIsNotRestarted(t *testing.T) {
	u := newUnit(t, "Type=notify", "Restart=on-failure", "RestartSec=100ms", execStart("probe"))
	u.start()
	u.kill("TERM")
	u.becomes(clean)
}
