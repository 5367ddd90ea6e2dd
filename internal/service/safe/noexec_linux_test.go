package safe

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAFileSystemFromWhichNothingMayBeExecutedIsAProblem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if why, _ := Barred(file); why != "" {
		t.Errorf("of a file in order: %s", why)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || !regexp.MustCompile(`(?m)^\d+ \d+ \S+ / /proc \S*noexec`).Match(mounts) {
		t.Skip("/proc is not mounted with noexec")
	}
	if !noexec("/proc/version") || noexec(file) {
		t.Errorf("/proc: %t, %s: %t", noexec("/proc/version"), file, noexec(file))
	}
	if why, remedy := Barred("/proc/self/exe"); why != "" || remedy != "" { // a link that leads out of it
		t.Errorf("of what runs: %s %s", why, remedy)
	}
	if why, _ := Barred("/proc/version"); !strings.HasPrefix(why, "/proc/version is empty") { // as all files there are
		t.Errorf("got %q", why)
	}
}
