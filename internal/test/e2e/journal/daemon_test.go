//go:build linux

package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// The tests of this file have a program that logs by package daemon, without any
// configuration, as a unit of systemd, and look at what journald says of it.

const patience = 30 * time.Second

// probe is a run of the probe as a unit.
type probe struct {
	t *testing.T
	manager
	name string
}

// start starts the probe as a unit with these properties, and waits until it is ready.
func (m manager) start(t *testing.T, name string, properties []string, args ...string) probe {
	t.Helper()
	line := append(slices.Clone(m.flags), "--quiet", "--collect", "--unit="+name, "--property=Type=notify-reload", "--property=LogRateLimitIntervalSec=0")
	for _, p := range properties {
		line = append(line, "--property="+p)
	}
	p := probe{t, m, name}
	t.Cleanup(func() {
		_, _ = m.run(context.Background(), "systemctl", append(slices.Clone(m.flags), "stop", name)...)
	})
	p.must("systemd-run", append(line, append([]string{filepath.Join(programs, "probe"), "-reload=ok", "-log=" + name}, args...)...)...)
	return p
}

func (p probe) must(name string, args ...string) {
	p.t.Helper()
	if out, err := p.run(p.t.Context(), name, args...); err != nil || out.Code != 0 {
		p.t.Fatalf("%s %q: %v %s", name, args, err, out.Stderr)
	}
}

func (p probe) systemctl(args ...string) {
	p.t.Helper()
	p.must("systemctl", append(slices.Clone(p.flags), args...)...)
}

func (p probe) stop() { p.t.Helper(); p.systemctl("stop", p.name) }

// records are those of the unit that have these fields.
func (p probe) records(match ...string) []set {
	p.t.Helper()
	return readJSON(p.t, append(match, p.unit+"="+p.name+".service", "_COMM=probe")...)
}

// event is the records of an event.
func (p probe) event(e logevent.Event) []set {
	p.t.Helper()
	return p.records("MESSAGE_ID=" + e.MessageID())
}

// only is the record of an event of which there is one.
func (p probe) only(e logevent.Event) set {
	p.t.Helper()
	records := p.event(e)
	if len(records) != 1 {
		p.t.Fatalf("%s: there are %d records: %v", e, len(records), records)
	}
	return records[0]
}

// has wants fields of a record. "…" stands for any value.
func (s set) has(t *testing.T, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := s.value(name); got != value && (value != "…" || got == "") {
			t.Errorf("%s is %q, want %q, in %v", name, got, value, s)
		}
	}
}

// eventually waits until there is nothing to say.
func eventually(t *testing.T, wrong func() string) {
	t.Helper()
	for begun := time.Now(); ; {
		what := wrong()
		if what == "" {
			return
		}
		if time.Since(begun) > patience {
			t.Fatal(what)
		}
	}
}

func TestARunIsInTheJournalWithoutConfiguration(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			p := m.start(t, "plain-"+m.name, nil)
			p.systemctl("reload", p.name)
			p.stop()
			for _, e := range []logevent.Event{logevent.Starting, logevent.Ready, logevent.Reloaded, logevent.Stopping, logevent.Stopped} {
				p.only(e).has(t, map[string]string{
					"PRIORITY": "6", "SYSLOG_IDENTIFIER": "probe", "SYSLOG_FACILITY": "3", "_TRANSPORT": "journal", "CODE_FILE": "", "_PID": "…",
				})
			}
			p.only(logevent.Stopping).has(t, map[string]string{"TRIGGER": "terminate", "DETAIL": "SIGTERM"})
			p.only(logevent.Stopped).has(t, map[string]string{
				"CODE": "0", "TRIGGER": "terminate", "DETAIL": "SIGTERM", "UPTIME": "…", "START": "…", "STOP": "…", "WAIT": "…", "LOST": "", "OVERRAN": "", "ERROR": "",
			})
			for message, want := range map[string]map[string]string{
				"at info": {"PRIORITY": "6", "ANSWER": "42", "TOOK": "1.5s", "NAMES": `["a","b"]`, "CODE_LINE": "…"},
				"by slog": {"PRIORITY": "6", "ANSWER": "42", "CODE_LINE": "…"},
			} {
				got := p.records("MESSAGE=" + message)
				if len(got) != 1 {
					t.Fatalf("%s: %d records", message, len(got))
				}
				want["SYSLOG_IDENTIFIER"], want["_TRANSPORT"] = "probe", "journal"
				got[0].has(t, want)
				if file, f := got[0].value("CODE_FILE"), got[0].value("CODE_FUNC"); filepath.Base(file) != "logger.go" || f != "main.(*probe).writeLog" {
					t.Errorf("%s: it is of %s in %s", message, f, file)
				}
			}
			priorities := map[string]string{"at warn": "4", "at error": "3", "by log": "6"}
			for _, r := range p.records() {
				message := r.value("MESSAGE") // and behind it, from warn on, what the fields say
				for what, want := range priorities {
					if strings.HasPrefix(message, what) && r.value("PRIORITY") == want && strings.Contains(message, p.name) {
						delete(priorities, what)
					}
				}
				if strings.HasPrefix(message, "at debug") || message == "by slog at debug" {
					t.Errorf("there is a record %q", message)
				}
			}
			if len(priorities) > 0 {
				t.Errorf("there is no record %v", priorities)
			}
		})
	}
}

