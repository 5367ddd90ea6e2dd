//go:build linux

package e2e

import (
	"testing"
	"time"
)

func TestAServiceIsActivatingUntilStartHasReturned(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-start-after=2s"))
	u.begin()
	u.becomes(props{"ActiveState": "activating", "SubState": "start", "StatusText": "starting"})
	u.start() // waits for the job that there is
	u.is(running)
	u.is(props{"StatusText": "running"})
	u.lasts("ExecMainStart", "ActiveEnter", 2*time.Second)
}

func TestASlowStartIsKeptAliveBeyondTimeoutStartSec(t *testing.T) {
	// Longer than what the first message asks for, too.
	u := newUnit(t, "Type=notify", "TimeoutStartSec=2", execStart("probe", "-start-after=7500ms"))
	u.start()
	u.is(running)
}

func TestAStartThatIgnoresItsContextEndsAtItsOwnBudgetAndNotBySystemdsKill(t *testing.T) {
	u := newUnit(t, "Type=notify", "TimeoutStartSec=2", "TimeoutStopSec=2",
		execStart("probe", "-start-ignores-context", "-start-timeout=2s", "-stop-timeout=2s"))
	if out := u.try("start", u.name); out.Code == 0 {
		t.Error("systemctl start succeeds")
	}
	u.is(failed(124))
	u.lasts("ExecMainStart", "ExecMainExit", 5*time.Second)
}

func TestAStartTimeoutOfItsOwnIsAFailure(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-start-after=1m", "-start-timeout=1s"))
	if out := u.try("start", u.name); out.Code == 0 {
		t.Error("systemctl start succeeds")
	}
	u.is(failed(1))
	u.is(props{"StatusText": "failed: not ready after 1s (Config.StartTimeout)"})
}

func TestAStartThatFailsSaysWhy(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-start-fail"))
	if out := u.try("start", u.name); out.Code == 0 {
		t.Error("systemctl start succeeds")
	}
	u.is(failed(1))
	u.is(props{"StatusText": "failed: start: probe: no such file or directory", "StatusErrno": "2"})
}

func TestAStopDuringStartIsClean(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", execStart("probe", "-start-after=1m", notes.flag))
	u.begin()
	notes.await("starting")
	u.is(props{"ActiveState": "activating"})
	u.stop()
	u.is(clean)
	notes.says("starting") // and Stop is not called
}

func TestAStopDuringAStartThatIgnoresItsContextEndsAtTheStopBudget(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", "TimeoutStopSec=2", execStart("probe", "-start-ignores-context", "-stop-timeout=2s", notes.flag))
	u.begin()
	notes.await("starting")
	u.stop()
	u.is(failed(124))
}
