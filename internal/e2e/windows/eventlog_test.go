//go:build linux

package windows

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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
	if got := strings.TrimSpace(out.Stdout); got != "1 lost" || out.Code != 0 { // that after Close
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
