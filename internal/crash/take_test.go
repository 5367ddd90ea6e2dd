package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func taken(t *testing.T, dir string) []Report {
	t.Helper()
	reports, err := Take(dir, "web")
	if err != nil {
		t.Fatal(err)
	}
	return reports
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestTake_LeavesOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"web", "helper"} {
		file := append(Run{Program: program, PID: 7}.header(), "panic: "+program+"\n"...)
		if err := os.WriteFile(filepath.Join(dir, runPrefix+program+suffix), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"web", "helper"} {
		for _, want := range []int{1, 0} {
			reports, err := Take(dir, program)
			if err != nil || len(reports) != want || want == 1 && reports[0].Program != program {
				t.Errorf("%s takes %+v, %v, want %d", program, reports, err, want)
			}
		}
	}
}

func TestTake_FindsTheTextOfACrash(t *testing.T) {
	tests := []struct{ way, summary, text string }{
		{"panic", "panic: boom", "goroutine "},
		{"nil pointer", "panic: runtime error: invalid memory address or nil pointer dereference", "goroutine "},
		{"maps", "fatal error: concurrent use of a map", "concurrentMaps"},
		{"stack", "fatal error: stack overflow", "crash.deep("},
		{"unlock", "fatal error: a lock that is not held was unlocked", "crash.init"},
	}
	if runtime.GOOS != "windows" {
		tests = append(tests, []struct{ way, summary, text string }{
			{"quit", "SIGQUIT: quit", "crash.TestMain"},
			{"abort", "SIGABRT: abort", "crash.TestMain"},
			{"memory", "fatal error: out of memory", "crash.init"}, // Wine needs a minute to refuse it
		}...)
	}
	for _, test := range tests {
		t.Run(test.way, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "crash")
			before := time.Now().Add(-time.Second)
			child(t, dir, test.way)
			reports := taken(t, dir)
			if len(reports) != 1 {
				t.Fatalf("got %d reports", len(reports))
			}
			r := reports[0]
			if got := r.Summary(); got != test.summary {
				t.Errorf("it ended with %q, want %q, of\n%s", got, test.summary, r.Text)
			}
			if !strings.Contains(r.Text, test.text) {
				t.Errorf("the text lacks %q:\n%s", test.text, r.Text)
			}
			if !r.Crashed() || r.Program != "web" || r.Version != "1.2.3" || r.PID == 0 || r.PID == os.Getpid() || r.Rebooted ||
				r.Started.Before(before) || r.Ended.Before(before) || !strings.HasPrefix(r.Go, "go1.") {
				t.Errorf("got %+v", r)
			}
			if again := taken(t, dir); len(again) != 0 {
				t.Errorf("it was told twice: %+v", again)
			}
			filed, err := List(dir)
			if err != nil || len(filed) != 1 || filed[0].Text != r.Text || filed[0].File != r.File || filed[0].Run != r.Run ||
				!filed[0].Ended.Equal(r.Ended.Truncate(time.Second)) {
				t.Errorf("filed is %+v, %v, want %+v", filed, err, r)
			}
		})
	}
}

func TestTake_ReportsARunWithoutATextAndFilesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	child(t, dir, "exit")
	reports := taken(t, dir)
	if len(reports) != 1 || reports[0].Crashed() || reports[0].Version != "1.2.3" || !reports[0].Ended.IsZero() || !strings.HasPrefix(reports[0].Summary(), "it was killed, or exited") {
		t.Errorf("got %+v", reports)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("it left %v", got)
	}
}

func TestTake_LeavesCurrentRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	killFirst, killSecond := waiting(t, dir), waiting(t, dir)
	if got := taken(t, dir); len(got) != 0 {
		t.Fatalf("got %+v", got)
	}
	if n := len(names(t, dir)); n != 2 {
		t.Fatalf("there are %d files", n)
	}
	killFirst()
	if got := taken(t, dir); len(got) != 1 || got[0].Crashed() {
		t.Errorf("of the one that was killed: %+v", got)
	}
	child(t, dir, "panic")
	if got := taken(t, dir); len(got) != 1 || got[0].Summary() != "panic: boom" {
		t.Errorf("of the one that panicked: %+v", got)
	}
	killSecond()
	if got := taken(t, dir); len(got) != 1 || got[0].Crashed() {
		t.Errorf("of the second that was killed: %+v", got)
	}
}

