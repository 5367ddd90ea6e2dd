//go:build linux

package manage

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var updateGolden = flag.Bool("update", false, "write the golden files")

// operator is somebody at a manager's machine, whose commands and their answers are
// compared with a file.
type operator struct {
	t    *testing.T
	bed  scenario.Bed
	unix *unix
	s    *scenario.Service
	said strings.Builder
}

// tools are what an administrator types on the machine, with NAME for the service.
type tools struct {
	disable, enable string
	file            string   // what makes the service one
	folders         []string // where uninstall removes something
}

func TestVerbsWithSystemd(t *testing.T) {
	machine := boot(t, testbed.Boot)
	b := &systemd{unix{machine: machine, manager: "systemd", places: []string{"/etc", "/var", "/run/systemd/system", "/usr/local"}}}
	b.settled = func() { b.systemctl(t, "daemon-reload") }
	verbs(t, b, &b.unix, "systemd", tools{
		"systemctl --quiet disable NAME", "systemctl --quiet enable NAME",
		"/etc/systemd/system/NAME.service",
		[]string{"/etc/systemd/system"},
	}, changedOnDisk, masked)
}

func TestVerbsWithOpenRC(t *testing.T) {
	machine := boot(t, testbed.BootOpenRC)
	b := &openrc{unix{machine: machine, manager: "OpenRC", places: []string{"/etc", "/var", "/usr/local"}}}
	verbs(t, b, &b.unix, "openrc", tools{
		"rc-update del NAME", "rc-update add NAME", "/etc/init.d/NAME", []string{"/etc/init.d", "/etc/runlevels"},
	})
}

func TestVerbsWithSysV(t *testing.T) {
	machine := boot(t, testbed.BootSysV)
	b := &sysv{unix{machine: machine, manager: "SysV init", places: []string{"/etc", "/var", "/usr/local"}}}
	verbs(t, b, &b.unix, "sysv", tools{
		"update-rc.d NAME disable", "ln -s ../init.d/NAME /etc/rc2.d/S01NAME", "/etc/init.d/NAME", []string{"/etc/init.d", "/etc/rc2.d"},
	})
}

