package daemontest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon"
	"github.com/go-glidepath/glidepath/internal/host/systemd/sdnotify"
)

// fed is a unit with a script as its service: a string is a message, a duration lets time
// pass, and a function is called.
type fed struct {
	*unit
	now      time.Duration
	broken   []notifyRule
	reported []string // the broken rules
	signals  []os.Signal
}

func feed(s *Systemd, script ...any) *fed {
	f := &fed{}
	f.unit = newUnit(s, func(signal os.Signal) { f.signals = append(f.signals, signal) }, func(rule notifyRule, format string, args ...any) {
		f.broken = append(f.broken, rule)
		f.reported = append(f.reported, fmt.Sprintf(format, args...))
	})
	for _, step := range script {
		f.elapse(f.now)
		switch step := step.(type) {
		case string:
			f.receive(f.now, step)
		case time.Duration:
			f.now += step
			f.elapse(f.now)
		case func(*fed):
			step(f)
		}
	}
	return f
}

func stop(f *fed)   { f.unit.stop(f.now) }
func reload(f *fed) { f.unit.reload(f.now) }

func exit(code int) func(*fed) { return func(f *fed) { f.exited(f.now, code) } }

// reloads performs a correct reload.
func reloads(f *fed) {
	f.receive(f.now, fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", f.now.Microseconds()))
}

// hasty returns a unit with limits of 10 s and a watchdog of 2 s.
func hasty() *Systemd {
	return &Systemd{TimeoutStart: 10 * time.Second, TimeoutStop: 10 * time.Second, Watchdog: 2 * time.Second}
}

// violation is a script that breaks one rule.
type violation struct {
	name   string
	script []any
	rule   notifyRule
	says   string
}

func checkViolations(t *testing.T, violations []violation) {
	t.Helper()
	for _, test := range violations {
		t.Run(test.name, func(t *testing.T) {
			f := feed(hasty(), test.script...)
			if len(f.broken) != 1 || f.broken[0] != test.rule {
				t.Fatalf("broken: %q, want %q", f.reported, test.rule)
			}
			if !strings.Contains(f.reported[0], test.says) {
				t.Errorf("it says %q, want %q in it", f.reported[0], test.says)
			}
		})
	}
}

func TestUnit_ReportsEachBrokenMessage(t *testing.T) {
	checkViolations(t, []violation{
		{"an empty message", []any{""}, ruleLines, "empty"},
		{"a line that assigns nothing", []any{"READY=1\nand so on"}, ruleLines, `"and so on"`},
		{"a line without a key", []any{"=1"}, ruleLines, `"=1"`},
		{"an empty line", []any{"READY=1\n\nSTATUS=x"}, ruleLines, `""`},
		{"a message that is too long", []any{"STATUS=" + strings.Repeat("x", sdnotify.Max-6)}, ruleSize, "4097 bytes"},
		{"a message that is not UTF-8", []any{"STATUS=\xff"}, ruleText, "UTF-8"},
		{"a zero byte", []any{"STATUS=a\x00b"}, ruleText, "zero byte"},
		{"an assignment that nobody knows", []any{"RAEDY=1"}, ruleUnknown, "RAEDY"},
		{"an assignment in lower case", []any{"ready=1"}, ruleUnknown, "ready"},
		{"an assignment that is there twice", []any{"STATUS=a\nSTATUS=b"}, ruleTwice, "STATUS twice"},
		{"a status that brings a READY=1 with it", []any{"READY=1\nSTATUS=x\nREADY=1"}, ruleTwice, "READY twice"},
		{"READY=0", []any{"READY=0"}, ruleValue, "READY=0"},
		{"RELOADING=yes", []any{"RELOADING=yes"}, ruleValue, "RELOADING=yes"},
		{"STOPPING without a value", []any{"STOPPING="}, ruleValue, "STOPPING="},
		{"a carriage return in a status", []any{"STATUS=a\rb"}, ruleValue, "STATUS"},
		{"a line separator in a status", []any{"STATUS=a\u2028b"}, ruleValue, "STATUS"},
		{"ERRNO=0", []any{"ERRNO=0"}, ruleValue, "ERRNO=0"},
		{"a negative ERRNO", []any{"ERRNO=-2"}, ruleValue, "ERRNO=-2"},
		{"an ERRNO that no kernel has", []any{"ERRNO=4096"}, ruleValue, "ERRNO=4096"},
		{"an ERRNO in words", []any{"ERRNO=ENOENT"}, ruleValue, "ERRNO=ENOENT"},
		{"MAINPID=0", []any{"MAINPID=0"}, ruleValue, "MAINPID=0"},
		{"systemd as the main process", []any{"MAINPID=1"}, ruleValue, "MAINPID=1"},
		{"a negative MAINPID", []any{"MAINPID=-7"}, ruleValue, "MAINPID=-7"},
		{"EXTEND_TIMEOUT_USEC=0", []any{"EXTEND_TIMEOUT_USEC=0"}, ruleValue, "EXTEND_TIMEOUT_USEC=0"},
		{"a negative EXTEND_TIMEOUT_USEC", []any{"EXTEND_TIMEOUT_USEC=-1"}, ruleValue, "EXTEND_TIMEOUT_USEC=-1"},
		{"an infinite EXTEND_TIMEOUT_USEC", []any{"EXTEND_TIMEOUT_USEC=18446744073709551615"}, ruleValue, "EXTEND_TIMEOUT_USEC"},
		{"an EXTEND_TIMEOUT_USEC with a unit", []any{"EXTEND_TIMEOUT_USEC=5s"}, ruleValue, "EXTEND_TIMEOUT_USEC=5s"},
		{"another WATCHDOG", []any{"READY=1", "WATCHDOG=0"}, ruleValue, "WATCHDOG=0"},
		{"a barrier without a descriptor", []any{"BARRIER=1"}, ruleBarrier, "BARRIER=1"},
	})
}

func TestUnit_ReportsEachBrokenOrder(t *testing.T) {
	const second = time.Second
	checkViolations(t, []violation{
		{"READY=1 twice", []any{"READY=1", "READY=1"}, ruleReady, "READY=1 a second time"},
		{"READY=1 twice after a reload", []any{"READY=1", reload, reloads, "READY=1", "READY=1"}, ruleReady, "READY=1 a second time"},
		{"RELOADING=1 before READY=1", []any{reloads}, ruleReady, "RELOADING=1 before"},
		{"RELOADING=1 twice", []any{"READY=1", reloads, reloads}, ruleReloaded, "RELOADING=1 a second time"},
		{"an end during a reload", []any{"READY=1", reloads, exit(0)}, ruleReloaded, "exited with 0"},
		{"RELOADING=1 without a time", []any{"READY=1", "RELOADING=1"}, ruleReloading, "without MONOTONIC_USEC"},
		{"RELOADING=1 with its time in a message of its own", []any{"READY=1", "RELOADING=1", "MONOTONIC_USEC=0"}, ruleReloading, "without MONOTONIC_USEC"},
		{"a reload from before the request", []any{"READY=1", second, reload, "RELOADING=1\nMONOTONIC_USEC=999999"}, ruleReloading, "1µs before"},
		{"a reload that is to come", []any{"READY=1", second, "RELOADING=1\nMONOTONIC_USEC=3000000"}, ruleReloading, "2s from now"},
		{"READY=1 after STOPPING=1", []any{"READY=1", "STOPPING=1", "READY=1"}, ruleStopping, "READY=1 after"},
		{"READY=1 after STOPPING=1 in a start", []any{"STOPPING=1", "READY=1"}, ruleStopping, "READY=1 after"},
		{"RELOADING=1 after STOPPING=1", []any{"READY=1", "STOPPING=1", reloads}, ruleStopping, "RELOADING=1 after"},
		{"the end of a reload after STOPPING=1", []any{"READY=1", reloads, "STOPPING=1", "READY=1"}, ruleStopping, "READY=1 after"},
		{"STOPPING=1 twice", []any{"READY=1", "STOPPING=1", "STOPPING=1"}, ruleStopping, "STOPPING=1 a second time"},
		{"STOPPING=1 and READY=1 in one", []any{"READY=1\nSTOPPING=1"}, ruleStopping, "together"},
		{"more time when nothing runs out", []any{"READY=1", "EXTEND_TIMEOUT_USEC=5000000"}, ruleExtend, "nothing ran out"},
		{"more time together with READY=1", []any{"READY=1\nEXTEND_TIMEOUT_USEC=5000000"}, ruleExtend, "nothing ran out"},
		{"a sign of life before READY=1", []any{"WATCHDOG=1"}, ruleAlive, "before READY=1"},
		{"a sign of life after STOPPING=1", []any{"READY=1", "STOPPING=1", "WATCHDOG=1"}, ruleAlive, "after STOPPING=1"},
	})
}

func TestUnit_ReportsEachBrokenLimit(t *testing.T) {
	const second = time.Second
	expects := func(result string) func(*fed) { return func(f *fed) { f.expect = result } }
	unwatched := func(f *fed) { f.watchdog = 0 }
	checkViolations(t, []violation{
		{"a start that takes too long", []any{10*second + 1}, ruleStart, "not ready 10s after"},
		{"a start that asks for more too late", []any{10*second + 1, "EXTEND_TIMEOUT_USEC=5000000"}, ruleStart, "not ready 10s after"},
		{"a start that does not ask again", []any{8 * second, "EXTEND_TIMEOUT_USEC=5000000", 6 * second}, ruleStart, "not ready 13s after"},
		{"a start that fails takes too long", []any{second, "STOPPING=1", 10 * second}, ruleStart, "not ready 10s after"},
		{"a stop that takes too long", []any{"READY=1", stop, "STOPPING=1", 11 * second}, ruleStop, "10s after"},
		{"a stop that it is not told of", []any{"READY=1\nWATCHDOG=1", second, stop, 11 * second}, ruleStop, "11s after"},
		{"a stop of its own that takes too long", []any{"READY=1", "STOPPING=1", 11 * second}, ruleStop, "10s after"},
		{"a stop that asks for more too late", []any{"READY=1", "STOPPING=1", 10*second + 1, "EXTEND_TIMEOUT_USEC=5000000"}, ruleStop, "10s after"},
		{"a stop that does not ask again", []any{"READY=1", "STOPPING=1", 9 * second, "EXTEND_TIMEOUT_USEC=5000000", 6 * second}, ruleStop, "14s after"},
		{"no sign of life", []any{"READY=1", 2*second + 1}, ruleWatchdog, "for 2s"},
		{"no second sign of life", []any{"READY=1", second, "WATCHDOG=1", 2*second + 1}, ruleWatchdog, "for 2s"},
		{"no sign of life in a reload", []any{"READY=1", reload, reloads, 3 * second}, ruleWatchdog, "for 2s"},
		{"WATCHDOG=trigger", []any{unwatched, "READY=1", "WATCHDOG=trigger"}, ruleWatchdog, "WATCHDOG=trigger"},
		{"an end before READY=1 that nobody asked for", []any{second, "STOPPING=1", exit(0)}, ruleProtocol, "1s after"},
		{"an end that nobody expects", []any{expects("watchdog"), "READY=1", "STOPPING=1", exit(0)}, ruleExpect, "Result=success"},
	})
}

func TestUnit_AcceptsWhatIsAllowed(t *testing.T) {
	const second = time.Second
	for name, script := range map[string][]any{
		"a whole life": {
			"MAINPID=77\nEXTEND_TIMEOUT_USEC=5000000\nSTATUS=starting", second, "READY=1\nSTATUS=running",
			second, "WATCHDOG=1", reload, reloads, second, "WATCHDOG=1", "READY=1\nERRNO=2\nSTATUS=running; the last reload failed",
			second, stop, "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000", 9 * second, "EXTEND_TIMEOUT_USEC=5000000", 5 * second, exit(0),
		},
		"a newline at the end":               {"READY=1\n"},
		"an assignment of one's own":         {"X_GLIDEPATH_MOOD=fine"},
		"an empty status":                    {"STATUS="},
		"an equals sign in a status":         {"STATUS=a=b"},
		"a message as long as may be":        {"STATUS=" + strings.Repeat("x", sdnotify.Max-7)},
		"a reload in one message":            {"READY=1", reload, "RELOADING=1\nREADY=1\nMONOTONIC_USEC=0"},
		"a reload that is cut short":         {"READY=1", reloads, "STOPPING=1", exit(0)},
		"a reload of its own":                {"READY=1", reloads, second, "WATCHDOG=1", "READY=1"},
		"more time for a reload":             {"READY=1", reload, reloads, "EXTEND_TIMEOUT_USEC=20000000", 15 * second, "READY=1"},
		"a reload that ends too late":        {"READY=1\nWATCHDOG_USEC=60000000", reload, reloads, 15 * second, "READY=1"},
		"ready at the last moment":           {10 * second, "READY=1"},
		"gone at the last moment":            {"READY=1", "STOPPING=1", 10 * second, exit(0)},
		"a sign of life at the last moment":  {"READY=1", 2 * second, "WATCHDOG=1"},
		"a sign of life that crosses a stop": {"READY=1", second, stop, "WATCHDOG=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=5000000", 5 * second, exit(0)},
		"READY=1 that crosses a stop":        {stop, "READY=1", "STOPPING=1", exit(0)},
		"a stop during the start":            {second, stop, "STOPPING=1", exit(0)},
		"a failing start":                    {"STOPPING=1", "ERRNO=98\nSTATUS=failed: it is taken", exit(1)},
		"an end without a word":              {"READY=1", exit(0)},
		"no sign of life while it stops":     {"READY=1", "STOPPING=1", 9 * second, exit(0)},
	} {
		t.Run(name, func(t *testing.T) {
			f := feed(hasty(), script...)
			if len(f.broken) > 0 {
				t.Errorf("broken: %q", f.reported)
			}
		})
	}
}

// connected connects s to a process that sends what the test says.
func connected(t *testing.T, s *Systemd) (say func(...string), told func() string) {
	var broken []string
	s.Errorf = func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if _, err := s.connect(&drive{t: t, begun: time.Now(), cancel: func(error) {}}); err != nil {
		t.Fatal(err)
	}
	return func(messages ...string) {
		for _, m := range messages {
			if err := (notifySocket{s}).Send(sdnotify.Message(m), 0); err != nil {
				t.Error(err)
			}
		}
		Sleep(0)
	}, func() string { return strings.Join(broken, "\n") }
}

func TestSystemd_ViolationSaysWhatLedToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Systemd{}
		say, told := connected(t, s)
		say("STATUS=starting")
		Sleep(1500 * time.Millisecond)
		say("READY=1")
		for range 20 {
			say("STATUS=running")
		}
		say("READY=1")
		for _, want := range []string{
			"the service has sent READY=1 a second time", "sd_notify(3), READY:", "the unit was active (running)",
			"10 messages, and then:", "1.5s  \"STATUS=running\"",
		} {
			if !strings.Contains(told(), want) {
				t.Errorf("%q is not in it: %s", want, told())
			}
		}
		s.ended(nil, -1)
	})
}

