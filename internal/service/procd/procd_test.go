//go:build unix

package procd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/system/files"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

// common stands for rc.common and procd.sh: it keeps what it is given, and runs it as
// procd would.
const common = `
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

// runs runs a function of the script, and returns the folder with what came of it.
func runs(t *testing.T, shell []string, script, function string) string {
	t.Helper()
	dir, out, err := try(t, shell, script, function)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func try(t *testing.T, shell []string, script, function string) (dir, out string, err error) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"common": common, "script": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(shell[0], append(shell[1:], dir+"/common", dir+"/script", function)...)
	cmd.Env = append(os.Environ(), "DIR="+dir)
	said, err := cmd.CombinedOutput()
	return dir, string(said), err
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestArgumentsAndEnvironmentArriveThroughTheScript(t *testing.T) {
	specs := managertest.Specs()
	for _, name := range []string{"hostile", "everything", "instance"} {
		managertest.EachShell(t, func(t *testing.T, shell []string) {
			s := specs[name]
			dir := t.TempDir()
			s.Executable = dir + "/bin" + s.Executable
			s.Directory = dir + "/a 'folder' of $x"
			if err := os.MkdirAll(s.Directory, 0o755); err != nil {
				t.Fatal(err)
			}
			managertest.Recorder(t, s.Executable, dir, "")
			got := runs(t, shell, render(s, "web", place(s.ServiceName())), "start_service")
			var n int
			if _, err := fmt.Sscan(read(t, got, "command"), &n); err != nil {
				t.Fatal(err)
			}
			var words []string
			for i := range n {
				words = append(words, read(t, got, fmt.Sprintf("command.%d", i)))
			}
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Env = append(strings.Split(strings.TrimSuffix(read(t, got, "environment"), "\x00"), "\x00"), "PATH="+os.Getenv("PATH"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			managertest.Recorded(t, dir, s)
		})
	}
}

func TestAFolderThatSomebodyElseHasMadeFirstIsNotUsed(t *testing.T) {
	managertest.EachShell(t, func(t *testing.T, shell []string) {
		s := managertest.Plain()
		l := place("web")
		dir := t.TempDir()
		l.dirs.State = dir + "/state"
		script := render(s, "web", l)
		if got := read(t, runs(t, shell, script, "start_service"), "folders"); !strings.Contains(got, "mkdir -p "+dir+"\nmkdir -m 0700 "+dir+"/state\nchown -h web "+dir+"/state\n") {
			t.Errorf("it made\n%s", got)
		}
		fails := func(why string) {
			t.Helper()
			t.Setenv("ABOVE", why)
			at, out, err := try(t, shell, script, "start_service")
			if err == nil || !strings.Contains(out, "cannot make "+dir+"/state") {
				t.Errorf("%v: %s", err, out)
			}
			if _, err := os.Stat(filepath.Join(at, "command")); err == nil {
				t.Error("it is started")
			}
		}
		fails("1000") // the folder above is that user's
		if err := os.Symlink("/etc", l.dirs.State); err != nil {
			t.Fatal(err)
		}
		fails("1000")
	})
}

func TestEveryInstanceHasAnAccountOfItsOwn(t *testing.T) {
	m, f := world(t)
	managertest.Put(t, f.tree, "/usr/sbin/useradd", "")
	s := managertest.Specs()["instance"]
	other := s
	other.Instance = s.Instance + "2"
	a, _ := m.user(s)
	b, _ := m.user(other)
	if a == b {
		t.Errorf("both are %s: who removes one takes it from the other", a)
	}
}

func TestWithoutAFolderToWorkInTheProgramIsTheCommand(t *testing.T) {
	s := managertest.Plain()
	s.Args = []string{"a b"}
	dir := runs(t, []string{"/bin/sh"}, render(s, "web", place("web")), "start_service")
	if got := read(t, dir, "param.command"); got != "/usr/local/bin/web a b\n" || read(t, dir, "command") != "2\n" {
		t.Errorf("it is %q", got)
	}
}

func TestWhatProcdIsTold(t *testing.T) {
	s := managertest.Plain()
	s.Limits.OpenFiles = 500
	// The script looks whether its folders are there, on the machine of the test.
	const name = "no-service-of-this-machine"
	script := render(s, name, place(name))
	dir := runs(t, []string{"/bin/sh"}, script, "start_service")
	for parameter, want := range map[string]string{
		"user": name, "no_new_privs": "1", "respawn": "600 1 0", "term_timeout": "35", "limits": "nofile=500 500", "stdout": "1", "stderr": "1",
	} {
		if got := read(t, dir, "param."+parameter); got != want+"\n" {
			t.Errorf("%s is %q, not %q", parameter, got, want)
		}
	}
	if got := read(t, dir, "folders"); strings.Count(got, "mkdir -m 0700 ") != 4 || !strings.Contains(got, "chown -h "+name+" /run/"+name+"\n") {
		t.Errorf("it makes\n%s", got)
	}
	if got := read(t, runs(t, []string{"/bin/sh"}, script, "reload_service"), "signal"); got != "web\n" {
		t.Errorf("the signal goes to %q", got)
	}
}

// fake is OpenWrt.
type fake struct {
	managertest.Runner
	tree    files.Tree
	running bool
	code    int
	ends    bool
	until   time.Time // it stops then
	takes   time.Duration
	pid     int
	hups    int
}

const passwd = "root:x:0:0:root:/root:/bin/ash\nnobody:*:65534:65534:nobody:/var:/bin/false\nwww:x:80:80:www:/:/bin/false\n"

func (f *fake) answer(line string) (string, error) {
	words := strings.Fields(line)
	if !f.until.IsZero() && !time.Now().Before(f.until) {
		f.running, f.until = false, time.Time{}
	}
	switch words[0] {
	case "ubus":
		switch {
		case f.running:
			return fmt.Sprintf(`{"web":{"instances":{"instance1":{"running":true,"pid":%d,"command":["/usr/local/bin/web"],"term_timeout":35}}}}`, f.pid), nil
		case f.code != 0:
			return fmt.Sprintf(`{"web":{"instances":{"instance1":{"running":false,"exit_code":%d,"term_timeout":35}}}}`, f.code), nil
		}
		return "{\n\n}\n", nil
	case f.tree.Path("/etc/init.d/web"):
		switch words[1] {
		case "start":
			f.pid++
			f.running, f.until = !f.ends, time.Time{}
			if f.ends {
				f.code = 3
			}
		case "stop":
			f.code = 0
			if f.running {
				f.until = time.Now().Add(f.takes)
			}
		case "reload":
			f.hups++
		}
		return "", nil
	case "useradd", "pw", "addgroup", "userdel", "deluser", "getent":
		return "", fmt.Errorf("%s: %w", line, exec.ErrNotFound)
	}
	return "", fmt.Errorf("%s is not expected", line)
}

func world(t *testing.T) (*Manager, *fake) {
	t.Helper()
	f := &fake{tree: files.Tree(t.TempDir()), pid: 100}
	f.Answer = f.answer
	managertest.Put(t, f.tree, "/etc/passwd", passwd)
	managertest.Put(t, f.tree, "/etc/group", "root:x:0:\nnogroup:x:65534:\n")
	return &Manager{
		m: service.Machine{Tree: f.tree, Run: f.Run}, safe: func(string, bool) error { return nil },
		chown: func(string, int, int) error { return nil },
	}, f
}

func TestTheScriptIsAsItWas(t *testing.T) {
	managertest.Each(t, func(t *testing.T, name string, s service.Spec) {
		m, _ := world(t)
		p := managertest.Plan(t, m, s)
		managertest.Golden(t, name+".sh", p.Artefacts[0].New)
		managertest.Golden(t, name+".warnings", managertest.Warnings(p))
		managertest.Parses(t, p.Artefacts[0].New)
	})
}

func TestALifeFromInstallToRemoveTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		f.takes = 5 * time.Second
		ctx, s := context.Background(), managertest.Plain()
		for range 2 {
			managertest.NotInstalled(t, m, s)
			managertest.Install(t, m, s)
			if got := f.tree.Link("/etc/rc.d/S95web"); got != "../init.d/web" {
				t.Errorf("S95web leads to %q", got)
			}
			managertest.Is(t, m, s, service.Stopped)
			if err := m.Reload(ctx, s); !errors.Is(err, service.ErrNotRunning) {
				t.Errorf("got %v", err)
			}
			for range 2 {
				if err := m.Start(ctx, s); err != nil {
					t.Fatal(err)
				}
			}
			if st := managertest.Is(t, m, s, service.Running); st.PID != f.pid || st.Start != service.Automatic {
				t.Errorf("got %+v", st)
			}
			hups := f.hups
			if err := m.Reload(ctx, s); err != nil || f.hups != hups+1 {
				t.Errorf("%v, %d HUPs", err, f.hups-hups)
			}
			begun := time.Now()
			if err := m.Restart(ctx, s); err != nil || time.Since(begun) < f.takes {
				t.Fatalf("%v after %s", err, time.Since(begun))
			}
			if p := managertest.Install(t, m, s); p.Changed() || !p.Installed {
				t.Errorf("what is installed already: %+v", p)
			}
			removed, err := m.Remove(ctx, s, true)
			if err != nil || len(removed) != 8 || f.running {
				t.Errorf("removed %q, %v", removed, err)
			}
		}
	})
}

func TestStartTypesAreLinks(t *testing.T) {
	m, f := world(t)
	for _, test := range []struct {
		start service.Start
		is    service.Start
		links string
	}{
		{service.Automatic, service.Automatic, "K10web S95web"},
		{service.Delayed, service.Delayed, "K10web S99web"},
		{service.Manual, service.Manual, ""},
		{service.Automatic, service.Automatic, "K10web S95web"},
		{service.Disabled, service.Manual, ""},
	} {
		s := managertest.Plain()
		s.Start = test.start
		if p := managertest.Install(t, m, s); !p.Changed() {
			t.Errorf("%s changes nothing", test.start)
		}
		var names []string
		entries, _ := os.ReadDir(f.tree.Path("/etc/rc.d"))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		st, err := m.Status(context.Background(), s)
		if got := strings.Join(names, " "); got != test.links || err != nil || st.Start != test.is {
			t.Errorf("%s: %q, %+v, %v", test.start, got, st, err)
		}
	}
}

func TestWhatEndsAtOnceHasNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		f.ends = true
		managertest.Install(t, m, managertest.Plain())
		if err := m.Start(context.Background(), managertest.Plain()); err == nil || !strings.Contains(err.Error(), "exit code 3") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhateverFailsNothingIsLeft(t *testing.T) {
	for _, step := range []string{"chown", "script", "links", "no account"} {
		t.Run(step, func(t *testing.T) {
			m, f := world(t)
			s := managertest.Plain()
			if step == "no account" {
				s.Account = "nobodyknows"
			}
			p := managertest.Plan(t, m, s)
			switch step {
			case "chown":
				m.chown = func(path string, _, _ int) error {
					if strings.HasPrefix(path, f.tree.Path("/run")) {
						return errors.New("broken")
					}
					return nil
				}
			case "script":
				managertest.Put(t, f.tree, "/etc/init.d", "no folder")
			case "links":
				managertest.Put(t, f.tree, "/etc/rc.d", "no folder")
			}
			managertest.LeavesAll(t, m, f.tree, p)
		})
	}
}

func TestAServiceOfKardianosIsTakenOverWithItsLinks(t *testing.T) {
	m, f := world(t)
	theirs, err := os.ReadFile(filepath.Join("testdata", "kardianos.sh"))
	if err != nil {
		t.Fatal(err)
	}
	managertest.Put(t, f.tree, "/etc/init.d/web", string(theirs))
	if err := os.MkdirAll(f.tree.Path("/etc/rc.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"S50web", "K02web", "S50other", "S20my-web"} {
		if err := os.Symlink("/etc/init.d/web", f.tree.Path("/etc/rc.d/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if p := managertest.Install(t, m, managertest.Plain()); p.Replaces != "kardianos/service" {
		t.Errorf("%+v", p)
	}
	for name, want := range map[string]bool{"S50web": false, "K02web": false, "S95web": true, "K10web": true, "S50other": true, "S20my-web": true} {
		if f.tree.Exists("/etc/rc.d/"+name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

func TestAForeignScriptIsLeftAlone(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Put(t, f.tree, "/etc/init.d/web", "#!/bin/sh /etc/rc.common\n")
	managertest.Foreign(t, m, s)
}

func TestReloadOfAScriptWithoutOneDoesNotStartAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		s := managertest.Plain()
		managertest.Install(t, m, s)
		if err := m.Start(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		text, _, err := f.tree.Read("/etc/init.d/web")
		if err != nil {
			t.Fatal(err)
		}
		managertest.Put(t, f.tree, "/etc/init.d/web", strings.ReplaceAll(text, "reload_service", "another"))
		if err := m.Reload(context.Background(), s); !errors.Is(err, service.ErrNotSupported) || f.hups != 0 {
			t.Errorf("%v, %d", err, f.hups)
		}
	})
}

func TestWhereThereAreToolsTheServiceHasAnAccountOfItsOwn(t *testing.T) {
	m, f := world(t)
	if name, own := m.user(managertest.Plain()); name != "nobody" || own {
		t.Errorf("%s, %t", name, own)
	}
	managertest.Put(t, f.tree, "/usr/sbin/useradd", "")
	if name, own := m.user(managertest.Plain()); name != "web" || !own {
		t.Errorf("%s, %t", name, own)
	}
}

func TestLogsAreThoseOfTheProgram(t *testing.T) {
	m, _ := world(t)
	const (
		head  = "Wed Nov 25 04:28:32 2026 "
		first = head + "daemon.info my.web[7]: printed\n"
		later = head + "daemon.err web[7]: request failed\n"
		last  = head + "daemon.info web[8]: more\n"
	)
	m.stream = func(_ context.Context, w, _ io.Writer, name string, args ...string) error {
		text := first + head + "daemon.info webhook[7]: not web[7]: its\n" + head + "daemon.info myxweb[7]: neither\n" + head + "kern.info kernel: [    1.0] web[7]: nor this\n" + later
		if slices.Contains(args, "-f") {
			text = last + head + "daemon.info other[8]: web[8]: more\n"
		}
		if name != "logread" {
			t.Errorf("%s %q", name, args)
		}
		for part := range slices.Chunk([]byte(text), 7) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
	s := managertest.Plain()
	s.Executable = "/opt/my.web"
	at := time.Date(2026, 11, 25, 4, 28, 32, 0, time.Local).Format("2006-01-02T15:04:05.000Z07:00 ")
	for want, q := range map[string]service.LogQuery{
		at + "INFO  printed\n" + at + "ERROR request failed\n":                       {},
		at + "ERROR request failed\n":                                                {Lines: 1},
		at + "INFO  printed\n" + at + "ERROR request failed\n" + at + "INFO  more\n": {Follow: true},
		at + "ERROR request failed\n" + at + "INFO  more\n":                          {Lines: 1, Follow: true},
	} {
		var b bytes.Buffer
		if err := m.Logs(context.Background(), s, q, &b); err != nil || b.String() != want {
			t.Errorf("%+v: %q, %v", q, b.String(), err)
		}
	}
	long := managertest.Plain()
	long.Executable = "/opt/a-program-with-a-very-long-name"
	if is := writer(long); !is("a-program-with-a-very-l[12:") || is("a-program[12]:") {
		t.Error("procd cuts long names")
	}
	long.Directory = "/srv"
	if !writer(long)("sh[12]:") {
		t.Error("a shell has become the program")
	}
}

func TestDiagnoseNamesWhatIsWrong(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	managertest.Finds(t, m, s, service.Note, "there is no /etc/init.d/web")
	managertest.Install(t, m, s)
	managertest.FindsNothing(t, m, s, service.OK)
	f.code = 78
	managertest.Finds(t, m, s, service.Note, "exit code 78")
	s.Account = "gone"
	managertest.Finds(t, m, s, service.Note, "there is no gone")
}

func TestVarInMemoryIsAWarning(t *testing.T) {
	m, f := world(t)
	if err := os.Symlink("tmp", f.tree.Path("/var")); err != nil {
		t.Fatal(err)
	}
	p, err := m.Plan(context.Background(), managertest.Plain(), false)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "in memory") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestFoldersOfAnotherAccountAreAWarning(t *testing.T) {
	m, f := world(t)
	s := managertest.Plain()
	s.Account = "www"                                                       // 80, to whom nothing belongs here
	managertest.Put(t, f.tree, place("web").script, "# "+service.Mark+"\n") // it is installed
	for _, dir := range []string{"/var/lib/web", "/etc/web"} {
		if err := os.MkdirAll(f.tree.Path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := managertest.Plan(t, m, s)
	all := strings.Join(p.Warnings, "\n")
	if strings.Count(all, "Account: ") != 1 || !strings.Contains(all, fmt.Sprintf("Account: /var/lib/web belongs to the user with ID %d, and www cannot write there; with the service stopped: chown -Rh www /var/lib/web", os.Getuid())) {
		t.Errorf("it warns of\n%s", all)
	}
}

func TestAUserThatHappensToHaveTheNameIsNotItsAccount(t *testing.T) {
	m, f := world(t)
	managertest.Put(t, f.tree, "/etc/passwd", passwd+"web:x:34:34:web:/var/web:/bin/false\n")
	if _, err := m.Plan(t.Context(), managertest.Plain(), true); !errors.Is(err, service.ErrSpec) || !strings.Contains(err.Error(), "has a user of that name already") {
		t.Errorf("got %v", err)
	}
	s := managertest.Plain()
	s.Account = "web"
	if _, err := m.Plan(t.Context(), s, false); err != nil {
		t.Errorf("which is asked for: %v", err)
	}
}

func TestTheExecutableIsReadBackFromWhatIsInstalled(t *testing.T) {
	managertest.Each(t, func(t *testing.T, _ string, s service.Spec) {
		if got := launched(render(s, "web", place(s.ServiceName()))); !slices.Equal(got, append([]string{s.Executable}, s.Args...)) {
			t.Errorf("got %q, want %q", got, s.Executable)
		}
	})
	for _, foreign := range []string{"", "#!/bin/sh\n", "<plist/>"} {
		if got := launched(foreign); len(got) != 0 {
			t.Errorf("%q starts %q", foreign, got)
		}
	}
}

func TestWhatDoesNotBelongToTheServiceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, f := world(t)
		ownedtest.Run(t, m, managertest.Plain(), f.tree, place("web").dirs)
	})
}

func TestWhatAnOperatorHasChosenStays(t *testing.T) {
	m, f := world(t)
	ownedtest.Stays(t, m, managertest.Plain(), true, func(enabled bool) { // /etc/init.d/web enable, disable
		for _, l := range links(managertest.Plain()) {
			if err := os.Remove(f.tree.Path(l.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if enabled {
				if err := os.Symlink(l.target, f.tree.Path(l.path)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