func TestNoneOf100000RecordsOfADaemonIsLost(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			p := m.start(t, "daemon-many-"+m.name, []string{"TimeoutStopSec=120"}, "-stop-timeout=100s", "-records=100000")
			p.stop()
			inOrder(t, p, 100_000)
			p.only(logevent.Stopped).has(t, map[string]string{"CODE": "0", "LOST": ""})
		})
	}
}

// inOrder wants the numbered records of a run, all of them.
func inOrder(t *testing.T, p probe, n int) {
	t.Helper()
	next := 0
	for _, r := range readExport(t, "MESSAGE=record", "TRIAL_RUN="+p.name) {
		if got := r.value("TRIAL_SEED"); got != strconv.Itoa(next) {
			t.Fatalf("%s: %s comes as number %d", p.name, got, next)
		}
		next++
	}
	if next != n {
		t.Errorf("%s: there are %d records, want %d", p.name, next, n)
	}
}

func TestADaemonLosesNothingWhenJournaldRestarts(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			const n = 3000
			p := m.start(t, "daemon-restart-"+m.name, []string{"TimeoutStopSec=120"}, "-stop-timeout=100s", "-records="+strconv.Itoa(n), "-every=500us")
			must(t, "systemctl", "reset-failed", "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
			must(t, "systemctl", "restart", "systemd-journald")
			p.stop()
			inOrder(t, p, n)
			// The report is of the same run, after all of them.
			p.only(logevent.Stopped).has(t, map[string]string{"CODE": "0", "LOST": ""})
		})
	}
}

// A crash is told by the run after it, with the text that nobody has seen.
func TestTheRunAfterACrashTellsOfIt(t *testing.T) {
	for _, m := range managers(t) {
		for _, test := range []struct {
			die, how, text string
			priority       string
		}{
			{"panic", "panic: as asked by -die", "main.die", "3"},
			{"maps", "fatal error: concurrent use of a map", "main.die.func", "3"},
			{"KILL", "it was killed", "", "4"},
		} {
			t.Run(m.name+" "+test.die, func(t *testing.T) {
				name := "crash-" + strings.ToLower(test.die) + "-" + m.name
				properties := []string{"StateDirectory=" + name}
				if test.die == "KILL" {
					first := m.start(t, name, properties)
					first.systemctl("kill", "--signal=KILL", name)
				} else {
					line := slices.Concat(m.flags, []string{
						"--quiet", "--wait", "--collect", "--unit=" + name, "--property=StateDirectory=" + name,
						filepath.Join(programs, "probe"), "-die=" + test.die,
					})
					if out, err := m.run(t.Context(), "systemd-run", line...); err != nil || out.Code == 0 {
						t.Fatalf("it did not die: %v, %d %s", err, out.Code, out.Stderr)
					}
				}
				dead := probe{t, m, name}
				eventually(t, func() string {
					out, err := m.run(t.Context(), "systemctl", slices.Concat(m.flags, []string{"is-active", name})...)
					if err != nil || strings.TrimSpace(out.Stdout) != "inactive" {
						return "it is " + out.Stdout
					}
					return ""
				})
				starts := len(dead.event(logevent.Starting))
				p := m.start(t, name, properties)
				p.stop()
				if n := len(p.event(logevent.Starting)); n != starts+1 {
					t.Fatalf("there are %d starts, and there were %d", n, starts)
				}
				got := p.only(logevent.Crashed)
				got.has(t, map[string]string{"PRIORITY": test.priority, "STARTED": "…", "SYSLOG_IDENTIFIER": "probe"})
				if how := got.value("HOW"); !strings.HasPrefix(how, test.how) {
					t.Errorf("it says %q, want %q", how, test.how)
				}
				if text := got.value("TEXT"); !strings.Contains(text, test.text) || (text == "") != (test.text == "") {
					t.Errorf("the text is\n%s", text)
				}
				if test.text == "" {
					return
				}
				ended, err := time.Parse(time.RFC3339Nano, got.value("ENDED"))
				if err != nil || time.Since(ended) > time.Hour || time.Since(ended) < 0 {
					t.Errorf("ENDED is %q", got.value("ENDED"))
				}
				file := must(t, "cat", got.value("FILE"))
				if !strings.Contains(file, test.text) {
					t.Errorf("%s has\n%s", got.value("FILE"), file)
				}
				if mode := strings.TrimSpace(must(t, "stat", "--format=%a", got.value("FILE"))); mode != "600" {
					t.Errorf("its mode is %s", mode)
				}
				// It is told once.
				p = m.start(t, name, properties)
				p.stop()
				p.only(logevent.Crashed)
			})
		}
	}
}

