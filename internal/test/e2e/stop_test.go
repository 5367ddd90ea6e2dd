//go:build linux

package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAStopIsASuccess(t *testing.T) {
	notes := newNotebook(t)
	u := newUnit(t, "Type=notify", execStart("probe", notes.flag))
	u.start()
	u.stop()
	u.is(clean)
	notes.says("starting", "started", "stopping", "stopped")
}

func TestASlowStopSaysThatItIsStopping(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-stop-after=2s"))
	u.start()
	u.systemctl("stop", "--no-block", u.name)
	u.becomes(props{"ActiveState": "deactivating", "StatusText": "stopping: terminate (SIGTERM)"})
	u.becomes(clean)
}

func TestASlowStopIsKeptAliveBeyondTimeoutStopSec(t *testing.T) {
	// Longer than what the first message asks for, too.
	u := newUnit(t, "Type=notify", "TimeoutStopSec=2", execStart("probe", "-stop-after=7500ms"))
	u.start()
	u.stop()
	u.is(clean)
	u.lasts("ActiveExit", "ExecMainExit", 7500*time.Millisecond)
}

func TestAStopThatIgnoresItsDeadlineEndsAtItsOwnBudgetAndNotBySystemdsKill(t *testing.T) {
	u := newUnit(t, "Type=notify", "TimeoutStopSec=2", execStart("probe", "-stop-ignores-deadline", "-stop-timeout=3s"))
	u.start()
	u.stop()
	u.is(failed(124))
	u.lasts("ActiveExit", "ExecMainExit", 4*time.Second)
}

func TestAStopThatFailsIsAFailure(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-stop-fail"))
	u.start()
	u.stop()
	u.is(failed(1))
	u.is(props{"StatusText": "failed: stop: as asked by -stop-fail"})
}

func TestADrainDelayIsPartOfTheWayDown(t *testing.T) {
	u := newUnit(t, "Type=notify", "TimeoutStopSec=1", execStart("probe", "-drain-delay=2s"))
	u.start()
	u.stop()
	u.is(clean)
	u.lasts("ActiveExit", "ExecMainExit", 2*time.Second)
}

func TestAStormOfSIGTERMChangesNothing(t *testing.T) {
	u := newUnit(t, "Type=notify", execStart("probe", "-stop-after=2s"))
	u.start()
	pid := u.show("MainPID")["MainPID"]
	u.systemctl("stop", "--no-block", u.name)
	// Until the process is gone: the last one hits it where it exits.
	out, err := u.manager.run(t.Context(), "sh", "-c", "n=0; while kill -s TERM "+pid+" 2>/dev/null; do n=$((n+1)); done; echo $n")
	if err != nil || out.Code != 0 {
		t.Fatalf("%v %s", err, out.Stderr)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(out.Stdout)); err != nil || n < 200 {
		t.Errorf("%d signals are no storm (%v)", n, err)
	}
	u.becomes(clean)
	u.lasts("ActiveExit", "ExecMainExit", 2*time.Second)
}
