//go:build linux

package windows

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
)

// The states.
const (
	stopped      = 1
	startPending = 2
	stopPending  = 3
	running      = 4
	pausePending = 6
	paused       = 7
)

// The controls that a client may send.
const (
	controlStop        = 1
	controlPause       = 2
	controlContinue    = 3
	controlInterrogate = 4
	controlParamChange = 6
)

// Win32 errors.
const (
	errCallNotImplemented  = 120
	errInvalidControl      = 1052
	errCannotAcceptControl = 1061
	errServiceSpecific     = 1066
	errFileNotFound        = 2
)

// What services accept, SERVICE_ACCEPT_….
const (
	acceptsPlain       = 0x1 | 0x4 | 0x8                          // STOP, SHUTDOWN, PARAMCHANGE
	acceptsAble        = acceptsPlain | 0x2 | 0x40 | 0x80 | 0x200 // PAUSE_CONTINUE, POWEREVENT, SESSIONCHANGE, TIMECHANGE
	acceptsPreshutdown = 0x1 | 0x8 | 0x100
)

func TestHelloRunsAsAService(t *testing.T) {
	t.Parallel()
	s := newService(t, "hello")
	s.start()
	s.await(running)
	if got := s.query(); got.Accepted != acceptsPlain || got.CheckPoint != 0 || got.WaitHint != 0 {
		t.Errorf("while it runs: %+v", got)
	}
	s.stop()
	s.is(0, 0)
}

func TestWhoStopsAServiceSeesItStoppingWithTheAnswer(t *testing.T) {
	t.Parallel()
	s := newService(t, "hello")
	seen := 0
	const times = 5
	for range times {
		s.start()
		s.await(running)
		if s.control(controlStop, 0) != running {
			seen++
		}
		s.await(stopped)
		s.is(0, 0)
	}
	if seen == 0 { // a machine under load may be late, but not each time
		t.Errorf("it ran as before after each of %d stops", times)
	}
}

func TestASlowStartIsSeenToGetOn(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-start-after=3200ms")
	s.start()
	seen := s.await(running)
	pending(t, seen, startPending, 3)
	s.stop()
	s.is(0, 0)
}

func TestASlowStopIsSeenToGetOn(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-stop-after=3200ms")
	s.start()
	s.await(running)
	s.control(controlStop, 0)
	pending(t, s.await(stopped), stopPending, 3)
	s.is(0, 0)
}

// pending checks what was seen of a state that is on its way to another one.
func pending(t *testing.T, seen []control.Status, state uint32, least int) {
	t.Helper()
	var last control.Status
	n := 0
	for _, s := range seen {
		if s.State != state {
			continue
		}
		n++
		switch {
		case s.CheckPoint <= last.CheckPoint && last.State == state:
			t.Errorf("checkpoint %d after %d", s.CheckPoint, last.CheckPoint)
		case s.WaitHint < 2*time.Second || s.WaitHint > 5*time.Second:
			t.Errorf("a hint of %s", s.WaitHint)
		case s.Accepted != 0:
			t.Errorf("it accepts %#x", s.Accepted)
		}
		last = s
	}
	if n < least {
		t.Errorf("%d statuses of state %d, want %d: %+v", n, state, least, seen)
	}
}

func TestAControlWhileStartingIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-start-after=2s")
	s.start()
	for _, code := range []uint32{controlStop, controlPause, controlParamChange, 200} {
		s.refuses(code, errCannotAcceptControl)
	}
	s.await(running)
	s.stop()
	s.is(0, 0)
}

func TestHowAServiceEndsIsWhatTheManagerReports(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		args           []string
		stop           bool // ask it to
		code, specific uint32
	}{
		{"Start fails with an error of Windows", []string{"-start-fail"}, false, errFileNotFound, 0},
		{"Start fails for the configuration", []string{"-start-config-error"}, false, errServiceSpecific, 78},
		{"Start takes too long", []string{"-start-after=10s", "-start-timeout=1s"}, false, errServiceSpecific, 1},
		{"the configuration is wrong", []string{"-stop-timeout=-1s"}, false, errServiceSpecific, 78},
		{"the command line is wrong", []string{"no-such-command"}, false, errServiceSpecific, 2},
		{"Fail is called", []string{"-fail-after=500ms"}, false, errServiceSpecific, 1},
		{"a goroutine panics", []string{"-panic-after=500ms"}, false, errServiceSpecific, 1},
		{"the work is done", []string{"-job=500ms"}, false, 0, 0},
		{"Stop fails", []string{"-stop-fail"}, true, 0, 0},
		{"Stop never returns", []string{"-stop-ignores-deadline", "-stop-timeout=1s"}, true, 0, 0},
		{"Fail is called, and Stop never returns", []string{"-fail-after=500ms", "-stop-ignores-deadline", "-stop-timeout=1s"}, false, errServiceSpecific, 124},
		{"Start never returns", []string{"-start-ignores-context", "-start-timeout=1s", "-stop-timeout=1s"}, false, errServiceSpecific, 124},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, "probe", test.args...)
			s.start()
			if test.stop {
				s.await(running)
				s.control(controlStop, 0)
			}
			s.await(stopped)
			s.is(test.code, test.specific)
		})
	}
}