func verbs(t *testing.T, b scenario.Bed, u *unix, name string, with tools, more ...func(*operator)) {
	o := &operator{t: t, bed: b, unix: u}
	unremovable(o, with)
	interrupted(o)
	choices(o, with)
	for _, f := range more {
		f(o)
	}
	file := filepath.Join("testdata", "verbs-"+name+".golden")
	if *updateGolden {
		if err := os.WriteFile(file, []byte(o.said.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if o.said.String() != string(want) {
		t.Errorf("%s is not what is said now; go test -update writes it:\n%s", file, &o.said)
	}
}

// scene begins with another service.
func (o *operator) scene(title string, setup talk.Setup) {
	o.said.WriteString("# " + title + "\n\n")
	o.s = scenario.New(o.t, o.bed, setup)
}

var (
	stamps  = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
	process = regexp.MustCompile(`process \d+`)
)

// hear writes down what somebody has typed and read.
func (o *operator) hear(line string, out testbed.Output) string {
	o.t.Helper()
	text := strings.ReplaceAll(out.Stdout+out.Stderr, o.s.Name, "web")
	text = process.ReplaceAllString(stamps.ReplaceAllString(text, "TIME"), "process PID")
	o.said.WriteString("$ " + line + "\n")
	for l := range strings.Lines(text) {
		if !strings.HasSuffix(l, "…\n") { // which depends on how long it takes
			o.said.WriteString(l)
		}
	}
	if out.Code != 0 {
		o.said.WriteString("exit code " + strconv.Itoa(out.Code) + "\n")
	}
	o.said.WriteString("\n")
	return out.Stdout + out.Stderr
}

// do calls a verb, which must end with a code.
func (o *operator) do(code int, words ...string) string {
	o.t.Helper()
	out := o.s.Run(scenario.Admin, words...)
	said := o.hear("echo "+strings.Join(words, " "), out)
	if out.Code != code {
		o.t.Fatalf("%q: code %d, want %d; it says:\n%s", words, out.Code, code, said)
	}
	return said
}

// types has the administrator type a line, with NAME for the service.
func (o *operator) types(line string) {
	o.t.Helper()
	out := o.unix.tool(o.t, "sh", "-c", strings.ReplaceAll(line, "NAME", o.s.Name))
	if out.Code != 0 {
		o.t.Fatalf("%s: %s%s", line, out.Stdout, out.Stderr)
	}
	o.said.WriteString("$ " + strings.ReplaceAll(line, "NAME", "web") + "\n\n")
}

// interrupt calls a verb, and types Ctrl+C after a second.
func (o *operator) interrupt(words ...string) {
	o.t.Helper()
	setup, err := json.Marshal(o.s.Setup)
	if err != nil {
		o.t.Fatal(err)
	}
	args := slices.Concat([]string{"-s", "INT", "1", o.s.Exe}, o.s.Args, words)
	out := o.bed.Exec(o.t, scenario.Admin, []string{talk.Variable + "=" + string(setup)}, "timeout", append([]string{"--preserve-status"}, args...)...)
	if said := o.hear("echo "+strings.Join(words, " ")+"   # and Ctrl+C", out); out.Code != 1 {
		o.t.Fatalf("%q: code %d: %s", words, out.Code, said)
	}
}

// unremovable is an uninstall of what cannot be removed: nothing is stopped.
func unremovable(o *operator, with tools) {
	o.scene("uninstall where nothing can be removed", talk.Setup{})
	before := o.s.Traces()
	o.s.Do(0, "install", "--now")
	there, runs := o.s.Traces(), o.s.Runs()
	for _, folder := range with.folders {
		for range 2 {
			lift := o.bed.Limit(o.t, folder, -1, 0)
			o.do(1, "uninstall")
			lift()
			o.s.Same(there)
			o.s.Is(scenario.Running)
			if now := o.s.Runs(); now.PID != runs.PID {
				o.t.Errorf("%s is read-only, and the service was started again", folder)
			}
		}
	}
	if out := o.unix.tool(o.t, "sh", "-c", "chattr +i "+strings.ReplaceAll(with.file, "NAME", o.s.Name)); out.Code == 0 {
		out := o.s.Run(scenario.Admin, "uninstall")
		o.unix.tool(o.t, "sh", "-c", "chattr -i "+strings.ReplaceAll(with.file, "NAME", o.s.Name))
		if said := out.Stdout + out.Stderr; out.Code != 1 || !strings.Contains(said, " is immutable (chattr -i ") {
			o.t.Errorf("an immutable file: code %d, %s", out.Code, said)
		}
		o.s.Is(scenario.Running)
	} else {
		o.t.Logf("no file can be made immutable here: %s", out.Stderr)
	}
	o.s.Do(0, "uninstall", "--purge")
	o.s.Same(before)
}

// interrupted is an uninstall, and a restart, that somebody interrupts while the service
// stops: it runs again afterwards.
func interrupted(o *operator) {
	o.scene("Ctrl+C while the service stops", talk.Setup{HangInStop: true, StopTimeout: 3 * time.Second})
	before := o.s.Traces()
	o.s.Do(0, "install", "--now")
	runs := o.s.Runs()
	for _, verb := range []string{"uninstall", "uninstall", "restart"} {
		o.interrupt(verb)
		scenario.Eventually(o.t, func() string {
			if said := o.bed.Says(o.t, o.s.Name); !said.Running || !said.Automatic || said.PID == runs.PID || said.PID == 0 {
				return "the manager says otherwise"
			}
			return ""
		})
		scenario.Eventually(o.t, func() string {
			if o.s.Given().PID == runs.PID {
				return "the program has not begun"
			}
			return ""
		})
		runs = o.s.Runs()
	}
	o.s.Do(0, "uninstall", "--purge")
	o.s.Same(before)
}

// choices are those of the administrator, which install keeps.
func choices(o *operator, with tools) {
	off := scenario.Said{Installed: true}
	o.scene("install of what somebody has disabled", talk.Setup{})
	before := o.s.Traces()
	for range 2 {
		o.s.Do(0, "install")
		o.s.Is(scenario.Installed)
		o.types(with.disable)
		o.do(0, "install")
		o.s.Is(off)
		o.s.Args = []string{"-quiet"}
		o.do(0, "install", "--dry-run")
		o.s.Do(0, "install")
		o.s.Is(off)
		o.do(0, "install", "--enable")
		o.s.Is(scenario.Installed)
		o.s.Do(0, "install")
		o.s.Is(scenario.Installed)
		o.types(with.disable)
		o.s.Do(0, "uninstall")
		o.s.Do(0, "install")
		o.s.Is(scenario.Installed)
		o.s.Do(0, "uninstall", "--purge")
		o.s.Same(before)
		o.s.Args = nil
	}

	o.scene("install of a manual service that somebody has enabled", talk.Setup{StartType: "manual"})
	o.s.Do(0, "install")
	o.s.Is(off)
	o.types(with.enable)
	for range 2 {
		o.do(0, "install")
		o.s.Is(scenario.Installed)
	}
	o.s.Do(0, "uninstall", "--purge")
}

// changedOnDisk is a drop-in that somebody writes: start and restart have systemd read it.
func changedOnDisk(o *operator) {
	o.scene("a drop-in that systemd has not read", talk.Setup{})
	o.s.Do(0, "install", "--now")
	for i, verb := range []string{"restart", "restart", "start"} {
		o.types("mkdir -p /etc/systemd/system/NAME.service.d && printf '[Service]\\nEnvironment=DROPPED=" + strconv.Itoa(i) + "\\n' >/etc/systemd/system/NAME.service.d/a.conf")
		o.do(0, "status")
		if verb == "start" {
			o.do(0, "start")
			o.do(0, "stop")
		}
		o.do(0, verb)
		if got := o.s.Given().Env["DROPPED"]; got != strconv.Itoa(i) {
			o.t.Errorf("after %s the service has %q, want %d", verb, got, i)
		}
		o.do(0, verb)
	}
	o.types("rm -r /etc/systemd/system/NAME.service.d")
	o.do(0, "uninstall", "--purge")
}

// masked is a unit that somebody has masked.
func masked(o *operator) {
	o.scene("install of what is masked", talk.Setup{})
	o.types("systemctl --quiet mask NAME")
	o.do(1, "install")
	o.do(1, "install", "--force")
	o.types("systemctl --quiet unmask NAME")
	o.types("systemctl --quiet mask --runtime NAME")
	o.do(1, "install")
	o.types("systemctl --quiet unmask --runtime NAME")
	o.s.Do(0, "install")
	o.s.Is(scenario.Installed)
	o.s.Do(0, "uninstall", "--purge")
}
