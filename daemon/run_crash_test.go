package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const crashChild = "GLIDEPATH_TEST_ENDS_BY"

// ends is a program that ends in a way that cannot be caught.
type ends struct {
	how  string
	stop context.CancelFunc
}

func (p ends) Start(ctx context.Context) error {
	switch p.how {
	case "log.Fatal":
		log.Fatal("its last words")
	case "log.Panic":
		go func() {
			defer os.Exit(1) // the runtime prints it as well
			log.Panic("its last words")
		}()
		select {}
	case "zap fatal":
		Logger(ctx).Fatal("its last words")
	case "slog fatal":
		slog.Log(ctx, slog.LevelError+4, "its last words")
		os.Exit(1)
	case "panic":
		go panic("boom")
		select {}
	case "map":
		m := map[int]int{}
		for range 4 {
			go func() {
				for {
					m[0]++
				}
			}()
		}
		select {}
	case "kill":
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	case "exit":
		os.Exit(3)
	case "refuse":
		return errors.New("there is no database")
	}
	p.stop()
	return nil
}

func (p ends) Stop(context.Context) error {
	switch p.how {
	case "hang":
		select {}
	case "fail":
		return errors.New("a cache could not be written")
	}
	return nil
}

// runAndCrash runs this test again as a service that ends by how, with its state in dir. It returns
// the records of its log.
func runAndCrash(t *testing.T, dir, cache, how string) []map[string]any {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestCrash_NextRunLogsHowTheLastOneCrashed$")
	cmd.Env = append(os.Environ(), crashChild+"="+how, "STATE_DIRECTORY="+dir, "CACHE_DIRECTORY="+cache, "LOG_TARGET=json", "GORACE=exitcode=1")
	out, _ := cmd.Output()
	var all []map[string]any
	for line := range strings.Lines(string(out)) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil {
			all = append(all, record)
		}
	}
	return all
}

// crashRecord returns the only record about a crash, nil if there is none.
func crashRecord(t *testing.T, log []map[string]any) (told map[string]any) {
	t.Helper()
	for _, r := range log {
		if r["event"] == "crashed" {
			if told != nil {
				t.Errorf("it tells %v too", r)
			}
			told = r
		}
	}
	return told
}

// TestCrash_NextRunLogsHowTheLastOneCrashed runs itself, as a service that crashes.
func TestCrash_NextRunLogsHowTheLastOneCrashed(t *testing.T) {
	if how := os.Getenv(crashChild); how != "" {
		ctx, stop := context.WithCancel(context.Background())
		os.Exit(ExitCode(Run(ctx, ends{how, stop}, Config{Name: "web", Version: "v1.2.3", StopTimeout: 10 * time.Millisecond})))
	}
	for _, test := range []struct {
		how   string
		level string // the level of the record of the next run, "" if there is none
		msg   string
		text  string
	}{
		{"panic", "error", "the run before this one crashed: panic: boom", "daemon.ends.Start"},
		{"map", "error", "the run before this one crashed: fatal error: concurrent use of a map", "daemon.ends.Start.func"},
		{"kill", "warn", "the run before this one ended without a word: ", ""},
		{"exit", "warn", "the run before this one ended without a word: ", ""},
		{"hang", "", "", ""}, // the first run logged that it gave up
		{"stop", "", "", ""},
	} {
		t.Run(test.how, func(t *testing.T) {
			t.Parallel()
			dir, unasked := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "cache")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			run := func(how string) []map[string]any { return runAndCrash(t, dir, unasked, how) }
			if first := run(test.how); len(first) == 0 || first[0]["version"] != "v1.2.3" {
				t.Fatalf("the first run has logged %v", first)
			}
			second := run("stop")
			told := crashRecord(t, second)
			if _, err := os.Stat(unasked); err == nil {
				t.Errorf("%s is made, which the program has not asked for", unasked)
			}
			if second[len(second)-1]["msg"] != "stopped" {
				t.Errorf("the second run has logged %v", second)
			}
			if test.level == "" {
				if told != nil {
					t.Errorf("it tells %v", told)
				}
				return
			}
			msg, _ := told["msg"].(string)
			text, _ := told["text"].(string)
			if told["level"] != test.level || !strings.HasPrefix(msg, test.msg) || !strings.Contains(text, test.text) || told["version"] != "v1.2.3" {
				t.Errorf("it tells %v", told)
			}
			for _, r := range run("stop") {
				if r["event"] == "crashed" {
					t.Error("it is told again")
				}
			}
			left, err := filepath.Glob(filepath.Join(dir, crashes, "*.txt"))
			if want := map[bool]int{true: 1}[test.text != ""]; err != nil || len(left) != want {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}
