//go:build unix

package script

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// procdCommon stands for rc.common and procd.sh: it keeps what it is given, and runs it as
// procd would.
const procdCommon = `
procd_open_instance() { :; }
procd_close_instance() { :; }
procd_send_signal() { printf '%s\n' "$@" >"$DIR/signal"; }
procd_set_param() {
	name=$1
	shift
	printf '%s\n' "$*" >"$DIR/param.$name"
	case $name in
	command)
		n=0
		for a; do
			printf '%s' "$a" >"$DIR/command.$n"
			n=$((n + 1))
		done
		echo "$n" >"$DIR/command"
		;;
	env) printf '%s\0' "$@" >"$DIR/environment" ;;
	esac
}
mkdir() { echo "mkdir $*" >>"$DIR/folders"; }
chmod() { echo "chmod $*" >>"$DIR/folders"; }
chown() { echo "chown $*" >>"$DIR/folders"; }
ls() { echo "drwxr-xr-x 3 ${ABOVE-0} 0 60 Nov 25 02:00 ."; }
logger() { echo "$*" >&2; }
. "$1"
"$2"
`

// runProcd runs a function of the script, and returns the folder with what came of it.
func runProcd(t *testing.T, shell []string, script, function string) string {
	t.Helper()
	dir, out, err := tryProcd(t, shell, script, function)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func tryProcd(t *testing.T, shell []string, script, function string) (dir, out string, err error) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"common": procdCommon, "script": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(shell[0], append(shell[1:], dir+"/common", dir+"/script", function)...)
	cmd.Env = append(os.Environ(), "DIR="+dir)
	said, err := cmd.CombinedOutput()
	return dir, string(said), err
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProcdScript_ArgumentsAndEnvironmentArrive(t *testing.T) {
	specs := managertest.Specs()
	for _, name := range []string{"hostile", "everything", "instance"} {
		managertest.EachShell(t, func(t *testing.T, shell []string) {
			s := specs[name]
			dir := t.TempDir()
			s.Executable = dir + "/bin" + s.Executable
			s.WorkingDirectory = dir + "/a 'folder' of $x"
			if err := os.MkdirAll(s.WorkingDirectory, 0o755); err != nil {
				t.Fatal(err)
			}
			managertest.Recorder(t, s.Executable, dir, "")
			got := runProcd(t, shell, procdScript(s, "web", procd{}.Layout(s)), "start_service")
			var n int
			if _, err := fmt.Sscan(readFile(t, got, "command"), &n); err != nil {
				t.Fatal(err)
			}
			var words []string
			for i := range n {
				words = append(words, readFile(t, got, fmt.Sprintf("command.%d", i)))
			}
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Env = append(strings.Split(strings.TrimSuffix(readFile(t, got, "environment"), "\x00"), "\x00"), "PATH="+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			managertest.Recorded(t, dir, s)
		})
	}
}

func TestProcdScript_DoesNotUseAFolderOfSomebodyElse(t *testing.T) {
	managertest.EachShell(t, func(t *testing.T, shell []string) {
		s := managertest.Plain()
		l := procd{}.Layout(s)
		dir := t.TempDir()
		l.Dirs.State = dir + "/state"
		script := procdScript(s, "web", l)
		if got := readFile(t, runProcd(t, shell, script, "start_service"), "folders"); !strings.Contains(got, "mkdir -p "+dir+"\nmkdir -m 0700 "+dir+"/state\nchown -h web "+dir+"/state\n") {
			t.Errorf("it made\n%s", got)
		}
		fails := func(why string) {
			t.Helper()
			t.Setenv("ABOVE", why)
			at, out, err := tryProcd(t, shell, script, "start_service")
			if err == nil || !strings.Contains(out, "cannot make "+dir+"/state") {
				t.Errorf("%v: %s", err, out)
			}
			if _, err := os.Stat(filepath.Join(at, "command")); err == nil {
				t.Error("it is started")
			}
		}
		fails("1000") // the folder above is that user's
		if err := os.Symlink("/etc", l.Dirs.State); err != nil {
			t.Fatal(err)
		}
		fails("1000")
	})
}

func TestProcdScript_WithoutAWorkingDirectoryTheProgramIsTheCommand(t *testing.T) {
	s := managertest.Plain()
	s.Arguments = []string{"a b"}
	dir := runProcd(t, []string{"/bin/sh"}, procdScript(s, "web", procd{}.Layout(s)), "start_service")
	if got := readFile(t, dir, "param.command"); got != "/usr/local/bin/web a b\n" || readFile(t, dir, "command") != "2\n" {
		t.Errorf("it is %q", got)
	}
}

func TestProcdScript_TellsProcdWhatToDo(t *testing.T) {
	s := managertest.Plain()
	s.Limits.OpenFiles = 500
	// The script looks whether its folders are there, on the machine of the test.
	const name = "no-service-of-this-machine"
	s.Name = name
	script := procdScript(s, name, procd{}.Layout(s))
	dir := runProcd(t, []string{"/bin/sh"}, script, "start_service")
	for parameter, want := range map[string]string{
		"user": name, "no_new_privs": "1", "respawn": "600 1 0", "term_timeout": "35", "limits": "nofile=500 500", "stdout": "1", "stderr": "1",
	} {
		if got := readFile(t, dir, "param."+parameter); got != want+"\n" {
			t.Errorf("%s is %q, not %q", parameter, got, want)
		}
	}
	if got := readFile(t, dir, "folders"); strings.Count(got, "mkdir -m 0700 ") != 4 || !strings.Contains(got, "chown -h "+name+" /run/"+name+"\n") {
		t.Errorf("it makes\n%s", got)
	}
	if got := readFile(t, runProcd(t, []string{"/bin/sh"}, script, "reload_service"), "signal"); got != name+"\n" {
		t.Errorf("the signal goes to %q", got)
	}
}
