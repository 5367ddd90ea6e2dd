//go:build unix

package script

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

func TestSysV_WarningsNameTheField(t *testing.T) {
	var b strings.Builder
	s := initfake.Specs()["full"]
	s.StartType, s.Watchdog, s.Hardening.Profile = service.OnSocket, time.Minute, service.LowPorts
	s.Recovery = service.Recovery{Delays: []time.Duration{time.Second, time.Minute}, CrashOnly: true}
	for _, rcs := range []bool{false, true} {
		d := sysv{rcs: rcs}
		fmt.Fprintf(&b, "%s\n%s\n", d.Traits().Name, strings.Join(d.warnings(s), "\n"))
	}
	managertest.Golden(t, "sysv/warnings", b.String())
}

func TestSysV_ServiceIsInstalledAndRemoved(t *testing.T) {
	for _, tool := range []string{"update-rc.d", "chkconfig", "insserv", "no tool"} {
		t.Run(tool, func(t *testing.T) {
			m := initfake.New(t)
			initfake.Whole(t, m, newSysVDouble(m, tool))
			if tool != "no tool" && !strings.Contains(strings.Join(m.Lines, "\n"), tool+" ") {
				t.Errorf("it called %q", m.Lines)
			}
		})
	}
	t.Run("rcS", func(t *testing.T) {
		m := initfake.New(t)
		initfake.Whole(t, m, newRCSDouble(m))
	})
}

func TestSysV_MakesTheLinksItselfWithoutATool(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "")
	for start, want := range map[service.StartType]string{
		service.Automatic: "/etc/rc0.d/K20web /etc/rc1.d/K20web /etc/rc2.d/S80web /etc/rc3.d/S80web /etc/rc4.d/S80web /etc/rc5.d/S80web /etc/rc6.d/K20web",
		service.Manual:    "/etc/rc0.d/K20web /etc/rc1.d/K20web /etc/rc6.d/K20web",
	} {
		s := initfake.Web()
		s.StartType = start
		p, err := manager.Plan(t.Context(), s, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		links, _ := filepath.Glob(m.Path("/etc/rc?.d/[SK]*"))
		if got := strings.ReplaceAll(strings.Join(links, " "), m.Root, ""); got != want {
			t.Errorf("%s: the links are %s, want %s", start, got, want)
		}
		if again, err := manager.Plan(t.Context(), s, false); err != nil || again.Changed() {
			t.Errorf("%s: the plan is still %+v, %v", start, again, err)
		}
		if st, err := manager.Status(t.Context(), s); err != nil || st.StartType != start {
			t.Errorf("%s: the status is %+v, %v", start, st, err)
		}
	}
}

func TestRCS_FindsTheLinkWhereItLooks(t *testing.T) {
	for text, want := range map[string]string{
		"for i in /etc/rc.d/S??*; do": "/etc/rc.d/S50web",
		"for i in /etc/init.d/S??*":   "/etc/init.d/S50web",
	} {
		m := initfake.New(t)
		manager := newRCSDouble(m)
		m.Write("/etc/init.d/rcS", text)
		p, err := manager.Plan(t.Context(), initfake.Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(m.Path(want)); err != nil || to != "/etc/init.d/web" {
			t.Errorf("%s leads to %q, %v", want, to, err)
		}
	}
}

func TestSysV_FailedInstallationLeavesNothing(t *testing.T) {
	for _, tool := range []string{"update-rc.d", "insserv"} {
		t.Run(tool, func(t *testing.T) {
			initfake.Undone(t, func(m *initfake.Machine) manage.Manager { return newSysVDouble(m, tool) }, func(*initfake.Machine) {})
		})
		t.Run(tool+", over one of kardianos/service", func(t *testing.T) {
			initfake.Undone(t, func(m *initfake.Machine) manage.Manager { return newSysVDouble(m, tool) }, addOldSysV)
		})
	}
}

func TestSysV_LinksOfAToolThatFailsDoNotStay(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "update-rc.d")
	addOldSysV(m)
	before := m.Snapshot()
	link := m.Tools["update-rc.d"]
	m.Tools["update-rc.d"] = func(args []string) (string, error) {
		_, err := link(args)
		return "", errors.Join(err, &command.Error{Line: "update-rc.d", Code: 1})
	}
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.Apply(t.Context(), p); err == nil {
		t.Error("it did not fail")
	}
	if after := m.Snapshot(); after != before {
		t.Errorf("there is left, of\n%s\nthis:\n%s", before, after)
	}
}

