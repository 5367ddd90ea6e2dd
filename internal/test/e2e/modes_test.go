//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gone is how runtime.Goexit reads in an error.
const gone = "ended its goroutine (runtime.Goexit"

// second is the stop timeout of programs that use all of it, with which giving up begins
// a second later.
const (
	second  = "-stop-timeout=1s"
	givesUp = 2 * time.Second
)

var plainModes = []mode{
	{name: "plain", do: stop, trigger: "terminate"},
	{name: "plain", systemd: true, do: stop, trigger: "terminate"},
	{name: "hello", systemd: true, do: stop, trigger: "terminate", says: []string{"STARTED", ready, "STOPPED", `"msg":"stopped"`}},
	{name: "termself", systemd: true, trigger: "terminate", says: []string{`"msg":"stopping"`, "STOPPED"}},
	{name: "goret", do: []step{await(ready), await("RETURNED"), send(syscall.SIGTERM)}, trigger: "terminate"},
	{name: "slog", do: stop, trigger: "terminate", says: []string{`"msg":"by slog","a":1`, ready}},
	{name: "handler", trigger: "finished", says: []string{`"msg":"the payment failed","customer":7`, "THE GOROUTINE ENDS"}},
	{name: "logger", do: []step{await(ready), send(syscall.SIGUSR1), send(syscall.SIGTERM)}, trigger: "terminate", never: []string{"the level of the log"}},
	{name: "keeplevel", do: []step{await(ready), send(syscall.SIGUSR1), send(syscall.SIGTERM)}, trigger: "terminate", never: []string{"the level of the log"}},
	{name: "shortjob", systemd: true, trigger: "finished", says: []string{"STARTED", ready}},
	{name: "funcready2", do: stop, trigger: "terminate"},
	{name: "funcstored", systemd: true, trigger: "finished", says: []string{ready}},
}

var echoModes = []mode{
	{name: "dial", do: stop, trigger: "terminate"},
	{name: "execctx", do: stop, trigger: "terminate"},
	{name: "timeoutctx", do: stop, trigger: "terminate"},
	{name: "timeoutmissed", do: stop, code: 1, trigger: "terminate", err: "context deadline exceeded"},
	{name: "stopgo", flags: second, do: stop, takes: time.Second, trigger: "terminate", overran: "goroutines"},
	{name: "starterr", do: afterwards("WAITS"), code: 78, trigger: "terminate", err: "start: the data base is corrupt"},
	{name: "starterr", systemd: true, do: afterwards("WAITS"), code: 78, trigger: "terminate", err: "start: the data base is corrupt"},
	{name: "goerr", do: []step{await(ready), await("WAITS"), send(syscall.SIGTERM)}, code: 1, trigger: "terminate", err: "the data base is corrupt"},
}

var failureModes = []mode{
	{name: "failnil", code: 1, trigger: "failure", err: "Fail was called without an error"},
	{name: "failcanceled", systemd: true, code: 1, trigger: "failure", err: "context canceled"},
	{name: "failreason", code: 1, trigger: "failure", err: "finished"},
	{name: "failconfig", code: 78, trigger: "failure", err: "x: the configuration is wrong"},
	{name: "goconfig", code: 78, trigger: "failure", err: "x: the configuration is wrong"},
	{name: "stopfail", do: stop, code: 1, trigger: "terminate", err: "failed in stop"},
	{name: "stoperr", code: 1, trigger: "failure", err: "first\nstop: second", failures: 2, says: []string{"STOPPED"}},
	{name: "baderr", code: 1, trigger: "failure", err: "PANIC=Error method: Error panics", failures: 3},
	{name: "slowerr", flags: second, do: afterwards("HANGS"), code: 124, takes: givesUp, trigger: "terminate", err: "Start and 0 goroutine(s) still running 2s", overran: "Start"},
	{name: "failafter", code: 1, trigger: "failure", err: "first", says: []string{"CAUSE failure (the program failed): first"}, never: []string{"GO RUNS", "late", "logged after the end"}},
	{name: "code", systemd: true, code: 42, trigger: "failure", err: "code 42"},
	{name: "startcode", code: 43, trigger: "failure", err: "start: x: code 43"},
	{name: "stopcode", do: stop, code: 44, trigger: "terminate", err: "stop: code 44"},
	{name: "takencode", code: 1, trigger: "failure", err: "code 124"},
	{name: "childcode", code: 1, trigger: "failure", err: "exit status 7"},
}

