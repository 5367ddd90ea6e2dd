//go:build linux

package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/log/journal"
	"github.com/go-glidepath/glidepath/internal/log/logevent"
	"github.com/go-glidepath/glidepath/internal/test/journaltest"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// manager is an instance of systemd.
type manager struct {
	name  string
	run   func(ctx context.Context, name string, args ...string) (testbed.Output, error)
	flags []string
	unit  string // the field that names a unit
}

func managers(t *testing.T) []manager {
	testbed.Require(t)
	return []manager{
		{"system", machine.Run, nil, "_SYSTEMD_UNIT"},
		{"user", machine.RunUser, []string{"--user"}, "_SYSTEMD_USER_UNIT"},
	}
}

// logger runs the logger as a service called run, until it ends.
func (m manager) logger(t *testing.T, run, what string, args ...string) {
	t.Helper()
	if err := m.try(t.Context(), run, what, args...); err != nil {
		t.Fatal(err)
	}
}

func (m manager) try(ctx context.Context, run, what string, args ...string) error {
	line := slices.Concat(m.flags, []string{
		"--quiet", "--wait", "--collect", "--unit=" + run, "--property=LogRateLimitIntervalSec=0",
		filepath.Join(programs, "logger"), what, run,
	}, args)
	out, err := m.run(ctx, "systemd-run", line...)
	if err == nil && out.Code != 0 {
		journal, _ := machine.Run(ctx, "journalctl", "--no-pager", "-n", "30")
		err = fmt.Errorf("%s: exit code %d: %s\n%s", run, out.Code, out.Stderr, journal.Stdout)
	}
	return err
}

// set is the fields of a record: the journal keeps what is there twice once.
type set map[journaltest.Field]bool

func (s set) value(name string) string {
	for f := range s {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// add adds a field that is not journald's own.
func (s set) add(name, value string, journalds bool) {
	if journalds || !strings.HasPrefix(name, "_") {
		s[journaltest.Field{Name: name, Value: value}] = true
	}
}

// read reads the records of a run.
func read(t *testing.T, args ...string) string {
	t.Helper()
	_ = must(t, "journalctl", "--sync")
	return must(t, "journalctl", append([]string{"--all", "--no-pager", "--quiet"}, args...)...)
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := machine.Run(t.Context(), name, args...)
	if err != nil || out.Code != 0 {
		t.Fatalf("%s %q: %v %s", name, args, err, out.Stderr)
	}
	return out.Stdout
}

// readJSON reads what journalctl -o json says.
func readJSON(t *testing.T, match ...string) []set {
	t.Helper()
	var records []set
	d := json.NewDecoder(strings.NewReader(read(t, append([]string{"--output=json"}, match...)...)))
	for d.More() {
		var fields map[string]any
		if err := d.Decode(&fields); err != nil {
			t.Fatal(err)
		}
		s := make(set)
		for name, value := range fields {
			values, several := value.([]any)
			if several && len(values) > 0 {
				_, several = values[0].(float64) // bytes
				several = !several
			}
			if !several {
				values = []any{value}
			}
			for _, v := range values {
				s.add(name, text(t, v), true)
			}
		}
		records = append(records, s)
	}
	return records
}

// text is a value in JSON: a string, or an array of bytes where it cannot be one.
func text(t *testing.T, v any) string {
	t.Helper()
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var b []byte
		for _, n := range v {
			b = append(b, byte(n.(float64)))
		}
		return string(b)
	}
	t.Fatalf("a value is %v", v)
	return ""
}

// readExport reads what journalctl -o export says.
func readExport(t *testing.T, match ...string) []set {
	t.Helper()
	var records []set
	rest := []byte(read(t, append([]string{"--output=export"}, match...)...))
	for len(rest) > 0 {
		var s set
		s, rest = export(t, rest)
		records = append(records, s)
	}
	return records
}

// export reads one record. An empty line ends it.
func export(t *testing.T, b []byte) (set, []byte) {
	t.Helper()
	s := make(set)
	for b[0] != '\n' {
		line, _, _ := bytes.Cut(b, []byte("\n"))
		end := len(line) + 1
		if !bytes.Contains(line, []byte("=")) {
			var n int
			for i := range 8 {
				n |= int(b[end+i]) << (8 * i)
			}
			end += 8 + n + 1
		}
		if line[0] != '_' {
			fields, err := journaltest.Decode(b[:end])
			if err != nil {
				t.Fatal(err)
			}
			s.add(fields[0].Name, fields[0].Value, false)
		}
		b = b[end:]
	}
	return s, b[1:]
}

// strip takes away what all records have, and what is journald's.
func strip(s set) set {
	s = maps.Clone(s)
	for f := range s {
		if strings.HasPrefix(f.Name, "_") || strings.HasPrefix(f.Name, "TRIAL_") ||
			f.Name == "SYSLOG_IDENTIFIER" || f.Name == "SYSLOG_FACILITY" || f.Name == "LOGGED_AT" ||
			f.Name == journal.Keys || f.Name == journal.MessageBytes {
			delete(s, f)
		}
	}
	return s
}

func TestWhatWasLoggedIsWhatTheJournalHas(t *testing.T) {
	const n = 1500
	for i, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			run := "trial-" + m.name
			from := i * n
			m.logger(t, run, "trial", strconv.Itoa(from), strconv.Itoa(n))
			asJSON := readJSON(t, "TRIAL_RUN="+run)
			if len(asJSON) != n {
				t.Fatalf("%d records, want %d", len(asJSON), n)
			}
			for how, records := range map[string][]set{"json": asJSON, "export": readExport(t, "TRIAL_RUN="+run)} {
				for i, got := range records {
					want := make(set)
					for _, f := range journaltest.New(uint64(from + i)).Want {
						want.add(f.Name, f.Value, false)
					}
					if got.value("TRIAL_SEED") != strconv.Itoa(from+i) || got.value("SYSLOG_IDENTIFIER") != "logger" || got.value("SYSLOG_FACILITY") != "3" {
						t.Fatalf("%s: record %d is %v", how, from+i, got)
					}
					said := strip(got)
					if got.value("PRIORITY") <= "4" { // its message has the fields too, for people
						before, message := want.value("MESSAGE"), said.value("MESSAGE")
						if !strings.HasPrefix(message, before) {
							t.Errorf("%s: seed %d: the message is %q, want %q first", how, from+i, message, before)
						}
						delete(said, journaltest.Field{Name: "MESSAGE", Value: message})
						delete(want, journaltest.Field{Name: "MESSAGE", Value: before})
					}
					if !maps.Equal(said, want) {
						t.Errorf("%s: seed %d\ngot  %v\nwant %v", how, from+i, said, want)
					}
				}
			}
			// The last words too are known to be the unit's.
			for _, r := range asJSON {
				if r.value(m.unit) != run+".service" {
					t.Fatalf("%s of record %s is %q", m.unit, r.value("TRIAL_SEED"), r.value(m.unit))
				}
			}
		})
	}
}