func TestSysV_NextCommandCleansUpWhatAKilledOneHasLeft(t *testing.T) {
	initfake.Killed(t, func(m *initfake.Machine) manage.Manager { return newSysVDouble(m, "update-rc.d") })
}

func TestSysV_TakesOverTheLinksOfKardianos(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "update-rc.d")
	before := m.Snapshot()
	addOldSysV(m)
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil || p.Replaces != "kardianos/service" || !p.Installed {
		t.Fatalf("the plan is %+v, %v", p, err)
	}
	if err := manager.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, l := range []string{"/etc/rc2.d/S50web", "/etc/rc6.d/K02web"} {
		if _, err := os.Lstat(m.Path(l)); err == nil {
			t.Errorf("%s is there still", l)
		}
	}
	if _, err := os.Lstat(m.Path("/etc/rc2.d/S01web")); err != nil {
		t.Error(err)
	}
	if _, err := manager.Remove(t.Context(), initfake.Web(), true); err != nil {
		t.Error(err)
	}
	if after := m.Snapshot(); after != before {
		t.Errorf("there is left\n%s", after)
	}
}

func TestSysV_RemovesAServiceOfKardianosWithItsLinks(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "")
	before := m.Snapshot()
	addOldSysV(m)
	if _, err := manager.Remove(t.Context(), initfake.Web(), false); err != nil {
		t.Error(err)
	}
	if after := m.Snapshot(); after != before {
		t.Errorf("there is left\n%s", after)
	}
}