func TestAStopThatFailedIsFiledWhenTheManagerHearsThatAllIsWell(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("failing-%d", services.Add(1))
	s := newService(t, "eventlog", "service", name, "fail")
	s.start()
	s.await(running)
	s.control(controlStop, 0)
	s.await(stopped)
	s.is(0, 0)
	// No process of Wine is an elevated one, whose folders are below %ProgramData%.
	text, err := os.ReadFile(machine.Path(driveC + "/users/root/AppData/Local/" + name + "/state/crash/last-run-" + name + ".json"))
	var last struct {
		Code           int
		Trigger, Error string
	}
	if err := errors.Join(err, json.Unmarshal(text, &last)); err != nil {
		t.Fatal(err)
	}
	if last.Code != 1 || last.Trigger != "stop" || !strings.Contains(last.Error, "a cache could not be written") {
		t.Errorf("filed is %s", text)
	}
}

func TestPauseAndContinue(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-able")
	n := s.notebook()
	s.start()
	s.await(running)
	if got := s.query().Accepted; got != acceptsAble {
		t.Errorf("it accepts %#x", got)
	}
	s.refuses(controlContinue, errInvalidControl)
	s.control(controlPause, 0)
	s.await(paused)
	s.refuses(controlPause, errInvalidControl)
	s.control(controlContinue, 0)
	s.await(running)
	s.control(controlPause, 0)
	s.await(paused)
	s.stop()
	s.is(0, 0)
	n.says("starting", "started", "pause", "paused", "continue", "continued", "pause", "paused", "stopping", "stopped")
}

func TestAPauseThatFailsLeavesTheServiceRunning(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-able", "-pause=fail")
	n := s.notebook()
	s.start()
	s.await(running)
	s.control(controlPause, 0)
	n.await("pause")
	s.await(running)
	s.stop()
	s.is(0, 0)
}

func TestAStopDuringAPauseWins(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-able", "-pause=slow")
	n := s.notebook()
	s.start()
	s.await(running)
	s.control(controlPause, 0)
	s.await(pausePending)
	s.stop()
	s.is(0, 0)
	n.says("starting", "started", "pause", "pause cut short", "stopping", "stopped")
}

func TestControlsOfTheProgramAndParamChangeArrive(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-able", "-reload=ok")
	n := s.notebook()
	s.start()
	s.await(running)
	s.control(128, 0)
	s.control(253, 0)
	s.control(controlParamChange, 0)
	n.await("event: control 253")
	n.await("reloaded")
	s.stop()
	s.is(0, 0)
}

func TestWhatTheProgramCannotIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe")
	s.start()
	s.await(running)
	s.control(controlPause, errInvalidControl)
	s.control(controlContinue, errInvalidControl)
	s.control(controlParamChange, 0) // its log can
	s.refuses(200, errCallNotImplemented)
	s.control(controlInterrogate, 0)
	if got := s.query().State; got != running {
		t.Errorf("the state is %d", got)
	}
	s.stop()
	s.is(0, 0)
}

func TestTheArgumentsOfTheStartAndItsDirectory(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-why")
	n := s.notebook()
	s.start("one", "two three", `fo"ur\`)
	s.await(running)
	s.stop()
	s.is(0, 0)
	n.says("starting", `in `+s.dir()+`, <nil>, with ["one" "two three" "fo\"ur\\"]`, "started",
		"stopping", "stop (SERVICE_CONTROL_STOP) within 30s", "stopped")
}

func TestTheDirectoryCanStayThatOfTheManager(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-why", "-keep-directory")
	n := s.notebook()
	s.start()
	s.await(running)
	s.stop()
	n.says("starting", `in C:\windows, <nil>, with []`, "started", // system32 below it on Windows itself
		"stopping", "stop (SERVICE_CONTROL_STOP) within 30s", "stopped")
}

func TestTwoServicesOfOneExecutable(t *testing.T) {
	t.Parallel()
	a, b := newService(t, "probe", "-why"), newService(t, "probe", "-stop-fail")
	a.start()
	b.start()
	a.await(running)
	b.await(running)
	if a.query().PID == b.query().PID {
		t.Error("they share a process")
	}
	a.stop()
	a.is(0, 0)
	if got := b.query().State; got != running {
		t.Errorf("the other one is in state %d", got)
	}
	b.control(controlStop, 0)
	b.await(stopped)
	b.is(0, 0)
}

func TestAServiceThatIsToHearOfAShutdownEarlyAcceptsThatInstead(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-preshutdown")
	s.preshutdown(20 * time.Second)
	s.start()
	s.await(running)
	if got := s.query().Accepted; got != acceptsPreshutdown {
		t.Errorf("it accepts %#x", got)
	}
	s.stop()
	s.is(0, 0)
}

func TestOutputThatLeadsNowhereDoesNoHarm(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-chatter")
	s.start()
	s.await(running)
	time.Sleep(500 * time.Millisecond)
	if got := s.query().State; got != running {
		t.Errorf("the state is %d", got)
	}
	s.stop()
	s.is(0, 0)
}

func TestWhatInterrogatesAServiceThatStopsDisturbsNothing(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-stop-after=2s")
	s.start()
	s.await(running)
	s.control(controlStop, 0)
	s.await(stopPending)
	for range 20 {
		s.interrogate()
	}
	s.await(stopped)
	s.is(0, 0)
}

func TestAStormOfControlsIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	s := newService(t, "probe", "-able", "-reload=ok")
	s.start()
	s.await(running)
	storm := s.storm(1000, controlPause, 200, controlInterrogate, controlContinue, controlParamChange)
	t.Logf("%s", storm)
	if storm.Errnos[0]+storm.Errnos[errInvalidControl] != 1000 {
		t.Errorf("answers: %v", storm.Errnos)
	}
	s.stop()
	s.is(0, 0)
}
