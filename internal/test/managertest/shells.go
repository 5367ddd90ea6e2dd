package managertest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// Shells are the shells of this machine that scripts have to work with: the one that
// is there for sure, and what others have for it.
func Shells() [][]string {
	shells := [][]string{{"/bin/sh"}}
	for _, s := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		if p, err := exec.LookPath(s[0]); err == nil {
			shells = append(shells, append([]string{p}, s[1:]...))
		}
	}
	return shells
}

// EachShell runs f for each of Shells.
func EachShell(t *testing.T, f func(t *testing.T, shell []string)) {
	t.Helper()
	for _, s := range Shells() {
		t.Run(filepath.Base(strings.Join(s, " ")), func(t *testing.T) { f(t, s) })
	}
}

// Parses fails the test if a shell does not take the script for one.
func Parses(t *testing.T, script string) {
	t.Helper()
	for _, s := range Shells() {
		cmd := exec.Command(s[0], append(s[1:], "-n")...)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%q: %v: %s", s, err, out)
		}
	}
}

// Recorder makes an executable that writes its arguments, its environment, its folder
// and its umask into files of dir, and then runs then, a line of shell.
func Recorder(t *testing.T, file, dir, then string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "#!/bin/sh\nd='" + dir + "'\nprintf '%s\\0' \"$@\" >\"$d/args\"\nenv -0 >\"$d/env\"\npwd >\"$d/pwd\"\numask >\"$d/umask\"\n: >\"$d/done\"\n" + then + "\n"
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Recorded compares what a Recorder has written with what s says.
func Recorded(t *testing.T, dir string, s manage.Spec) {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	args := strings.Split(strings.TrimSuffix(string(read("args")), "\x00"), "\x00")
	if len(args) != len(s.Arguments) && (len(s.Arguments) != 0 || args[0] != "") {
		t.Errorf("%d arguments came as %d: %q", len(s.Arguments), len(args), args)
	}
	for i, a := range s.Arguments {
		if i < len(args) && args[i] != a {
			t.Errorf("argument %d, %q, came as %q", i, a, args[i])
		}
	}
	env := map[string]string{}
	for v := range bytes.SplitSeq(read("env"), []byte{0}) {
		name, value, _ := strings.Cut(string(v), "=")
		env[name] = value
	}
	for name, want := range s.Environment {
		if got, ok := env[name]; got != want || !ok {
			t.Errorf("%s=%q came as %q, %t", name, want, got, ok)
		}
	}
	for _, name := range []string{"STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY"} {
		if env[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	if s.Template && env["SERVICE_INSTANCE"] != s.Instance {
		t.Errorf("SERVICE_INSTANCE=%q", env["SERVICE_INSTANCE"])
	}
	if got := strings.TrimSuffix(string(read("pwd")), "\n"); s.WorkingDirectory != "" && got != s.WorkingDirectory {
		t.Errorf("it works in %q, not in %q", got, s.WorkingDirectory)
	}
	if got := strings.TrimSpace(string(read("umask"))); got != "0077" {
		t.Errorf("its umask is %s", got)
	}
}