func TestSysV_ExitCodesOfTheScriptAreErrors(t *testing.T) {
	for code, want := range map[int]error{0: nil, 3: service.ErrNotSupported, 4: service.ErrPermission, 7: service.ErrNotRunning} {
		m := initfake.New(t)
		manager := newSysVDouble(m, "update-rc.d")
		p, err := manager.Plan(t.Context(), initfake.Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		addProcess(m, 11, 1, "web", "web", 'S')
		m.Write("/run/web.pid", "11\n12345\n")
		m.Tools["/etc/init.d/web"] = func([]string) (string, error) {
			if code == 0 {
				return "", nil
			}
			return "", &command.Error{Line: "/etc/init.d/web reload", Code: code, Stderr: "web: words\n"}
		}
		if err := manager.Reload(t.Context(), initfake.Web()); !errors.Is(err, want) {
			t.Errorf("code %d: got %v, want %v", code, err, want)
		}
	}
}

func TestSysV_StatusIsWhatThePIDFileAndTheKernelSay(t *testing.T) {
	stat := func(m *initfake.Machine, state byte) {
		m.Write("/proc/stat", "cpu 1 2\nbtime 1700000000\n")
		m.Write("/proc/11/stat", fmt.Sprintf("11 (a web) () %c 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 12345 0\n", state))
	}
	for name, test := range map[string]struct {
		prepare func(m *initfake.Machine)
		want    service.State
	}{
		"stopped":                   {func(*initfake.Machine) {}, service.Stopped},
		"running":                   {func(m *initfake.Machine) { m.Write("/run/web.pid", "11\n12345\n"); stat(m, 'S') }, service.Running},
		"running since long ago":    {func(m *initfake.Machine) { m.Write("/run/web.pid", "11\n"); stat(m, 'S') }, service.Running},
		"ended":                     {func(m *initfake.Machine) { m.Write("/run/web.pid", "11\n12345\n") }, service.Failed},
		"ended, and not waited for": {func(m *initfake.Machine) { m.Write("/run/web.pid", "11\n12345\n"); stat(m, 'Z') }, service.Failed},
		"another has its number":    {func(m *initfake.Machine) { m.Write("/run/web.pid", "11\n99\n"); stat(m, 'S') }, service.Failed},
		"nonsense in the file":      {func(m *initfake.Machine) { m.Write("/run/web.pid", "x\n"); stat(m, 'S') }, service.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			m := initfake.New(t)
			manager := newSysVDouble(m, "update-rc.d")
			p, err := manager.Plan(t.Context(), initfake.Web(), false)
			if err != nil {
				t.Fatal(err)
			}
			if err := manager.Apply(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			test.prepare(m)
			got, err := manager.Status(t.Context(), initfake.Web())
			running := test.want == service.Running
			if err != nil || got.State != test.want || running != (got.PID == 11) || running == got.Since.IsZero() {
				t.Errorf("got %+v, %v; want it %s", got, err, test.want)
			}
		})
	}
}

func TestSysVScript_VariablesOfTheShellsArrive(t *testing.T) {
	s := initfake.Web()
	s.Executable, s.Arguments, s.Environment = "/usr/bin/env", []string{"-0"}, map[string]string{}
	for _, name := range []string{
		"UID", "EUID", "PPID", "GROUPS", "RANDOM", "SECONDS", "LINENO", "FUNCNAME", "SHELLOPTS", "BASHPID", "BASH_VERSINFO", "EPOCHSECONDS", "HISTCMD", "DIRSTACK",
		"TMOUT", "OPTERR", "SHLVL", "PS4", "IFS", "LC_COLLATE", "PATH", "lower", "PLAIN",
	} {
		s.Environment[name] = "/bin:/usr/bin:x"
	}
	script, _, ok := strings.Cut(sysvScript(s, initOwner(s)), "\n# The same environment, whoever runs this.\n")
	if !ok {
		t.Fatal("the body does not begin as it did")
	}
	// become is given a shell with the folder and the log before what is to be run.
	script += "\nbecome() { shift 6; exec \"$@\"; }\nlaunch\n"
	tried := 0
	for _, sh := range [][]string{{"sh"}, {"dash"}, {"bash", "--posix"}, {"busybox", "sh"}} {
		path, err := exec.LookPath(sh[0])
		if err != nil {
			continue
		}
		tried++
		cmd := exec.CommandContext(t.Context(), path, append(sh[1:], "-c", script)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", sh[0], err, out)
		}
		got := map[string]string{}
		for v := range strings.SplitSeq(string(out), "\x00") {
			name, value, _ := strings.Cut(v, "=")
			got[name] = value
		}
		for name, want := range s.Environment {
			if got[name] != want {
				t.Errorf("%s: %s is %q", sh[0], name, got[name])
			}
		}
	}
	if tried == 0 {
		t.Error("there is no shell")
	}
}

func TestSysVScript_DoesNotTakeOverAFolderThatAnybodyCanHaveMade(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	_, adopt, _ := strings.Cut(sysvBody, "\nadopt() {")
	adopt, _, ok := strings.Cut(adopt, "\n}\n")
	if !ok {
		t.Fatal("there is no adopt in the body")
	}
	daemon, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	const somebody = "12345"
	for name, test := range map[string]struct {
		above         os.FileMode
		has, then, in string // who the folder, and a file of somebody in it, belong to
	}{
		"in a folder of root":                  {0o755, somebody, daemon.Uid, daemon.Uid},
		"in one as /tmp":                       {0o777 | os.ModeSticky, somebody, somebody, somebody},
		"in one as /tmp, and made by the root": {0o777 | os.ModeSticky, "0", daemon.Uid, somebody},
	} {
		for _, sh := range [][]string{{"sh"}, {"busybox", "sh"}} {
			path, err := exec.LookPath(sh[0])
			if err != nil {
				continue
			}
			above := t.TempDir()
			dir, file := filepath.Join(above, "web"), filepath.Join(above, "web", "file")
			if err := errors.Join(os.Chmod(above, test.above), os.Mkdir(dir, 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			script := "account=daemon group=daemon\nadopt() {" + adopt + "\n}\nchown " + somebody + " \"$1/file\" && chown " + test.has + " \"$1\" && adopt \"$1\" && echo taken; stat -c %u \"$1\" \"$1/file\""
			out, err := exec.CommandContext(t.Context(), path, append(sh[1:], "-c", script, "sh", dir)...).CombinedOutput()
			want := test.then + "\n" + test.in + "\n"
			if test.then == daemon.Uid {
				want = "taken\n" + want
			}
			if err != nil || string(out) != want {
				t.Errorf("%s, %s: %v: %s, want %s", name, sh[0], err, out, want)
			}
		}
	}
}

func TestSysVScript_DescriptionDoesNotSwallowTheHeader(t *testing.T) {
	s := initfake.Web()
	s.Description = `serves C:\ `
	if text := sysvScript(s, initOwner(s)); !strings.Contains(text, "# description: serves C:\n### BEGIN INIT INFO\n") {
		t.Error(text)
	}
}

func TestSysVScript_ShellsReadIt(t *testing.T) {
	for name, s := range initfake.Specs() {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(sysvScript(s, initOwner(s))), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("/bin/sh", "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

func TestSysV_FailedRemovalIsTakenBack(t *testing.T) {
	for _, tool := range []string{"update-rc.d", "chkconfig", "insserv"} {
		if n := initfake.Unremoved(t, func(m *initfake.Machine) manage.Manager { return newSysVDouble(m, tool) }); n == 0 {
			t.Errorf("it does not call %s", tool)
		}
	}
}

func TestSysV_KeepsWhatAnOperatorHasChosen(t *testing.T) {
	for _, tool := range []string{"update-rc.d", "chkconfig", "insserv", ""} {
		m := initfake.New(t)
		manager := newSysVDouble(m, tool)
		ownedtest.Stays(t, manager, initfake.Web(), true, func(enabled bool) { // as update-rc.d NAME disable does
			from, to := "S", "K"
			if enabled {
				from, to = to, from
			}
			links, _ := filepath.Glob(m.Path("/etc/rc[2-5].d/" + from + "??web"))
			for _, l := range links {
				if err := os.Rename(l, filepath.Join(filepath.Dir(l), to+filepath.Base(l)[1:])); err != nil {
					t.Fatal(err)
				}
			}
			for _, level := range "2345" {
				if enabled && len(manager.dialect.Registered(initfake.Web())) < 7 {
					m.Link(fmt.Sprintf("/etc/rc%c.d/S01web", level), "../init.d/web")
				}
			}
		})
	}
	m := initfake.New(t)
	ownedtest.Stays(t, newRCSDouble(m), initfake.Web(), true, func(enabled bool) {
		if enabled {
			m.Link("/etc/init.d/S50web", "/etc/init.d/web")
		} else if err := os.Remove(m.Path("/etc/init.d/S50web")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSysV_KeepsTheVariablesOfKardianos(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "update-rc.d")
	m.Write("/etc/init.d/web", "#!/bin/sh\n# For RedHat and cousins:\n# chkconfig: - 99 01\n# description: serves\n\ncmd=\"/opt/old -v\"\nname=web\npid_file=\"/var/run/$name.pid\"\nstdout_log=\"/var/log/$name.log\"\n\n[ -e /etc/sysconfig/$name ] && . /etc/sysconfig/$name\n")
	for _, round := range []string{"first", "second"} {
		p, err := manager.Plan(t.Context(), initfake.Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		script := p.Artefacts[slices.IndexFunc(p.Artefacts, func(a manage.Artefact) bool { return a.Name == "/etc/init.d/web" })].New
		for _, want := range []string{"\n# " + manage.Kept + "\n", "\texport SERVICE_ENVIRONMENT_FILE=-/etc/sysconfig/web\n"} {
			if !strings.Contains(script, want) {
				t.Errorf("after the %s install want %q in\n%s", round, want, script)
			}
		}
		said := strings.Join(p.Warnings, "\n")
		for _, want := range []string{
			"EnvironmentFile: -/etc/sysconfig/web stays that of the service that is replaced",
			`the service that is replaced had cmd="/opt/old -v": it is not carried over`,
			"the service that is replaced had other commands in its script",
			"the service that is replaced ran as root",
		} {
			if strings.Contains(said, want) != (round == "first") {
				t.Errorf("the %s install says\n%s\nabout %q", round, said, want)
			}
		}
	}
}
