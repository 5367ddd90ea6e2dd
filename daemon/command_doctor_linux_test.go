package daemon

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDoctor_ReplacedExecutableIsAWarning(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "web")
	sleep, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Skipf("the test runs a copy of sleep: %v", err)
	}
	old := time.Unix(1e9, 0) // cp -p keeps the time
	put := func() {
		if err := errors.Join(os.WriteFile(file+".new", sleep, 0o755), os.Chtimes(file+".new", old, old), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
	}
	put()
	process := exec.Command(file, "1000")
	process.Args[0] = "sleep" // a program with many names looks at this
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	s := newShell(t)
	s.config.Service.User = true
	s.executable = file
	s.call("install --now")
	s.manager.status.PID, s.manager.status.Since = process.Process.Pid, time.Now()
	if _, out, _ := s.call("doctor"); !strings.Contains(out, "ok       executable: "+file+"; ") {
		t.Errorf("as long as it is the same:\n%s", out)
	}
	put()
	want := "warning  executable: " + file + " is newer than the running process\n         -> " + programName() + " restart\n"
	if _, out, _ := s.call("doctor"); !strings.Contains(out, want) {
		t.Errorf("want %s in\n%s", want, out)
	}
}

func TestDoctor_ChecksTheFileThatTheManagerStarts(t *testing.T) {
	for name, test := range map[string]struct {
		change func(file string) error
		want   string // FILE is what is installed
		code   int
	}{
		"in order":            {func(string) error { return nil }, "ok       executable: FILE; nobody else can replace it\n", 0},
		"gone":                {os.Remove, "PROBLEM  executable: lstat FILE: no such file or directory\n", 1},
		"empty":               {func(p string) error { return os.Truncate(p, 0) }, "PROBLEM  executable: FILE is empty\n", 1},
		"not executable":      {func(p string) error { return os.Chmod(p, 0o644) }, "PROBLEM  executable: FILE may not be executed, its mode is 0644\n         -> chmod +x FILE\n", 1},
		"writable, for all":   {func(p string) error { return os.Chmod(p, 0o777) }, "warning  executable: everybody can write to FILE (mode 0777): other users can write there; chmod o-w FILE\n", 0},
		"writable, and worse": {func(p string) error { return os.Chmod(p, 0o666) }, "PROBLEM  executable: FILE may not be executed, its mode is 0666\n", 1},
		"not a program":       {func(p string) error { return os.WriteFile(p, []byte("web"), 0o755) }, "PROBLEM  executable: FILE is neither a program of Linux nor a script that begins with #!\n", 1},
		"a folder":            {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, "PROBLEM  executable: FILE is no regular file, but d---------\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, other := filepath.Join(dir, "web"), filepath.Join(dir, "copy")
			for p, mode := range map[string]fs.FileMode{file: 0o755, other: 0o777} { // the copy has worse faults
				if err := errors.Join(os.WriteFile(p, []byte("#!/bin/sh\n"), 0o755), os.Chmod(p, mode)); err != nil {
					t.Fatal(err)
				}
			}
			s := newShell(t)
			s.config.Service.User = true // root or not, the files are ours
			s.executable = file
			s.call("install")
			s.call("start")
			if err := test.change(file); err != nil {
				t.Fatal(err)
			}
			s.executable = other
			code, out, _ := s.call("doctor")
			if want := strings.ReplaceAll(test.want, "FILE", file); !strings.Contains(out, want) || code != test.code || strings.Contains(out, "executable: "+other) {
				t.Errorf("%s: exit code %d, want %d, and %s in\n%s", name, code, test.code, want, out)
			}
			if s.manager.looked != file {
				t.Errorf("%s: the manager has looked at %s, want %s", name, s.manager.looked, file)
			}
		})
	}
}
