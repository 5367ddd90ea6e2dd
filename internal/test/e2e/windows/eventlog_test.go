//go:build linux

package windows

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// reported is a record as Wine prints it.
type reported struct {
	kind, id, count string
	strings         string // its strings, as C has them, with a newline after each line
}

var (
	reportCall  = regexp.MustCompile(`fixme:advapi:ReportEventW \([0-9A-F]+,0x([0-9a-f]{4}),0x0000,0x([0-9a-f]{8}),0+,0x([0-9a-f]{4}),0x00000000,`)
	reportLine  = regexp.MustCompile(`:eventlog:ReportEventW L"(.*)"(\.\.\.)?$`)
	sourceCalls = regexp.MustCompile(`fixme:advapi:(RegisterEventSourceW \(.*\)|DeregisterEventSource)`)
)

// report is what Wine has printed of calls of the Event Log.
func report(text string) (list []reported) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if call := reportCall.FindStringSubmatch(line); call != nil {
			list = append(list, reported{kind: call[1], id: call[2], count: call[3]})
		}
		if text := reportLine.FindStringSubmatch(line); text != nil && len(list) > 0 {
			list[len(list)-1].strings += text[1] + text[2] + "\n"
		}
	}
	return list
}

// No source is registered here: it breaks nothing.
func TestRecordsReachTheEventLog(t *testing.T) {
	requireWindows(t)
	t.Parallel()
	out, err := machine.Run(t.Context(), "env", "WINEPREFIX=/var/lib/windows", "WINEDEBUG=-all,+eventlog,fixme+advapi",
		"wine", filepath.Join(programs, "eventlog.exe"), "not registered")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(out.Stdout); got != "0 lost" || out.Code != 0 { // what comes after Close is not counted
		t.Errorf("code %d, %s", out.Code, got)
	}
	var calls []string
	for _, call := range sourceCalls.FindAllStringSubmatch(out.Stderr, -1) {
		calls = append(calls, call[1])
	}
	if want := []string{`RegisterEventSourceW ((null),L"not registered")`, "DeregisterEventSource"}; !slices.Equal(calls, want) {
		t.Errorf("the calls for the source are %q", calls)
	}
	const information, warning, failure = "0004", "0002", "0001"
	want := []reported{
		{information, id(100), "0001", "a debug message\n"},
		{information, id(101), "0002", `an info message\r\n
    path: C:\\a b\\\\x2520\r\n
    n: 42\r\n
    smile: \d83d\de00
{\"path\":\"C:\\\\a b\\\\\\u002520\",\"n\":42,\"smile\":\"\d83d\de00\"}
`},
		{warning, id(102), "0002", `a warning of\r\n
        several lines\r\n
    text:\r\n
        one\r\n
            two\r\n
        three
{\"text\":\"one\\n\\ttwo\\r\\nthree\"}
`},
		{failure, id(103), "0002", `an error: \\x251 %s 100%\r\n
    error: \"no\\x00\\x1b\\xff route\"
{\"error\":\"no\\u0000\\u001b\\ufffd route\"}
`},
		{failure, id(104), "0001", "a panic of developers\n"},
		{information, id(2), "0002", "ready\n{\\\"event\\\":\\\"ready\\\"}\n"},
	}
	got := report(out.Stderr)
	if len(got) != len(want)+1 {
		t.Fatalf("%d records: %q\n%s", len(got), got, out.Stderr)
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("record %d is\n%q, want\n%q", i, got[i], w)
		}
	}
	if long := got[len(want)]; long.count != "0001" || !strings.HasPrefix(long.strings, `long\r\n`+"\n"+`    k: \d83d\de00`) ||
		!regexp.MustCompile(`\n    \\2026\(\d+ bytes\)\n$`).MatchString(long.strings) {
		t.Errorf("the long record is %q", long)
	}
}

// id is an event id as Wine prints it.
func id(n int) string { return fmt.Sprintf("%08x", n) }

// since is what Windows has printed since then, of which until is what it had before.
func since(t *testing.T, until string) string {
	t.Helper()
	log, err := machine.Journal(t.Context(), testbed.WindowsUnit)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(log, until)
}

// It runs with no other test: what Wine prints says of no record whose it is.
func TestAServiceLogsToTheEventLogAndHowItCrashedWhenItIsStartedAgain(t *testing.T) {
	requireWindows(t)
	before := since(t, "")
	name := fmt.Sprintf("logger-%d", services.Add(1))

	// Wine does not notice that the first has ended, which has the name of the second in
	// all but its manager's list.
	crashing := &installed{t: t, name: name + "-crashing"}
	path := testbed.WindowsPath(filepath.Join(programs, "eventlog.exe"))
	call(crashing, "Create", control.Service{Name: crashing.name, Path: path, Args: []string{"service", name, "crash"}}, &nothing)
	t.Cleanup(func() {
		if err := agent.Call("Manager.Delete", crashing.name, &nothing); err != nil {
			t.Error(err)
		}
	})
	crashing.made = true
	crashing.start()
	for deadline := time.Now().Add(patience); ; {
		out, err := machine.Run(t.Context(), "/bin/sh", "-c", `grep -qsa "servic[e].`+name+`" /proc/[0-9]*/cmdline`)
		if err != nil {
			t.Fatal(err)
		}
		if out.Code != 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it has not crashed: %s", since(t, before))
		}
	}

	s := newService(t, "eventlog", "service", name)
	s.start()
	s.await(running)
	s.stop()
	s.is(0, 0)

	text := since(t, before)
	runs := strings.Split(text, fmt.Sprintf("RegisterEventSourceW ((null),L%q)", name))
	if len(runs) != 3 || !strings.Contains(runs[2], "DeregisterEventSource") {
		t.Fatalf("the source was not registered and given back in each run:\n%s", text)
	}
	var events []string
	var own, crashed string
	for _, r := range report(runs[2]) {
		switch r.id {
		case id(102):
			own = r.kind + " " + r.strings
			continue
		case id(12):
			crashed = r.strings
		}
		events = append(events, r.kind+" "+r.id)
	}
	want := []string{"0004 " + id(1), "0001 " + id(12), "0004 " + id(2), "0004 " + id(3), "0004 " + id(4)}
	if !slices.Equal(events, want) {
		t.Errorf("the events are %q, want %q:\n%s", events, want, text)
	}
	if !strings.HasPrefix(own, `0002 about to serve\r\n`) || !strings.Contains(own, `    path: /a\\x2520b\r\n`) {
		t.Errorf("the service's own record is %q", own)
	}
	for _, part := range []string{"panic: nobody sees this", `    version: v1.2.3\r\n`, `    text:\r\n`, `main.serve.func1()\r\n`} {
		if !strings.Contains(crashed, part) {
			t.Errorf("how it crashed is\n%s\nwithout %s", crashed, part)
		}
	}
}