func TestSystemd_ReportsMessagesAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Systemd){
		"after the socket was closed":  func(s *Systemd) { _ = notifySocket{s}.Close() },
		"after the process has ended":  func(s *Systemd) { s.ended(nil, -1) },
		"after the process has exited": func(s *Systemd) { s.ended(daemon.ErrStopTimeout, 124) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Systemd{}
				say, told := connected(t, s)
				say("READY=1", "STOPPING=1")
				end(s)
				say("STATUS=still here")
				if !strings.Contains(told(), `"STATUS=still here" after its end`) {
					t.Errorf("it says %q", told())
				}
				s.ended(nil, -1)
			})
		})
	}
}

func TestSystemd_ExitCodeMatchesTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Systemd{}
		say, told := connected(t, s)
		say("READY=1", "STOPPING=1")
		s.ended(daemon.ErrConfig, 1)
		if is := s.Status(); !strings.Contains(told(), "exited with 1, but Run has returned what is 78") || is.ExecMainStatus != 1 {
			t.Errorf("it says %q, and the exit code is %d", told(), is.ExecMainStatus)
		}
	})
}

func TestSystemd_IgnoresMessagesOfAKilledProcess(t *testing.T) {
	for name, test := range map[string]struct {
		unit *Systemd
		stop bool
		code string
		exit int
	}{
		"by the watchdog": {&Systemd{Watchdog: time.Second, Expect: "watchdog"}, false, "exited", 2},
		"by a slow stop":  {&Systemd{TimeoutStop: time.Second, Expect: "timeout"}, true, "killed", 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := test.unit
				say, told := connected(t, s)
				say("READY=1")
				if test.stop {
					s.Stop()
				}
				Sleep(2 * time.Second)
				say("WATCHDOG=1", "STOPPING=1")
				s.ended(nil, -1)
				is := s.Status()
				if is.Result != s.Expect || is.ExecMainCode != test.code || is.ExecMainStatus != test.exit || told() != "" || len(s.Messages()) != 1 {
					t.Errorf("%+v, %d messages, broken: %s", is, len(s.Messages()), told())
				}
			})
		})
	}
}

