//go:build unix

package script

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// rcSubr stands for /etc/rc.subr: what the script uses of it, as rc.subr(8) has it.
const rcSubr = `
load_rc_config() { [ -n "$1" ] || exit 9; }
run_rc_command() {
	rc_pid=
	if [ -f "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; then
		rc_pid=$(cat "$pidfile")
	fi
	case " start stop status $extra_commands " in *" $1 "*) ;; *) echo "unknown: $1" >&2; exit 8 ;; esac
	eval "rcvalue=\$$rcvar"
	[ -n "$rcvalue" ] || exit 7
	eval "cmd=\$${1}_cmd"
	$cmd
}
`

// rcDaemon stands for daemon(8): it keeps the flags that it was given, and supervises.
const rcDaemon = `#!/bin/sh
printf '%s\n' "$@" >"DIR/flags"
while getopts P:p:t:o:R:u: f; do
	case $f in
	P) supervisor=$OPTARG ;;
	p) child=$OPTARG ;;
	o) log=$OPTARG ;;
	t | R | u) ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))
(
	"$@" &
	pid=$!
	trap 'kill -TERM $pid' TERM
	echo $pid >"$child"
	sh -c 'echo $PPID' >"$supervisor"
	wait $pid
	wait $pid
	rm -f "$supervisor" "$child"
) >"$log" 2>&1 &
`

// rcBed is a machine with one script in a folder.
type rcBed struct {
	t        *testing.T
	dir      string
	script   string
	shell    []string
	s        manage.Spec
	deadline time.Time
}