// A person sees every message, and no "blob data".
func TestEveryMessageIsShown(t *testing.T) {
	m := managers(t)[0]
	m.logger(t, "shown", "trial", "5000", "500")
	out := must(t, "sh", "-c", "journalctl --sync && journalctl --no-pager --quiet --output=cat TRIAL_RUN=shown")
	if strings.Contains(out, "blob data") {
		t.Error("journalctl does not show all messages")
	}
	if n := strings.Count(must(t, "journalctl", "--no-pager", "--quiet", "--output=short", "TRIAL_RUN=shown"), " logger["); n < 500 {
		t.Errorf("%d messages", n)
	}
}

func TestLargeRecordsArrive(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			run := "large-" + m.name
			m.logger(t, run, "large")
			got := readExport(t, "TRIAL_RUN="+run)
			if len(got) != 6 {
				t.Fatalf("%d records", len(got))
			}
			if got[0].value("TEXT") != strings.Repeat("12345678\n", 1<<18) || got[0].value("BLOB") != string(make([]byte, 12<<20)) {
				t.Error("the megabytes are others")
			}
			for i, n := range []int{500, 898} { // TRIAL_RUN is one of 899

				for f := range n {
					if got[1+i].value(fmt.Sprintf("F%d", f)) != strconv.Itoa(f) {
						t.Errorf("record %d: F%d is missing", 1+i, f)
					}
				}
			}
			if more := got[2].value("MORE_FIELDS"); !strings.HasPrefix(more, "F898=898\n") || !strings.Contains(more, "\nF1499=1499\n") {
				t.Errorf("MORE_FIELDS is %.100q", more)
			}
			if got[3].value("MESSAGE_ID") != logevent.Ready.MessageID() || got[3].value("ERRNO") != "98" || got[3].value("ERROR") != "bind: address already in use" {
				t.Errorf("the event is %v", got[3])
			}
			if message := got[4].value("MESSAGE"); !strings.HasPrefix(message, "\\x00\n\\x00\n") || !strings.HasSuffix(message, " bytes more)") {
				t.Errorf("the message of 40 MiB is %.100q", message)
			}
			if full := got[4].value("FULL_MESSAGE"); !strings.HasPrefix(full, "\\x00\n\\x00\n") || len(full) < 8<<20 {
				t.Errorf("the whole of it has %d bytes", len(full))
			}
			// Without --all, journalctl has null for what is long.
			for seed, begins := range map[string]string{"4": "\\x00\n", "5": "warning trial_run=" + run} {
				var shown struct{ MESSAGE string }
				out := must(t, "journalctl", "--no-pager", "--quiet", "--output=json", "TRIAL_RUN="+run, "TRIAL_SEED="+seed)
				if err := json.Unmarshal([]byte(out), &shown); err != nil || !strings.HasPrefix(shown.MESSAGE, begins) || !strings.HasSuffix(shown.MESSAGE, " bytes more)") {
					t.Errorf("%v, the message is %.100q", err, shown.MESSAGE)
				}
			}
		})
	}
}