var goexitModes = []mode{
	{name: "startgoexit", systemd: true, code: 1, trigger: "failure", err: "Start " + gone},
	{name: "stopgoexit", do: stop, code: 1, trigger: "terminate", err: "Stop " + gone},
	{name: "closegoexit", do: stop, code: 1, trigger: "terminate", err: "Close " + gone},
	{name: "gogoexit", code: 1, trigger: "failure", err: "a goroutine " + gone},
	{name: "checkgoexit", systemd: true, watchdog: time.Minute, code: 1, trigger: "failure", err: "Check " + gone},
	{name: "reloadgoexit", systemd: true, do: []step{await(ready), send(syscall.SIGHUP)}, code: 1, trigger: "failure", err: "Reload " + gone},
	{name: "funcgoexit", systemd: true, code: 1, trigger: "failure", err: "Func " + gone},
	{name: "funcgoexit2", code: 1, trigger: "failure", err: "Func " + gone},
}

var panicModes = []mode{
	{name: "panicnil", code: 1, trigger: "failure", err: "panic in Start: panic called with nil argument"},
	{name: "panicerr", code: 78, trigger: "failure", err: "panic in Start: x: the configuration is wrong"},
	{name: "stoppanic", do: stop, code: 1, trigger: "terminate", err: "panic in Stop: x"},
	{name: "closepanic", do: stop, code: 1, trigger: "terminate", err: "panic in Close: x"},
	{name: "gopanic", code: 1, trigger: "failure", err: "panic in a goroutine: x"},
	{name: "checkpanic", systemd: true, watchdog: time.Minute, code: 1, trigger: "failure", err: "panic in Check: x"},
	{name: "reloadpanic", systemd: true, do: []step{await(ready), send(syscall.SIGHUP)}, code: 1, trigger: "failure", err: "panic in Reload: x"},
	{name: "funcpanic", code: 1, trigger: "failure", err: "panic in Func: x"},
	{name: "embedded", code: 1, trigger: "failure", err: "panic in Start: runtime error: invalid memory address"},
	{name: "nilptr", code: 1, trigger: "failure", err: "panic in Start: value method main.program.Start called using nil *program pointer"},
	// What nobody can catch.
	{name: "stderrpanic", code: 2, says: []string{"panic: own goroutine"}},
	{name: "startexit", code: 3},
}

var hangingModes = []mode{
	{name: "hangstop", systemd: true, flags: second, do: stop, code: 124, takes: givesUp, trigger: "terminate", err: "Stop and 0 goroutine(s) still running 2s", overran: "Stop", says: []string{"HANGS", `"giving up"`, "main.forever("}},
	{name: "failhang", systemd: true, flags: second, code: 124, takes: givesUp, trigger: "failure", err: "oops\ngave up at the stop deadline: Stop", overran: "Stop", says: []string{`"giving up"`, "main.forever("}},
	{name: "checkblock", systemd: true, watchdog: 400 * time.Millisecond, flags: second, do: afterwards("Check has not returned"), code: 124, takes: givesUp, trigger: "terminate", err: "1 goroutine(s) still running", overran: "goroutines"},
	{name: "reloadhang", systemd: true, flags: second, do: reloadFirst("HANGS"), code: 124, takes: givesUp, trigger: "terminate", err: "Reload and 0 goroutine(s)", overran: "Reload"},
	{name: "closehang", systemd: true, flags: second, do: stop, code: 124, takes: givesUp, trigger: "terminate", err: "Close and 0 goroutine(s)", overran: "Close", says: []string{`"close":`}},
	{name: "finishhang", systemd: true, flags: second, code: 124, takes: givesUp, trigger: "finished", err: "Stop and 0 goroutine(s)", overran: "Stop"},
	{name: "runhang", flags: second, do: []step{await("STARTED")}, code: 124, takes: givesUp, trigger: "cancelled", err: "Stop and 0 goroutine(s)", overran: "Stop", never: []string{"RETURNED"}},
}