func TestSystemd_RefusesInvalidFields(t *testing.T) {
	used := &Systemd{drive: &drive{}}
	for want, s := range map[string]*Systemd{
		"create one per Drive": used,
		`"simple"`:             {Type: "simple"},
		"negative":             {TimeoutStop: -1},
	} {
		if _, err := s.connect(&drive{t: t}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestAwait_FailsTheTestIfTheStateIsNotReached(t *testing.T) {
	for _, test := range []struct {
		name, state string
		say         []string
		end         bool
		took        time.Duration
	}{
		{"there is none of that name", "running", []string{"READY=1"}, false, 0},
		{"the service has ended", "active", []string{"STATUS=starting"}, true, 0},
		{"the service does nothing", "reloading", []string{"READY=1"}, false, awaitLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, other := &Systemd{}, new(testing.T)
				say, told := connected(t, s)
				s.drive.t = other
				say(test.say...)
				if test.end {
					s.ended(daemon.ErrConfig, -1)
				}
				done := make(chan time.Duration)
				go func() {
					begun := time.Now()
					defer func() { done <- time.Since(begun) }()
					s.Await(test.state)
				}()
				if took := <-done; took != test.took || !other.Failed() || told() != "" {
					t.Errorf("after %s, failed: %t, broken: %q", took, other.Failed(), told())
				}
				s.ended(nil, -1)
			})
		})
	}
}