// complete wants all records of a run, in order.
func complete(t *testing.T, run string, n, goroutines int) (late int) {
	t.Helper()
	next := make([]int, goroutines)
	for _, r := range readExport(t, "TRIAL_RUN="+run) {
		g, _ := strconv.Atoi(r.value("TRIAL_GOROUTINE"))
		if i, err := strconv.Atoi(r.value("TRIAL_SEED")); err != nil || i != next[g] {
			t.Fatalf("%s: %d comes after %d, %v", run, i, next[g]-1, err)
		}
		next[g]++
		if r.value("LOGGED_AT") != "" {
			late++
		}
	}
	for g, got := range next {
		if got != n {
			t.Errorf("%s: goroutine %d has %d records, want %d", run, g, got, n)
		}
	}
	return late
}

func TestNoneOf100000RecordsIsLost(t *testing.T) {
	m := managers(t)[0]
	for _, goroutines := range []int{1, 8} {
		// A journald that gets no processor for 50 ms hangs, and then records may be lost,
		// which the program says: that is another run.
		var run string
		var took time.Duration
		for try := 1; ; try++ {
			run = fmt.Sprintf("many-%d-%d", goroutines, try)
			begun := time.Now()
			err := m.try(t.Context(), run, "many", strconv.Itoa(100_000/goroutines), strconv.Itoa(goroutines), "0s")
			if took = time.Since(begun); err == nil {
				break
			}
			if try == 30 {
				t.Fatal(err)
			}
			t.Logf("%s: %.200v", run, err)
		}
		late := complete(t, run, 100_000/goroutines, goroutines)
		t.Logf("%d goroutines: %s, %d went through the backlog", goroutines, took, late)
	}
}