var endingModes = []mode{
	{name: "flush", systemd: true, do: stop, trigger: "terminate", says: []string{"FLUSHED", "CLOSED", `"close":`}},
	{name: "flushearly", do: stop, code: 1, trigger: "terminate", err: "the database is closed", says: []string{"CLOSED"}, never: []string{"FLUSHED"}},
	{name: "closefail", do: stop, code: 1, trigger: "terminate", err: "close: not closed", says: []string{"CLOSED"}},
	{name: "closenot", code: 1, trigger: "failure", err: "start: not started", says: []string{"STARTED"}, never: []string{"CLOSED", `"close":`}},
	{name: "finish", systemd: true, trigger: "finished", says: []string{ready}},
	{name: "finishstart", systemd: true, flags: "-drain-delay=20s", trigger: "finished", says: []string{ready, "STOPPED"}, never: []string{`"drain":`}},
	{name: "finishstopfail", code: 1, trigger: "finished", err: "stop: not stopped", says: []string{"STOPPED"}},
	{name: "reload", systemd: true, do: reloadFirst("RELOADED"), trigger: "terminate", says: []string{"RELOADED"}},
	{name: "reloadctx", flags: "-drain-delay=2s", do: []step{
		await(ready), send(syscall.SIGHUP), await(`"msg":"reloaded"`), send(syscall.SIGHUP), await("the second Reload waits"), send(syscall.SIGTERM),
	}, takes: 2 * time.Second, trigger: "terminate", says: []string{"the second Reload ends"}, check: reloadsHaveContextsOfTheirOwn},
}

var runModes = []mode{
	{name: "runexit", do: stop, trigger: "terminate", says: []string{"RETURNED <nil>"}},
	{name: "runctx", trigger: "cancelled", says: []string{`"cause":"done with it"`, "RETURNED <nil>"}},
	{name: "runpipe", flags: "-n=20000", pipe: brokenPipe, do: afterwards("STARTED"), says: []string{"RETURNED <nil>"}},
	{name: "runpipe", flags: "-n=20000 -stop-timeout=1s", pipe: fullPipe, do: afterwards("STARTED"), within: time.Second + end, says: []string{"modes: ", "lost", "RETURNED <nil>"}},
	{name: "twice", do: []step{await("STARTED 0"), send(syscall.SIGTERM), await("STARTED 1"), send(syscall.SIGTERM)}, trigger: "terminate", says: []string{"STARTED 0", "STARTED 1", "RETURNED <nil>"}},
	{name: "concurrent", do: afterwards("THE SECOND the configuration is wrong"), trigger: "terminate", says: []string{"RETURNED <nil>"}, never: []string{"STARTED"}},
	{name: "nested", code: 78, trigger: "failure", err: "another run of this process", says: []string{"RETURNED the configuration is wrong"}, never: []string{"STARTED"}},
	{name: "selfstop", code: 78, trigger: "failure", err: "another run of this process", says: []string{"RETURNED start: the configuration is wrong"}, never: []string{"STARTED"}},
	{name: "cancelled", trigger: "cancelled", says: []string{"START value true cancelled true", "STOP value <nil> true", "RETURNED <nil>"}},
	{name: "deadline", trigger: "cancelled", says: []string{"DEADLINE false", "RETURNED <nil>"}},
	{name: "cause", flags: "-stop-timeout=2s -drain-delay=1s", do: []step{await(ready)}, takes: 2 * time.Second, trigger: "cancelled", overran: "Stop", says: []string{
		"DRAINING <nil> <nil>",
		"START cancelled (the context of Run has ended): C STOP <nil>",
		"LATE cancelled (the context of Run has ended): C",
		"RETURNED <nil>",
	}},
}

// hungryModes leave little of the processor to others.
var hungryModes = []mode{
	{name: "failloop", systemd: true, flags: "-stop-timeout=2s", code: 124, takes: 3 * time.Second, memory: 64, trigger: "failure", err: "more failure(s)", overran: "goroutines", failures: many, says: []string{"main.failLoop("}},
	{name: "manyfail", systemd: true, flags: "-n=100000 -stop-timeout=6s", do: stop, code: 1, within: 6*time.Second + end, trigger: "terminate", err: "99984 more failure(s)", overran: anything, failures: 100_000},
	{name: "failstorm", systemd: true, flags: "-n=100000", code: 1, trigger: "failure", err: "failure 0\n", failures: 100_000},
	{name: "manystuck", systemd: true, flags: "-n=10000 -stop-timeout=1s", do: stop, code: 124, takes: givesUp, trigger: "terminate", err: "10000 goroutine(s) still running 2s", overran: "goroutines", says: []string{"those with the same stack together", "10000 goroutine(s):", "main.stuck("}},
	{name: "manystuck", systemd: true, flags: "-n=100000 -stop-timeout=1s", do: stop, code: 124, takes: givesUp, hasty: true, says: []string{`"giving up"`, "100000 goroutine(s) still running 2s"}},
	{name: "busy", systemd: true, flags: "-n=8", do: stop, trigger: "terminate"},
	{name: "recursego", systemd: true, flags: "-n=10000", do: stop, trigger: "terminate", says: []string{"DEEPEST"}},
}

func quietModes() []mode {
	return slices.Concat(plainModes, echoModes, failureModes, goexitModes, panicModes, hangingModes, endingModes, runModes)
}