// changes wants the level to have changed in this way, and debug records in between.
func (p probe) changes(want ...string) {
	p.t.Helper()
	var got []string
	ticks := 0
	for _, r := range p.records() {
		switch {
		case r.value("MESSAGE_ID") == logevent.LevelChanged.MessageID():
			got = append(got, r.value("FROM")+" to "+r.value("TO"))
			ticks = 0
		case r.value("MESSAGE") == "tick":
			if ticks++; ticks == 1 {
				got = append(got, "ticks")
			}
			if r.value("PRIORITY") != "7" {
				p.t.Errorf("a debug record is %v", r)
			}
		}
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("the level was %q, want %q", got, want)
	}
}

// ticking waits until there are more debug records than there were.
func (p probe) ticking() {
	p.t.Helper()
	n := len(p.records("MESSAGE=tick"))
	eventually(p.t, func() string {
		if len(p.records("MESSAGE=tick")) > n {
			return ""
		}
		return "no more debug records"
	})
}

// changed waits until the level has changed n times.
func (p probe) changed(n int) {
	p.t.Helper()
	eventually(p.t, func() string {
		if got := len(p.event(logevent.LevelChanged)); got != n {
			return "the level has changed " + strconv.Itoa(got) + " times, want " + strconv.Itoa(n)
		}
		return ""
	})
}

func TestTheLevelChangesWhileItRuns(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			p := m.start(t, "level-"+m.name, nil, "-ticks")
			signal := func(s string, n int) {
				t.Helper()
				p.systemctl("kill", "--kill-whom=main", "--signal="+s, p.name)
				p.changed(n)
			}
			signal("USR1", 1)
			p.ticking()
			signal("USR2", 2)
			signal("USR2", 3)
			signal("USR1", 4)
			signal("USR1", 5)
			p.ticking()
			p.systemctl("reload", p.name) // which reads the level again
			p.changed(6)
			p.stop()
			p.changes("info to debug", "ticks", "debug to info", "info to warn", "warn to info", "info to debug", "ticks", "debug to info")
		})
	}
}

func TestAFileHasTheLevel(t *testing.T) {
	m := managers(t)[0]
	dir := "/etc/level-file"
	must(t, "mkdir", "-p", dir)
	level := func(text string) { must(t, "sh", "-c", "echo "+text+" > "+dir+"/log-level") }
	level("debug")
	p := m.start(t, "level-file", []string{"ConfigurationDirectory=level-file"}, "-ticks")
	p.ticking() // from the start
	level("info")
	p.systemctl("reload", p.name)
	p.changed(1)
	level("nonsense")
	p.systemctl("reload", p.name)
	level("debug")
	p.systemctl("reload", p.name)
	p.changed(2)
	p.ticking()
	p.stop()
	p.changes("ticks", "debug to info", "info to debug", "ticks")
	wrong := 0
	for _, r := range p.records("PRIORITY=4") {
		if strings.Contains(r.value("ERROR"), "log-level is \"nonsense\"") {
			wrong++
		}
	}
	if wrong != 1 {
		t.Errorf("there are %d records about a level that is none", wrong)
	}
}