// restarted has a run log while journald is restarted in the way that restart does it.
func (m manager) restarted(t *testing.T, run string, n int, restart func()) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- m.try(t.Context(), run, "many", strconv.Itoa(n), "1", "500us") }()
	await(t, run)
	must(t, "systemctl", "reset-failed", "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
	restart()
	select {
	case err := <-ended:
		t.Fatalf("%s has ended before journald was there again: %v", run, err)
	default:
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestNoneIsLostWhenJournaldRestarts(t *testing.T) {
	for _, m := range managers(t) {
		t.Run(m.name, func(t *testing.T) {
			const n = 3000
			run := "restart-" + m.name
			m.restarted(t, run, n, func() {
				must(t, "systemctl", "restart", "systemd-journald")
				must(t, "systemctl", "restart", "systemd-journald")
			})
			t.Logf("%d went through the backlog", complete(t, run, n, 1))
		})
	}
}

// What journald's socket has in its queue when that is closed, nobody can have back.
func TestASocketThatIsMadeAnewIsFound(t *testing.T) {
	const n, queue = 3000, 512
	m := managers(t)[0]
	m.restarted(t, "socket", n, func() {
		must(t, "systemctl", "stop", "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
		must(t, "systemctl", "start", "systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald.service")
	})
	last, gaps, late, missing := -1, 0, 0, 0
	for _, r := range readExport(t, "TRIAL_RUN=socket") {
		i, err := strconv.Atoi(r.value("TRIAL_SEED"))
		if err != nil || i <= last {
			t.Fatalf("%d comes after %d, %v", i, last, err)
		}
		if i != last+1 {
			gaps++
			missing += i - last - 1
		}
		if r.value("LOGGED_AT") != "" {
			late++
		}
		last = i
	}
	t.Logf("%d went through the backlog, %d were in the queue", late, missing)
	if last != n-1 || gaps > 1 || missing > queue || late == 0 {
		t.Errorf("the last is %d, with %d gaps, %d missing, %d late", last, gaps, missing, late)
	}
}

// await waits until a run has logged something.
func await(t *testing.T, run string) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 30*time.Second; {
		if read(t, "--output=cat", "--lines=1", "TRIAL_RUN="+run) != "" {
			return
		}
	}
	t.Fatalf("%s logs nothing", run)
}

// hang has journald hang until goOn is called.
func hang(t *testing.T) (goOn func()) {
	t.Helper()
	signal := []string{"kill", "--kill-whom=main", "systemd-journald.service"}
	must(t, "systemctl", append(signal, "--signal=STOP")...)
	hangs := true
	goOn = func() {
		if hangs {
			hangs = false
			if out, err := machine.Run(context.Background(), "systemctl", append(signal, "--signal=CONT")...); err != nil || out.Code != 0 {
				t.Errorf("journald does not go on: %v %s", err, out.Stderr)
			}
		}
	}
	t.Cleanup(goOn)
	return goOn
}

func TestACallIsShortWhileJournaldHangs(t *testing.T) {
	m := managers(t)[0]
	goOn := hang(t)
	result := "/run/hang-result"
	ended := make(chan error, 1)
	go func() { ended <- m.try(t.Context(), "hang", "hang", result) }()
	var text []byte
	for begun := time.Now(); len(text) == 0 && time.Since(begun) < 60*time.Second; {
		text, _ = os.ReadFile(machine.Path(result))
	}
	goOn()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var median, p99, longest, all time.Duration
	if _, err := fmt.Sscan(string(text), (*int64)(&median), (*int64)(&p99), (*int64)(&longest), (*int64)(&all)); err != nil {
		t.Fatal(err)
	}
	// What a call may take is measured in internal/test/bench.
	t.Logf("median %s, p99 %s, longest %s, in all %s", median, p99, longest, all)
	if median >= time.Millisecond || all >= 30*time.Second {
		t.Errorf("half of the calls took %s, all of them %s", median, all)
	}
	told := readExport(t, "MESSAGE_ID="+logevent.RecordsLost.MessageID(), "_SYSTEMD_UNIT=hang.service")
	there := readExport(t, "TRIAL_RUN=hang")
	lost := 0
	for _, r := range told {
		n, _ := strconv.Atoi(r.value("LOST"))
		lost += n
	}
	if lost == 0 || lost+len(there) != 30_000 {
		t.Errorf("%d records are there, %d are said to be lost, of 30 000", len(there), lost)
	}
}

func TestABurstAndAStopAtOnceLoseNothing(t *testing.T) {
	// All of these fit into the backlog, so it does not matter how fast journald is.
	if lost := burst(t, "burst", 1_500, 8); lost != 0 {
		t.Errorf("%d records are lost", lost)
	}
}

func TestOfABurstAndAStopAtOnceEveryRecordIsThereOrTold(t *testing.T) {
	t.Logf("%d records are lost", burst(t, "large-burst", 7_500, 8))
}

// burst has that many goroutines log n records each and the program stop at once. It
// returns how many records the log says are lost.
func burst(t *testing.T, run string, n, goroutines int) (lost int) {
	t.Helper()
	m := managers(t)[0]
	result := "/run/" + run
	m.logger(t, run, "stop", strconv.Itoa(n), strconv.Itoa(goroutines), result)
	text, err := os.ReadFile(machine.Path(result))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(text), "%d lost, 0 untold: <nil>", &lost); err != nil {
		t.Fatalf("at the end: %s", text)
	}
	all := readExport(t, "_SYSTEMD_UNIT="+run+".service", "TRIAL_RUN="+run)
	if len(all)+lost != n*goroutines+1 {
		t.Errorf("%d records are there, %d are said to be lost, of %d", len(all), lost, n*goroutines+1)
	}
	if last := all[len(all)-1]; last.value("MESSAGE_ID") != logevent.Stopped.MessageID() {
		t.Errorf("the last record is %q", last.value("MESSAGE"))
	}
	return lost
}

func TestWhatAJournaldThatHangsLosesIsInTheErrorOfClose(t *testing.T) {
	m := managers(t)[0]
	goOn := hang(t)
	const n, goroutines = 7_500, 8
	ended := make(chan error, 1)
	go func() {
		ended <- m.try(t.Context(), "silent", "stop", strconv.Itoa(n), strconv.Itoa(goroutines), "/run/silent-result")
	}()
	var text []byte
	for begun := time.Now(); len(text) == 0 && time.Since(begun) < 60*time.Second; {
		text, _ = os.ReadFile(machine.Path("/run/silent-result"))
	}
	goOn()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	there := readExport(t, "TRIAL_RUN=silent")
	var lost, untold, said int
	if _, err := fmt.Sscanf(string(text), "%d lost, %d untold: %d log records were lost: the journal", &lost, &untold, &said); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	t.Logf("%s; %d arrived", text, len(there))
	if lost == 0 || lost != untold || lost != said || len(there)+lost != n*goroutines+1 {
		t.Errorf("%s, and %d of %d records are there", text, len(there), n*goroutines+1)
	}
}