func TestModes(t *testing.T) {
	for _, m := range quietModes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.try(t)
		})
	}
}

func TestModesThatLeaveLittleToOthers(t *testing.T) {
	for _, m := range hungryModes { // one after the other
		t.Run(m.name, m.try)
	}
}

func TestEveryModeIsTried(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(filepath.Join(programs, "modes")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		tried := func(m mode) bool { return m.name == name }
		if !slices.ContainsFunc(quietModes(), tried) && !slices.ContainsFunc(hungryModes, tried) {
			t.Errorf("mode %s is not tried", name)
		}
	}
}

// fullPipe is the writing side of a pipe that nobody reads from, though somebody could.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = r.Close()
	})
	return w
}

// reloadsHaveContextsOfTheirOwn asserts that a Reload that is cut short takes nothing with
// it that an earlier one has started.
func reloadsHaveContextsOfTheirOwn(t *testing.T, s *subject) {
	at := func(msg string) time.Time {
		for _, r := range s.records() {
			if text, ok := r["time"].(string); ok && r["msg"] == msg {
				when, err := time.Parse(time.RFC3339Nano, text)
				if err != nil {
					t.Fatal(err)
				}
				return when
			}
		}
		t.Fatalf("nothing says %q", msg)
		return time.Time{}
	}
	begin := at("stopping")
	if took := at("the second Reload ends").Sub(begin); took > time.Second {
		t.Errorf("the second Reload ends %s after the stop, not at once", took)
	}
	for _, msg := range []string{"the goroutine of Start ends", "the goroutine of the first Reload ends"} {
		if took := at(msg).Sub(begin); took < 2*time.Second-slack {
			t.Errorf("%s %s after the stop, want 2s", msg, took)
		}
	}
}

func TestModesAtATerminal(t *testing.T) {
	again := func(p *process, term *terminal) {
		p.runs(impatient)
		term.press(ctrlC)
	}
	for _, m := range []struct {
		name, flags string
		do          func(*process, *terminal)
		code        int
		shows       []string
	}{
		{"hello", "", func(_ *process, term *terminal) {
			term.awaits("ready")
			term.press(ctrlC)
		}, 0, []string{"STARTED", "ready", "interrupt", "STOPPED", "stopped"}},
		{"hangstop", "", func(p *process, term *terminal) {
			term.awaits("ready")
			term.press(ctrlC)
			term.awaits("HANGS")
			again(p, term)
		}, 130, []string{"interrupt again to stop at once", "not waiting any longer", "main.forever("}},
		{"failhang", "", func(p *process, term *terminal) {
			term.awaits("HANGS")
			term.press(ctrlC)
			term.awaits("stopping already; interrupt again to stop at once")
			again(p, term)
		}, 130, []string{"oops", "stopping already", "not waiting any longer"}},
		{"manystuck", "-n=1000", func(p *process, term *terminal) {
			term.awaits("ready")
			term.press(ctrlC)
			term.awaits("interrupt again")
			again(p, term)
		}, 130, []string{"1000 goroutine(s):", "main.stuck("}},
		{"reload", "", func(p *process, term *terminal) {
			term.awaits("ready")
			p.signal(syscall.SIGHUP)
			term.awaits("RELOADED")
			term.hangUp()
		}, 0, []string{"RELOADED"}},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t)
			p := term.launch(command("modes", append([]string{"-mode=" + m.name}, strings.Fields(m.flags)...)...))
			m.do(p, term)
			if took := p.exits(m.code); took > time.Second+end+shared {
				t.Errorf("it ended after %s", took)
			}
			eventually(t, func() string { // the screen is read a little later
				return missing(term.screen.String(), m.shows)
			})
		})
	}
}

func TestUnitsThatDoTooMuchEndByThemselves(t *testing.T) {
	t.Run("many failures", func(t *testing.T) {
		u := newUnit(t, "Type=notify", "TimeoutStopSec=5", execStart("modes", "-mode=manyfail", "-n=15000", "-stop-timeout=3s"))
		u.start()
		u.stop()
		u.is(failed(1))
	})
	t.Run("failures without end", func(t *testing.T) {
		u := newUnit(t, "Type=notify", "TimeoutStopSec=2", execStart("modes", "-mode=failloop", "-stop-timeout=2s"))
		u.begin()
		u.becomes(failed(124))
		if took := u.between("ExecMainStart", "ExecMainExit"); took > 3*time.Second+end+shared {
			t.Errorf("it ended after %s", took)
		}
	})
}