func TestAnInvocationForDebuggingLogsAtDebug(t *testing.T) {
	m := managers(t)[0]
	p := m.start(t, "level-invocation", []string{"Environment=DEBUG_INVOCATION=1"}, "-ticks")
	p.ticking()
	p.systemctl("reload", p.name)
	p.ticking()
	p.stop()
	p.changes("ticks")
}

// The stop of a program is delayed no longer than its log is given to be flushed.
func TestAJournaldThatHangsDelaysTheEndOnlySoLong(t *testing.T) {
	m := managers(t)[0]
	p := m.start(t, "hang-at-the-end", nil)
	pid := p.only(logevent.Ready).value("_PID")
	signal := []string{"kill", "--kill-whom=main", "systemd-journald.service"}
	must(t, "systemctl", append(signal, "--signal=STOP")...)
	goOn := func() error {
		_, err := machine.Run(context.Background(), "systemctl", append(signal, "--signal=CONT")...)
		return err
	}
	t.Cleanup(func() { _ = goOn() })
	p.stop() // if it waited for journald it would be killed, and have no report
	if err := goOn(); err != nil {
		t.Fatal(err)
	}
	// When journald reads it the process is gone: nobody knows any more whose it was.
	report := readJSON(t, "MESSAGE_ID="+logevent.Stopped.MessageID(), "_PID="+pid, "SYSLOG_IDENTIFIER=probe")
	if len(report) != 1 {
		t.Fatalf("there are %d reports", len(report))
	}
	report[0].has(t, map[string]string{"CODE": "0", "TRIGGER": "terminate", "LOST": ""})
}

func TestWhatIsLostAtTheEndIsToldOnStandardErrorIfTheJournalHangs(t *testing.T) {
	const n = 100_000
	m := managers(t)[0]
	words := "/run/words-at-the-end"
	p := m.start(t, "words-at-the-end", []string{
		"TimeoutStopSec=120", "Environment=LOG_TARGET=journal", "StandardError=file:" + words,
	}, "-stop-timeout=100s", "-records="+strconv.Itoa(n))
	pid := p.only(logevent.Ready).value("_PID")
	goOn := hang(t)
	p.stop()
	goOn()
	text, err := os.ReadFile(machine.Path(words))
	if err != nil {
		t.Fatal(err)
	}
	var untold int
	if _, err := fmt.Sscanf(string(text), "<4>probe: %d log records were lost: the journal did not take them in time:", &untold); err != nil || strings.Count(string(text), "\n") != 1 {
		t.Fatalf("on standard error is %q: %v", text, err)
	}
	told := 0 // while it went on
	for _, r := range readExport(t, "MESSAGE_ID="+logevent.RecordsLost.MessageID(), "_PID="+pid) {
		lost, _ := strconv.Atoi(r.value("LOST"))
		told += lost
	}
	events := 0
	for _, e := range []logevent.Event{logevent.Starting, logevent.Ready, logevent.Stopping, logevent.Stopped} {
		events += len(readExport(t, "MESSAGE_ID="+e.MessageID(), "_PID="+pid))
	}
	there := len(readExport(t, "MESSAGE=record", "TRIAL_RUN="+p.name))
	if untold == 0 || there+events+told+untold != n+4 {
		t.Errorf("%d records and %d of the run are there, %d and %d are said to be lost, of %d and 4", there, events, told, untold, n)
	}
}

func TestDoctorAndLogsKnowOfACrash(t *testing.T) {
	testbed.Require(t)
	const program = "/usr/local/bin/probe" // a service does not see what is in /tmp
	must(t, "cp", filepath.Join(programs, "probe"), program)
	must(t, program, "-die=panic", "install")
	t.Cleanup(func() { _, _ = machine.Run(context.Background(), program, "uninstall", "--purge") })
	_, _ = machine.Run(t.Context(), "systemctl", "start", "probe")
	eventually(t, func() string {
		if len(readJSON(t, "MESSAGE_ID="+logevent.Crashed.MessageID(), "_SYSTEMD_UNIT=probe.service")) > 0 { // it is restarted
			return ""
		}
		return "there is no record of a crash"
	})
	for verb, want := range map[string]string{"doctor": "as asked by -die", "logs": "panic: as asked by -die"} {
		out, err := machine.Run(t.Context(), program, verb)
		if err != nil || !strings.Contains(out.Stdout+out.Stderr, want) {
			t.Errorf("%s: %v, code %d\n%s%s", verb, err, out.Code, out.Stdout, out.Stderr)
		}
	}
}