func newRCBed(t *testing.T, shell []string, s manage.Spec, then string) *rcBed {
	t.Helper()
	dir := t.TempDir()
	r := &rcBed{t: t, dir: dir, script: filepath.Join(dir, "script"), shell: shell, s: s, deadline: time.Now().Add(20 * time.Second)}
	r.s.Executable = dir + "/bin" + s.Executable
	if s.WorkingDirectory != "" {
		r.s.WorkingDirectory = dir + s.WorkingDirectory
		if err := os.MkdirAll(r.s.WorkingDirectory, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	managertest.Recorder(t, r.s.Executable, dir, then)
	l := rcd{}.Layout(r.s)
	l.Log, l.Dirs.Runtime = dir+"/log", dir+"/runtime"
	text := rcdScript(r.s, "root", l, dir+"/web")
	for old, stub := range map[string]string{"/etc/rc.subr": dir + "/rc.subr", "/usr/sbin/daemon -": dir + "/daemon -"} {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in\n%s", old, text)
		}
		text = strings.ReplaceAll(text, old, stub)
	}
	i := strings.Index(text, "budget=")
	j := i + strings.IndexByte(text[i:], '\n')
	text = text[:i] + "budget=1" + text[j:]
	for name, content := range map[string]string{
		"rc.subr": rcSubr, "daemon": strings.ReplaceAll(rcDaemon, "DIR", dir), "script": text, "tools/install": "#!/bin/sh\nfor d; do :; done; mkdir -p \"$d\"\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, f := range []string{r.child(), r.supervisor()} {
			if pid := r.pid(f); pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return r
}

func (r *rcBed) run(verb string) (string, error) {
	r.t.Helper()
	cmd := exec.Command(r.shell[0], append(r.shell[1:], r.script, verb)...)
	cmd.Env = append(os.Environ(), "PATH="+r.dir+"/tools:"+os.Getenv("PATH"))
	cmd.WaitDelay = 100 * time.Millisecond
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *rcBed) supervisor() string { return r.dir + "/web.pid" }
func (r *rcBed) child() string      { return r.dir + "/web.child.pid" }

func (r *rcBed) pid(file string) int {
	b, _ := os.ReadFile(file)
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// until waits for what other processes do.
func (r *rcBed) until(what string, is func() bool) {
	r.t.Helper()
	for !is() {
		if time.Now().After(r.deadline) {
			r.t.Fatalf("%s does not come; the log:\n%s", what, r.read("log"))
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (r *rcBed) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(r.dir, name))
	return string(b)
}

func (r *rcBed) exists(name string) func() bool {
	return func() bool { _, err := os.Stat(filepath.Join(r.dir, name)); return err == nil }
}

func TestRCDScript_ArgumentsAndEnvironmentArrive(t *testing.T) {
	specs := managertest.Specs()
	for _, name := range []string{"hostile", "everything", "instance"} {
		managertest.EachShell(t, func(t *testing.T, shell []string) {
			s := specs[name]
			s.Limits.OpenFiles = 100
			r := newRCBed(t, shell, s, "")
			if out, err := r.run("start"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			r.until("the program", r.exists("done"))
			managertest.Recorded(t, r.dir, r.s)
		})
	}
}

func TestRCDScript_TellsTheSupervisorWhatToDo(t *testing.T) {
	l := rcd{}.Layout(managertest.Plain())
	for name, test := range map[string]struct {
		account string
		change  func(*manage.Spec)
		want    string
	}{
		"as a rule": {"web", func(*manage.Spec) {}, "-P /var/run/web.pid -p /var/run/web.child.pid -t web -o /var/log/web.log -R 1 -u web"},
		"never":     {"web", func(s *manage.Spec) { s.Recovery = service.Recovery{Never: true} }, "-P /var/run/web.pid -p /var/run/web.child.pid -t web -o /var/log/web.log -u web"},
		"as root":   {"root", func(s *manage.Spec) { s.Recovery.Delays = []time.Duration{2500 * time.Millisecond} }, "-P /var/run/web.pid -p /var/run/web.child.pid -t web -o /var/log/web.log -R 3"},
	} {
		s := managertest.Plain()
		test.change(&s)
		if got := strings.Join(rcdFlags(s, test.account, l, "/var/run/web"), " "); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestRCDScript_StopEndsTheSupervisorAndTheProgram(t *testing.T) {
	managertest.EachShell(t, func(t *testing.T, shell []string) {
		r := newRCBed(t, shell, managertest.Plain(), `trap 'echo TERM >"$d/heard"; exit 0' TERM; : >"$d/ready"; while :; do sleep 0.02; done`)
		if out, err := r.run("start"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		r.until("the program", r.exists("ready"))
		r.until("the supervisor", func() bool { return r.pid(r.supervisor()) > 0 })
		if out, err := r.run("start"); err == nil || !strings.Contains(out, "already running") {
			t.Errorf("a second start: %v: %s", err, out)
		}
		supervisor, child := r.pid(r.supervisor()), r.pid(r.child())
		if out, err := r.run("stop"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if r.read("heard") != "TERM\n" || alive(supervisor) || alive(child) {
			t.Errorf("heard %q, alive %t %t", r.read("heard"), alive(supervisor), alive(child))
		}
		if out, err := r.run("stop"); err != nil || !strings.Contains(out, "not running") {
			t.Errorf("a second stop: %v: %s", err, out)
		}
	})
}

func TestRCDScript_KillsWhatDoesNotStop(t *testing.T) {
	managertest.EachShell(t, func(t *testing.T, shell []string) {
		r := newRCBed(t, shell, managertest.Plain(), `trap : TERM; : >"$d/ready"; while :; do sleep 0.02; done`)
		if out, err := r.run("start"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		r.until("the program", r.exists("ready"))
		r.until("the supervisor", func() bool { return r.pid(r.supervisor()) > 0 })
		child := r.pid(r.child())
		begun := time.Now()
		out, err := r.run("stop")
		if err != nil || !strings.Contains(out, "killed") {
			t.Errorf("%v: %s", err, out)
		}
		if took := time.Since(begun); took < time.Second {
			t.Errorf("it had only %s", took)
		}
		r.until("the end", func() bool { return !alive(child) })
	})
}

func TestRCDScript_ReloadIsAHangupOfTheProgram(t *testing.T) {
	managertest.EachShell(t, func(t *testing.T, shell []string) {
		s := managertest.Plain()
		r := newRCBed(t, shell, s, `trap 'echo HUP >"$d/heard"; exit' HUP; : >"$d/ready"; while :; do sleep 0.02; done`)
		if out, err := r.run("reload"); err == nil {
			t.Errorf("of what does not run: %s", out)
		}
		if out, err := r.run("start"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		r.until("the program", r.exists("ready"))
		r.until("the supervisor", func() bool { return r.pid(r.supervisor()) > 0 })
		if out, err := r.run("reload"); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		r.until("the hangup", func() bool { return r.read("heard") == "HUP\n" })
	})
}

func alive(pid int) bool {
	if pid <= 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(b), ") Z ")
}

func TestRCDVariable(t *testing.T) {
	for name, want := range map[string]string{"web": "web", "my-web.d": "my_web_d", "web@eu": "web_eu", "9p": "_9p"} {
		if got := rcdVariable(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