func TestList_IncludesCrashesNotTakenYet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	child(t, dir, "panic")
	taken(t, dir)
	child(t, dir, "maps")
	child(t, dir, "exit")
	waiting(t, dir)
	before := names(t, dir)
	list, err := List(dir)
	if err != nil || len(list) != 2 || list[0].Summary() != "fatal error: concurrent use of a map" || list[1].Summary() != "panic: boom" {
		t.Fatalf("got %+v, %v", list, err)
	}
	if !strings.HasPrefix(filepath.Base(list[0].File), runPrefix) || list[0].PID == 0 || time.Since(list[0].Ended) > time.Minute {
		t.Errorf("got %+v", list[0])
	}
	if after := names(t, dir); !slices.Equal(after, before) {
		t.Errorf("to look has made %v of %v", after, before)
	}
	if got := taken(t, dir); len(got) != 2 || got[0].Text != list[0].Text || got[1].Crashed() {
		t.Errorf("after a look Take gives %+v", got)
	}
}

func TestList_DuringTakeReportsEachOnce(t *testing.T) {
	for i := range 100 {
		dir := t.TempDir()
		for k := range Keep {
			path := filepath.Join(dir, fmt.Sprintf("%s%d-ab%s", runPrefix, k+1, suffix))
			if err := os.WriteFile(path, append(Run{Program: "web"}.header(), "panic: x\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error)
		go func() {
			_, err := Take(dir, "web")
			done <- err
		}()
		list, err := List(dir)
		if err := errors.Join(err, <-done); err != nil || len(list) != Keep {
			t.Fatalf("%d: got %d, %v", i, len(list), err)
		}
	}
}

func TestList_BoundsTheFilesItReads(t *testing.T) {
	dir := t.TempDir()
	for i := range maxLeft + 5 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s%d-ab%s", runPrefix, i+1, suffix)), []byte("panic: x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := List(dir); err != nil || len(list) != maxLeft {
		t.Errorf("got %d, %v", len(list), err)
	}
}

func TestList_SkipsNamesThatControlATerminal(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{crashPrefix + "1\u202e", runPrefix + "1\u200b", crashPrefix + "2"} {
		if err := os.WriteFile(filepath.Join(dir, name+suffix), []byte("panic: x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := List(dir); err != nil || len(list) != 1 || filepath.Base(list[0].File) != crashPrefix+"2"+suffix {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestTake_SkipsTheFileOfThisRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	o, err := Open(dir, Run{Program: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Run{Program: "web"}); !errors.Is(err, ErrTaken) {
		t.Errorf("a second one: %v", err)
	}
	if got := taken(t, dir); len(got) != 0 || len(names(t, dir)) != 1 {
		t.Errorf("got %+v", got)
	}
	for range 2 {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := names(t, dir); len(n) != 0 {
		t.Errorf("there are %v", n)
	}
	if o, err = Open(dir, Run{}); err != nil {
		t.Errorf("after Close: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if err := (*Output)(nil).Close(); err != nil {
		t.Error(err)
	}
}

func TestTake_ReturnsEachCrashToOneCaller(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	for range 3 {
		child(t, dir, "panic")
	}
	var mu sync.Mutex
	seen := map[int]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			reports, err := Take(dir, "web")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range reports {
				seen[r.PID]++
			}
		})
	}
	wg.Wait()
	for _, r := range taken(t, dir) { // a report that one was looking at when another asked for it
		seen[r.PID]++
	}
	if len(seen) != 3 {
		t.Errorf("there are %d", len(seen))
	}
	for pid, n := range seen {
		if n != 1 {
			t.Errorf("that of %d was told %d times", pid, n)
		}
	}
	if filed, err := List(dir); err != nil || len(filed) != 3 {
		t.Errorf("%d are filed, %v", len(filed), err)
	}
}

func TestTake_BoundsWhatItKeeps(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	child(t, dir, "many goroutines")
	r := taken(t, dir)[0]
	if len(r.Text) > MaxText || len(r.Text) < MaxText-10 || r.Size <= maxFile || r.Summary() != "panic: boom" {
		t.Errorf("%d bytes of %d, %q", len(r.Text), r.Size, r.Summary())
	}
	info, err := os.Stat(r.File)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != maxFile || !info.ModTime().Equal(r.Ended) {
		t.Errorf("%d bytes are kept, of %v", info.Size(), info.ModTime())
	}
	child(t, dir, "long panic")
	if r := taken(t, dir)[0]; len(r.Summary()) > maxSummary+len("…") {
		t.Errorf("the summary has %d bytes", len(r.Summary()))
	}

	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range Keep + 5 {
		path := filepath.Join(dir, runPrefix+"1-"+string(rune('a'+i))+suffix)
		if err := os.WriteFile(path, append(Run{Program: "web"}.header(), "panic: old\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		at := begin.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(taken(t, dir)); n != Keep+5 {
		t.Errorf("%d were told", n)
	}
	filed, err := List(dir)
	if err != nil || len(filed) != Keep || len(names(t, dir)) != Keep {
		t.Fatalf("%d are listed of %d, %v", len(filed), len(names(t, dir)), err)
	}
	if oldest := filed[Keep-1].Ended; !oldest.Equal(begin.Add(7 * time.Minute)) { // two of today, and eight others
		t.Errorf("the oldest that is kept is of %v", oldest)
	}
	if filed[0].Ended.Before(filed[1].Ended) {
		t.Error("the newest is not first")
	}
}

func TestTake_ReadsIncompleteFiles(t *testing.T) {
	head := string(Run{Program: "web", Version: "1"}.header())
	for name, c := range map[string]struct {
		file string
		told int
		text string
	}{
		"nothing":           {"", 0, ""},
		"half of a header":  {head[:20], 0, ""},
		"a few bytes":       {"glide", 0, ""},
		"a header":          {head, 1, ""},
		"no header":         {"panic: x\n", 1, "panic: x"},
		"zeros":             {head + "\x00\x00\x00", 1, ""},
		"bytes, not text":   {head + "panic: \xff\xfe", 1, "panic: \uFFFD"},
		"a header, a crash": {head + "panic: x\n\ngoroutine 1 [running]:\n", 1, "panic: x\n\ngoroutine 1 [running]:"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, runPrefix+"77-ab"+suffix), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			reports := taken(t, dir)
			if len(reports) != c.told {
				t.Errorf("got %+v", reports)
				return
			}
			if c.told == 1 && (reports[0].Text != c.text || c.text != "" && reports[0].PID != 77 && reports[0].PID != 0) {
				t.Errorf("got %+v", reports[0])
			}
			if left := names(t, dir); (len(left) == 0) != (c.text == "") {
				t.Errorf("left are %v", left)
			}
		})
	}
}

func TestTake_ReportsAReboot(t *testing.T) {
	if bootID() == "" {
		t.Log("boots have no name here")
		return
	}
	dir := t.TempDir()
	for name, boot := range map[string]string{"a": "another", "b": bootID(), "c": ""} {
		head := Run{Program: name, boot: boot}.header()
		if err := os.WriteFile(filepath.Join(dir, runPrefix+"1-"+name+suffix), head, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range taken(t, dir) {
		if r.Rebooted != (r.Program == "a") || r.Rebooted != (r.Summary() == "the machine went down while it ran") {
			t.Errorf("%s: %+v", r.Program, r)
		}
	}
}
