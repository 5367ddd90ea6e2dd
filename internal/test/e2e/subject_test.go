//go:build linux

package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// mode is a way of using the library that has one right end.
type mode struct {
	name  string // of the program's mode
	flags string // others

	// How it is run, and what is done to it.
	systemd  bool                      // by a systemd
	watchdog time.Duration             // of that
	pipe     func(*testing.T) *os.File // its standard output, instead of one that is read
	do       []step

	// How it ends: with which code, and how long after the last step, or after its start if
	// there is none.
	code   int
	takes  time.Duration
	within time.Duration // takes and end if 0
	memory int           // MB that it may have at most, 0 if that does not matter

	// What the report, the last record of the log, says; there is none if trigger is "".
	trigger, err, overran string
	failures              int
	hasty                 bool // the end may leave no time for it, nor for telling the manager

	says  []string // what it prints and logs, in this order
	never []string // what it does not
	check func(t *testing.T, s *subject)
}

// What a report may say in a mode where nobody knows before.
const (
	anything = "anything"
	many     = -1
)

const (
	// end is what giving up, or a log, may take at the end.
	end = 500 * time.Millisecond

	// shared is what anything may take longer, since the machine has other things to do.
	shared = 2 * time.Second
)

// subject is a program in a mode that is being tried.
type subject struct {
	*process
	out, errs output
	asked     time.Time // when the last step was
	peak      atomic.Int64
}

// printed is all that it has printed, with the log.
func (s *subject) printed() string { return s.out.String() + s.errs.String() }

// step is something that is done to a program.
type step func(*subject)

// await waits for something that the program prints or logs.
func await(text string) step {
	return func(s *subject) {
		s.t.Helper()
		eventually(s.t, func() string {
			if strings.Contains(s.printed(), text) {
				return ""
			}
			return "it does not say " + text
		})
	}
}

// send sends a signal.
func send(sig syscall.Signal) step {
	return func(s *subject) {
		s.t.Helper()
		s.asked = time.Now()
		s.signal(sig)
	}
}

const ready = `"msg":"ready"`

// stop has a program that is ready stop.
var stop = []step{await(ready), send(syscall.SIGTERM)}

// reloadFirst reloads a program that is ready, waits for what that says, and then stops it.
func reloadFirst(text string) []step {
	return []step{await(ready), send(syscall.SIGHUP), await(text), send(syscall.SIGTERM)}
}

// afterwards stops a program once it has said something.
func afterwards(text string) []step { return []step{await(text), send(syscall.SIGTERM)} }

// try runs the program in mode m, and asserts that it ends as m says.
func (m mode) try(t *testing.T) {
	s := &subject{}
	cmd := command("modes", append([]string{"-mode=" + m.name}, strings.Fields(m.flags)...)...)
	cmd.Stdout, cmd.Stderr = &s.out, &s.errs
	if m.pipe != nil {
		cmd.Stdout = m.pipe(t)
	}
	var systemd *listener
	if m.systemd {
		systemd = listen(t)
		cmd = systemd.starts(cmd)
	}
	if m.watchdog > 0 {
		cmd.Env = append(cmd.Env, "WATCHDOG_USEC="+strconv.FormatInt(m.watchdog.Microseconds(), 10))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it has printed\n%.20000s", s.printed())
		}
	})
	m.watch(t, s, cmd)
	over := time.Now()
	within := cmp.Or(m.within, m.takes+end)
	if took := over.Sub(s.asked); took < m.takes || took > within+shared {
		t.Errorf("it ended after %s, want %s to %s", took, m.takes, within)
	}
	if peak := s.peak.Load(); m.memory > 0 && (peak == 0 || peak > int64(m.memory)<<20) {
		t.Errorf("it has taken %d bytes of memory, want at most %d MB", peak, m.memory)
	}
	m.said(t, s.printed())
	if !m.hasty {
		m.reported(t, s)
	}
	if systemd != nil && !m.hasty {
		systemd.hears(strings.Contains(s.printed(), ready), m.code != 0, over)
	}
	if m.check != nil {
		m.check(t, s)
	}
}

// watch runs the program until its end.
func (m mode) watch(t *testing.T, s *subject, cmd *exec.Cmd) {
	t.Helper()
	s.asked = time.Now()
	s.process = launch(t, cmd)
	measured := make(chan struct{})
	go func() {
		defer close(measured)
		for {
			select {
			case <-s.ended:
				return
			case <-time.After(20 * time.Millisecond):
				s.peak.Store(max(s.peak.Load(), highWater(cmd.Process.Pid)))
			}
		}
	}()
	for _, do := range m.do {
		do(s)
	}
	s.exits(m.code)
	<-measured
}

// highWater is the most memory that a process has had since its exec, 0 if that is over.
// Not what wait4 reports: that begins with the memory of the process that has forked it.
func highWater(pid int) int64 {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// said asserts what stands in all that was printed.
func (m mode) said(t *testing.T, text string) {
	t.Helper()
	if wrong := missing(text, m.says); wrong != "" {
		t.Error(wrong)
	}
	for _, not := range m.never {
		if strings.Contains(text, not) {
			t.Errorf("it says %q", not)
		}
	}
}

// missing says which of the texts is not there, in this order.
func missing(in string, texts []string) string {
	for _, text := range texts {
		_, after, ok := strings.Cut(in, text)
		if !ok {
			return fmt.Sprintf("it does not say %q, in this order: %q", text, texts)
		}
		in = after
	}
	return ""
}

// reported asserts what the last record says.
func (m mode) reported(t *testing.T, s *subject) {
	t.Helper()
	var last map[string]any
	for _, r := range s.records() {
		last = r
	}
	if m.trigger == "" {
		if last["msg"] == "stopped" {
			t.Errorf("there is a report: %v", last)
		}
		return
	}
	overran := ""
	if list, ok := last["overran"].([]any); ok && len(list) == 1 {
		overran, _ = list[0].(string)
	}
	failures, _ := last["failures"].(float64)
	if last["msg"] != "stopped" || last["code"] != float64(m.code) || last["trigger"] != m.trigger ||
		overran != m.overran && m.overran != anything || int(failures) != m.failures && m.failures != many {
		t.Errorf("the report is %v, want code %d, trigger %s, overran %q, failures %d", last, m.code, m.trigger, m.overran, m.failures)
	}
	err, failed := last["error"].(string)
	if failed != (m.code != 0) || !strings.Contains(err, m.err) {
		t.Errorf("the report has the error %q, want %q", err, m.err)
	}
}

// records are the records of the log, between what else is printed.
func (s *subject) records() (all []map[string]any) {
	s.t.Helper()
	for line := range strings.Lines(s.printed()) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		all = append(all, r)
	}
	return all
}
