package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/service/records"
)

// register is a service manager in memory that does what it is asked for, or fails.
type register struct {
	installed *manage.Spec
	status    service.Status
	warnings  []string
	replaces  string
	log       string
	findings  []manage.Finding
	err       error // returned by every method that changes something
	slow      func()
	after     service.State   // the state after every change, if not empty
	starts    *service.Status // the status after a start; nil for running
	state     string          // the state folder of the service
	done      []string
	looked    string // the executable that Diagnose was asked to check
	disabled  bool   // by an administrator
	pid       int    // of the next process; 0 for 42
	notices   []string
	tell      func(text string) // receives notices
	asked     manage.LogQuery   // the last query
}

func (r *register) Name() string { return "register" }

func (r *register) describe(s *manage.Spec) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("run=%s\nargs=%q\n", s.Executable, s.Arguments)
}

func (r *register) Plan(_ context.Context, s manage.Spec, force bool) (*manage.Plan, error) {
	if (errors.Is(r.err, service.ErrUnsafe) || errors.Is(r.err, service.ErrForeign)) && !force {
		return nil, r.err
	}
	var notes []string
	if r.disabled && !s.Enable {
		notes = []string{"it stays disabled"}
	}
	return &manage.Plan{
		Spec: s, Installed: r.installed != nil, Replaces: r.replaces, Warnings: r.warnings, Notes: notes, Calls: []string{"tell it"},
		Artefacts: []manage.Artefact{{
			Name: "/register/" + s.ServiceName(), Old: r.describe(r.installed), New: r.describe(&s), Present: r.installed != nil, Wanted: true,
		}},
	}, nil
}

func (r *register) Apply(_ context.Context, p *manage.Plan) error {
	if err := r.do("install"); err != nil {
		return err
	}
	r.installed = &p.Spec
	if r.status.State == service.NotInstalled {
		r.status = service.Status{State: service.Stopped, ExitCode: -1}
	}
	return nil
}

func (r *register) Remove(_ context.Context, s manage.Spec, purge bool) ([]string, error) {
	if err := r.do("uninstall"); err != nil {
		return nil, err
	}
	r.installed, r.status = nil, service.Status{State: service.NotInstalled}
	removed := []string{"/register/" + s.ServiceName()}
	if purge {
		removed = append(removed, "/var/lib/"+s.Name)
	}
	return removed, nil
}

func (r *register) do(what string) error {
	if r.slow != nil {
		r.slow()
	}
	r.done = append(r.done, what)
	for _, text := range r.notices {
		r.tell(text)
	}
	return r.err
}

func (r *register) to(what string, state service.State) error {
	if err := r.do(what); err != nil {
		return err
	}
	r.status = service.Status{State: cmp.Or(r.after, state), StartType: r.status.StartType, ExitCode: -1}
	if r.status.State == service.Running || r.status.State == service.Paused {
		r.status.PID = cmp.Or(r.pid, 42)
	}
	return nil
}

func (r *register) Start(context.Context, manage.Spec) error { return r.startAs("start") }

func (r *register) startAs(what string) error {
	if r.starts == nil {
		return r.to(what, service.Running)
	}
	err := r.do(what)
	r.status = *r.starts
	return err
}

func (r *register) Stop(context.Context, manage.Spec) error { return r.to("stop", service.Stopped) }

func (r *register) Restart(context.Context, manage.Spec) error {
	return r.startAs("restart")
}

func (r *register) Reload(context.Context, manage.Spec) error {
	return r.to("reload", service.Running)
}

func (r *register) Pause(context.Context, manage.Spec) error { return r.to("pause", service.Paused) }

func (r *register) Continue(context.Context, manage.Spec) error {
	return r.to("continue", service.Running)
}

func (r *register) Status(context.Context, manage.Spec) (service.Status, error) {
	return r.status, nil
}

func (r *register) Logs(_ context.Context, _ manage.Spec, q manage.LogQuery, w io.Writer) error {
	r.asked = q
	if r.log == "" {
		return r.err
	}
	_, err := io.WriteString(w, r.log)
	return err
}

func (r *register) Folders(manage.Spec) dirs.Dirs { return dirs.Dirs{State: r.state} }

func (r *register) Diagnose(_ context.Context, s manage.Spec) []manage.Finding {
	r.looked = s.Executable
	return r.findings
}

func (r *register) Launches(context.Context, manage.Spec) (string, error) {
	if r.installed == nil {
		return "", nil
	}
	return r.installed.Executable, nil
}

func (r *register) Passes(context.Context, manage.Spec) ([]string, bool) {
	if r.installed == nil {
		return nil, false
	}
	return r.installed.Arguments, true
}

// able is a program that can reload and pause.
type able struct{ idle }

func (able) Reload(context.Context) error   { return nil }
func (able) Pause(context.Context) error    { return nil }
func (able) Continue(context.Context) error { return nil }

// shell calls commands.
type shell struct {
	t       *testing.T
	manager *register
	program Program
	config  Config

	executable string // of the service
	lock       func(name string, user bool, doing string) (func(), error)

	over  manage.Manager // wraps manager; may be nil
	asks  asker          // answers for the process of the service; may be nil
	none  error          // the error of finding a manager; may be nil
	users *register      // the manager of per-user services; nil for manager
	log   manage.Manager // used instead of manager; may be nil
}

func TestInstall_OnlyFilesAreShownAsFiles(t *testing.T) {
	var out bytes.Buffer
	c := commandLine{out: &out, err: io.Discard}
	h := &Handle{spec: manage.Spec{Name: "web"}}
	p := service.Installation{Manager: "systemd", Changes: []service.Change{
		{Name: "/etc/systemd/system/web.service", New: "[Unit]\n", Added: true},
		{Name: "enabled unit web.service", New: "enabled\n", Added: true},
		{Name: `service "web"`, Old: "a\n", New: "b\n"},
		{Name: "account web", Old: "x\n", Removed: true},
		{Name: "/etc/web", Old: "x\n", Removed: true},
	}}
	c.describe(h, p, false)
	want := "web: installed (systemd)\n+++ /etc/systemd/system/web.service\nnew: enabled unit web.service\n" +
		"changed: service \"web\"\n@@ -1,1 +1,1 @@\n-a\n+b\nremoved: account web\n--- /etc/web\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
	out.Reset()
	c.describe(h, p, true)
	if want := "new: enabled unit web.service\nenabled\n"; !strings.Contains(out.String(), want) {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func newShell(t *testing.T) *shell {
	return &shell{t: t, manager: &register{status: service.Status{State: service.NotInstalled}}, program: able{}, config: Config{Name: "web"}, executable: "/opt/web"}
}

// call runs a command line, and returns its exit code and what it has printed to standard
// output and to standard error.
func (s *shell) call(line string) (code int, out, err string) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	c := commandLine{program: s.program, config: s.config, flags: ownFlags(), out: &stdout, err: &stderr, manage: s.manage, ask: s.asks}
	code = c.main(s.t.Context(), strings.Fields(line))
	return code, stdout.String(), stderr.String()
}

// ownFlags returns the flags of the program, declared with package flag and not parsed yet.
func ownFlags() *flag.FlagSet {
	flags := flag.NewFlagSet("web", flag.ContinueOnError)
	flags.Bool("a", false, "")
	flags.Bool("b", false, "")
	flags.String("addr", "", "")
	flags.String("mode", "", "")
	return flags
}

func (s *shell) manage(p Program, c Config, args ...string) (*Handle, error) {
	executable := filepath.Join(s.t.TempDir(), "web")
	spec, err := c.spec(p, executable, args)
	spec.Executable = s.executable
	h := &Handle{spec: spec, manager: s.manager, name: "register", lock: s.lock, ask: s.asks, own: len(args)}
	s.manager.tell = func(text string) { h.Notice(text) }
	if s.over != nil {
		h.manager = s.over
	}
	if s.log != nil {
		h.manager = s.log
	}
	if spec.User && s.users != nil {
		h.manager = s.users
	}
	return h, cmp.Or(err, s.none)
}

func TestInstall_NotesThatTheServiceStaysDisabled(t *testing.T) {
	s := newShell(t)
	s.call("install")
	s.manager.disabled = true
	for line, want := range map[string]string{
		"install": "note: it stays disabled\n", "install --dry-run": "note: it stays disabled\n", "install --now": "note: it stays disabled\n", "install --enable": "",
	} {
		if code, _, err := s.call(line); code != 0 || err != want {
			t.Errorf("%s: exit code %d, %q, want %q", line, code, err, want)
		}
	}
}

func TestInstall_FailedStartKeepsTheService(t *testing.T) {
	s := newShell(t)
	s.manager.slow = func() { // after the installation
		s.manager.slow = func() { s.manager.err = errors.New("exit code 1") }
	}
	want := programName() + ": start web: exit code 1; the service stays installed; to start it: " + programName() + " start; to remove it: " + programName() + " uninstall\n"
	if code, out, err := s.call("install --now"); code != 1 || err != want || !strings.HasPrefix(out, "web: installed (register)\n") {
		t.Errorf("exit code %d, %q, %q\nwant %q", code, out, err, want)
	}
}

func TestNotes_AreOnePerWarning(t *testing.T) {
	s := newShell(t)
	s.manager.notices = []string{"tool: careful", "tool: \x1b[31mcareful", "tool: careful"}
	for _, line := range []string{"install --now", "restart", "stop", "uninstall"} {
		code, out, err := s.call(line)
		if want := "note: tool: careful\nnote: tool: \\x1b[31mcareful\n"; code != 0 || err != want || strings.Contains(out, "careful") {
			t.Errorf("%s: %d, %q, %q, want %q", line, code, out, err, want)
		}
	}
}

func TestInstall_LocksTheService(t *testing.T) {
	s := newShell(t)
	held := ""
	s.lock = func(name string, user bool, doing string) (func(), error) {
		if held != "" || name != "web" || user {
			t.Errorf("%s takes the lock of %q, and %q has it", doing, name, held)
		}
		held = doing
		return func() { held = "" }, nil
	}
	for _, line := range []string{"install --now", "status", "restart", "install", "uninstall --purge"} {
		if code, _, err := s.call(line); code > 3 || err != "" || held != "" {
			t.Errorf("%s: exit code %d, %q; %q has the lock", line, code, err, held)
		}
	}
	done := len(s.manager.done)
	s.lock = func(string, bool, string) (func(), error) {
		return nil, fmt.Errorf("%w: uninstall, process 7, since noon", service.ErrBusy)
	}
	for _, verb := range []string{"install", "uninstall"} {
		want := programName() + ": " + verb + " web: another command is changing the service: uninstall, process 7, since noon; try again when it has ended\n"
		if code, out, err := s.call(verb); code != 75 || out != "" || err != want {
			t.Errorf("%s: exit code %d\n%q\n%q, want\n%q", verb, code, out, err, want)
		}
	}
	if len(s.manager.done) != done {
		t.Errorf("the manager was told %q", s.manager.done[done:])
	}
	if code, _, err := s.call("install --dry-run"); code != 0 {
		t.Errorf("a dry run ends with exit code %d: %s", code, err)
	}
}

func TestMain_LifeOfAService(t *testing.T) {
	s := newShell(t)
	for _, step := range []struct {
		line string
		code int
		out  string
		err  string
	}{
		{"status", 4, "web: not installed\n", ""},
		{"-a install --dry-run", 0, "web: would be installed (register)\n+++ /register/web\nrun=/opt/web\nargs=[\"-a\"]\ncall: tell it\n", ""},
		{"status", 4, "web: not installed\n", ""},
		{"-a install", 0, "web: installed (register)\n+++ /register/web\nstart it now with: daemon.test -a start\n", ""},
		{"-a install", 0, "web: nothing to do, it is up to date (register)\nstart it now with: daemon.test -a start\n", ""},
		{"status", 3, "web: stopped\n", ""},
		{"start", 0, "web: running, process 42\n", ""},
		{"status", 0, "web: running, process 42\n", ""},
		{"status --json", 0, `{"name":"web","manager":"register","state":"running","pid":42}` + "\n", ""},
		{"-b install", 0, "web: updated (register)\n--- /register/web\n+++ /register/web\n@@ -1,2 +1,2 @@\n run=/opt/web\n-args=[\"-a\"]\n+args=[\"-b\"]\napply the changes now with: daemon.test -b restart\n", ""},
		{"restart", 0, "web: running, process 42\n", ""},
		{"reload", 0, "web: running, process 42\n", ""},
		{"pause", 0, "web: paused, process 42\n", ""},
		{"status", 0, "web: paused, process 42\n", ""},
		{"continue", 0, "web: running, process 42\n", ""},
		{"stop", 0, "web: stopped\n", ""},
		{"install --now", 0, "web: updated (register)\n--- /register/web\n+++ /register/web\n@@ -1,2 +1,2 @@\n run=/opt/web\n-args=[\"-b\"]\n+args=[]\nweb: running, process 42\n", ""},
		{"uninstall --purge", 0, "web: uninstalled (register)\n--- /register/web\n--- /var/lib/web\n", ""},
		{"status", 4, "web: not installed\n", ""},
	} {
		code, out, err := s.call(step.line)
		out = strings.ReplaceAll(out, programName(), "daemon.test")
		if code != step.code || out != step.out || err != step.err {
			t.Errorf("%s: exit code %d, want %d\n%q, want\n%q\nerrors %q", step.line, code, step.code, out, step.out, err)
		}
	}
	want := "install install start install restart reload pause continue stop install start uninstall"
	if got := strings.Join(s.manager.done, " "); got != want {
		t.Errorf("the manager was told %s,\nwant %s", got, want)
	}
}

func TestInstall_NowRestartsOnlyAfterAChange(t *testing.T) {
	s := newShell(t)
	s.call("install --now")
	s.call("install --now")
	s.call("-b install --now")
	if got := strings.Join(s.manager.done, " "); got != "install start install start install restart" {
		t.Error(got)
	}
}

func TestInstall_NewerExecutableIsReported(t *testing.T) {
	s := newShell(t)
	s.executable = filepath.Join(t.TempDir(), "web")
	if err := os.WriteFile(s.executable, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	s.call("install --now")
	for since, want := range map[time.Time]bool{
		time.Now().Add(-time.Hour): true,
		time.Now().Add(time.Hour):  false,
		{}:                         false,
	} {
		s.manager.status = service.Status{State: service.Running, PID: 42, Since: since}
		_, out, _ := s.call("install")
		if strings.Contains(out, "the executable is newer than the running process; restart it with: ") != want {
			t.Errorf("since %s: %s", since, out)
		}
	}
}

func TestOutdated_FileHasChangedSinceTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.service")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &manage.Plan{Artefacts: []manage.Artefact{{Name: "enabled unit web.service", Present: true}, {Name: file, Present: true}}}
	for since, want := range map[time.Time]string{time.Now().Add(-time.Hour): file, time.Now(): "", {}: ""} {
		if got := outdated(p, service.Status{PID: 42, Since: since}); got != want {
			t.Errorf("since %s: %q, want %q", since, got, want)
		}
	}
}

func TestInstall_Warnings(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"web.yaml", "web.key"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newShell(t)
	s.manager.warnings = []string{"no\nwatchdog here"}
	s.manager.replaces = "kardianos/service"
	code, out, err := s.call("-addr ./web.yaml -mode=web.key -mode=none.key install")
	if code != 0 || !strings.Contains(out, "it takes over the service that kardianos/service installed\n") {
		t.Errorf("exit code %d, %s", code, out)
	}
	for _, want := range []string{"warning: no; watchdog here\n", `the argument "./web.yaml" is a relative path`, `the argument "-mode=web.key" is a relative path`} {
		if !strings.Contains(err, want) {
			t.Errorf("%s is not in %s", want, err)
		}
	}
}

func TestInstall_DefaultsAreOneNote(t *testing.T) {
	const delays, profile, dir = "Recovery.Delays: it has one delay", "Hardening.Profile: no sandbox", "/srv: not there"
	s := newShell(t)
	s.manager.warnings = []string{delays, profile, profile + " at all", dir}
	_, _, err := s.call("install")
	if want := "warning: /srv: not there\nnote: register does not support all defaults of Recovery.Delays, Hardening.Profile; install --dry-run lists what is missing\n"; err != want {
		t.Errorf("got %s", err)
	}
	if _, _, err := s.call("-a install --dry-run"); strings.Count(err, "warning: ") != 4 || strings.Contains(err, "note: ") {
		t.Errorf("before: %s", err)
	}
	s.config.Service.Hardening.Profile = service.Strict
	if _, _, err := s.call("-a install"); strings.Count(err, "warning: ") != 3 || !strings.Contains(err, "warning: "+profile+"\n") {
		t.Errorf("where it is asked for: %s", err)
	}
}

func TestInstall_AccountIsAlwaysAWarning(t *testing.T) {
	s := newShell(t)
	s.manager.warnings = []string{"Account: it runs as nobody"}
	if _, _, err := s.call("install"); err != "warning: Account: it runs as nobody\n" {
		t.Errorf("got %s", err)
	}
}

func TestMain_FailureHasItsExitCodeAndOneLine(t *testing.T) {
	for err, code := range map[error]int{
		errors.New("a\nb"):      1,
		service.ErrNotSupported: 3,
		service.ErrPermission:   4,
		service.ErrNotInstalled: 5,
		service.ErrNotRunning:   7,
		service.ErrForeign:      1,
		manage.ErrConfig:        78,
	} {
		t.Run(oneLine(err.Error()), func(t *testing.T) {
			for _, line := range []string{"install", "uninstall", "start", "stop", "restart", "reload", "pause", "continue"} {
				s := newShell(t)
				s.manager.err = err
				got, out, said := s.call(line)
				if got != code || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, line+" web: "+oneLine(err.Error())) {
					t.Errorf("%s that fails with %v: exit code %d, %q, %q", line, err, got, out, said)
				}
			}
		})
	}
}

func TestMain_InterruptSaysWhatIsLeft(t *testing.T) {
	for line, want := range map[string]string{
		"install":   "interrupted, and rolled back: install web: ",
		"uninstall": "uninstall: interrupted; see what became of the service with: ",
		"start":     "interrupted; the service manager carries on with the request\n",
	} {
		t.Run(line, func(t *testing.T) {
			s := newShell(t)
			s.manager.err = fmt.Errorf("tell it: %w", context.Canceled)
			if code, out, said := s.call(line); code != 1 || out != "" || !strings.Contains(said, want) {
				t.Errorf("%s: exit code %d, %s%s", line, code, out, said)
			}
		})
	}
	s := newShell(t)
	s.manager.slow = func() {
		if len(s.manager.done) > 0 {
			s.manager.err = context.Canceled
		}
	}
	if code, out, said := s.call("install --now"); code != 1 || !strings.Contains(out, "web: installed") || !strings.Contains(said, "with the request\n") {
		t.Errorf("when it starts: exit code %d, %s%s", code, out, said)
	}
}

func TestMain_NotInstalledOrRunningSaysWhatToDo(t *testing.T) {
	s := newShell(t)
	s.config.Service.Template = true
	s.manager.err = service.ErrNotInstalled
	if _, _, err := s.call("start --user --instance=a"); !strings.Contains(err, "not installed: install it with "+programName()+" install --user --instance a\n") {
		t.Error(err)
	}
	if _, _, err := s.call("uninstall"); strings.Contains(err, "install it") {
		t.Error(err)
	}
	s.manager.err = service.ErrNotRunning
	if _, _, err := s.call("reload --instance=a"); !strings.Contains(err, "not running: start it with "+programName()+" start --instance a\n") {
		t.Error(err)
	}
	s.manager.err = nil
	if code, out, err := s.call("logs"); code != 5 || out != "" || !strings.Contains(err, "not installed: install it") {
		t.Errorf("exit code %d, %s%s", code, out, err)
	}
	s.manager.status.State = service.Stopped
	if code, out, err := s.call("logs --instance a"); code != 0 || out != "" || err != "web@a: no log records\n" {
		t.Errorf("exit code %d, %s%s", code, out, err)
	}
}

func TestStart_FailsIfTheServiceHasFailedSince(t *testing.T) {
	s := newShell(t)
	s.manager.after = service.Failed
	for line, want := range map[string]int{"start": 1, "install --now": 1, "stop": 0} {
		if code, out, _ := s.call(line); code != want || !strings.Contains(out, "web: failed") {
			t.Errorf("%s: exit code %d, %s", line, code, out)
		}
	}
	if _, out, _ := s.call("-b install"); !strings.Contains(out, "start it now with: ") {
		t.Error(out)
	}
}

func TestInstall_ForceOverridesUnsafe(t *testing.T) {
	s := newShell(t)
	s.manager.err = service.ErrUnsafe
	for _, line := range []string{"install", "install --dry-run"} {
		if code, _, err := s.call(line); code != 1 || !strings.Contains(err, service.ErrUnsafe.Error()+"; or install anyway with --force\n") || len(s.manager.done) > 0 {
			t.Errorf("exit code %d, %s, %q", code, err, s.manager.done)
		}
	}
	if _, _, _ = s.call("install --force"); len(s.manager.done) != 1 {
		t.Errorf("it was not tried: %q", s.manager.done)
	}
}

func TestPause_IsNotRequestedIfTheProgramCannot(t *testing.T) {
	s := newShell(t)
	s.program = idle{}
	for _, line := range []string{"pause", "continue"} {
		if code, _, err := s.call(line); code != 3 || !strings.Contains(err, line+" web: the program cannot pause: not supported here") {
			t.Errorf("%s: exit code %d, %s", line, code, err)
		}
	}
	if len(s.manager.done) > 0 {
		t.Errorf("it was told %q", s.manager.done)
	}
}

func TestInstall_InstanceOfATemplate(t *testing.T) {
	s := newShell(t)
	s.config.Service.Template = true
	if code, out, _ := s.call("install --instance a"); code != 0 || !strings.Contains(out, "+++ /register/web@a\n") || !strings.Contains(out, " start --instance a\n") {
		t.Errorf("exit code %d, %s", code, out)
	}
	if code, _, err := s.call("install --instance a/b"); code != 78 || !strings.Contains(err, `Instance is "a/b"`) {
		t.Errorf("exit code %d, %s", code, err)
	}
}

func TestInstall_RefusesWhatGoRunHasBuilt(t *testing.T) {
	h := &Handle{spec: manage.Spec{Config: service.Config{Executable: "/tmp/go-build123/b001/exe/web"}, Name: "web"}, manager: &register{}}
	_, planned := h.Plan(t.Context(), service.InstallOptions{})
	_, installed := h.Install(t.Context(), service.InstallOptions{})
	for _, err := range []error{planned, installed} {
		if err == nil || !strings.Contains(err.Error(), "install web: /tmp/go-build123/b001/exe/web was built by go run") {
			t.Errorf("got %v", err)
		}
	}
}

func TestChange_Diff(t *testing.T) {
	for want, c := range map[string]service.Change{
		"@@ -1,1 +1,1 @@\n-disabled\n+enabled\n":                  {Old: "disabled", New: "enabled"},
		"@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n": {Old: "a", New: "a\n"},
		"": {Old: "a\n", New: "a\n"},
	} {
		t.Run(c.Old+" to "+c.New, func(t *testing.T) {
			if got := c.Diff(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestSummary_Words(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.Local)
	for want, s := range map[string]service.Status{
		"running, process 7, since 2026-02-03 04:05:06; starts by itself":                                              {State: service.Running, PID: 7, Since: since, StartType: service.Automatic},
		"failed, exit code 78 (its configuration is wrong) (Result=exit-code)":                                         {State: service.Failed, ExitCode: 78, Detail: "Result=exit-code"},
		"failed, exit code 143 (forced by a second SIGTERM, or killed by it), restarted 3 times; starts when asked to": {State: service.Failed, ExitCode: 143, Restarts: 3, StartType: service.Manual},
		"failed; disabled":                                                 {State: service.Failed, ExitCode: -1, StartType: service.Disabled},
		"stopped; starts when somebody connects":                           {State: service.Stopped, StartType: service.OnSocket, ExitCode: -1},
		"stopped, exit code 0; starts when asked to":                       {State: service.Stopped, StartType: service.Manual},
		"starting; starts by itself, delayed":                              {State: service.Starting, StartType: service.Delayed},
		"not installed":                                                    {State: service.NotInstalled},
		"failed, restarted once (exit code 78: it says so itself)":         {State: service.Failed, ExitCode: 78, Restarts: 1, Detail: "exit code 78: it says so itself"},
		"failed, exit code 9":                                              {State: service.Failed, ExitCode: 9},
		"failed, exit code 124 (something still ran at the stop deadline)": {State: service.Failed, ExitCode: 124},
	} {
		t.Run(want, func(t *testing.T) {
			if got := summary(s); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestStatus_JSON(t *testing.T) {
	s := newShell(t)
	s.manager.status = service.Status{
		State: service.Failed, ExitCode: 0, Since: time.Unix(1, 0).UTC(), StartType: service.Delayed, Detail: "d", Restarts: 2,
	}
	code, out, _ := s.call("status --json")
	want := `{"name":"web","manager":"register","state":"failed","since":"1970-01-01T00:00:01Z","start_type":"delayed","exit_code":0,"detail":"d","restarts":2}`
	if code != 1 || out != want+"\n" {
		t.Errorf("exit code %d, %s", code, out)
	}
}

func TestDoctor_SaysWhyTheServiceDoesNotRun(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := newShell(t)
	s.config.Service.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: taken.Addr().String()}}
	s.call("install")
	s.manager.status = service.Status{State: service.Failed, ExitCode: 78}
	s.manager.log = "started\nlisten tcp :80: bind: permission denied\nstopped\n"
	s.manager.findings = []manage.Finding{{Level: manage.OK, What: "unit", Detail: "loaded"}}
	code, out, _ := s.call("-b doctor")
	for _, want := range []string{
		"web on register\n",
		"PROBLEM  state: failed, exit code 78 (its configuration is wrong)\n",
		"PROBLEM  socket http: " + taken.Addr().String() + " is in use by ",
		"warning  log: it may not listen on a port below 1024: listen tcp :80: bind: permission denied\n",
		"note     installation: not as this program would install it: /register/web\n",
		"ok       unit: loaded\n",
		"PROBLEM  executable: ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	s.manager.err = service.ErrForeign
	if _, out, _ = s.call("doctor"); !strings.Contains(out, "PROBLEM  installation: belongs to another program\n") {
		t.Errorf("of another program:\n%s", out)
	}
	s.manager.err = service.ErrUnsafe
	if _, out, _ = s.call("-b doctor"); !strings.Contains(out, "note     installation: not as this program would install it: ") {
		t.Errorf("where others can write:\n%s", out)
	}
	if _, out, _ = s.call("doctor --user"); !strings.Contains(out, programName()+" logs --user, then ") {
		t.Errorf("of a user:\n%s", out)
	}
}

func TestDoctor_ReadsTheLogOfTheRunningProcess(t *testing.T) {
	s := newShell(t)
	s.call("install --now")
	byProcess := func(pid int, message string) records.Record {
		r := record(time.Unix(1, 0), zapcore.ErrorLevel, message)
		r.PID = pid
		return r
	}
	for want, all := range map[string][]records.Record{
		"":                           {byProcess(41, "panic: old"), byProcess(42, "ready")},
		" bind: permission denied\n": {byProcess(41, "panic: old"), byProcess(42, "bind: permission denied")},
		" panic: somebody\n":         {byProcess(0, "panic: somebody")}, // the log does not say whose it is
	} {
		s.log = kept{s.manager, all}
		if code, out, _ := s.call("doctor"); !strings.Contains(out, want) || want != "" && !strings.Contains(out, "note     log: ") || want == "" && strings.Contains(out, " log: ") {
			t.Errorf("%v: exit code %d\n%s", all, code, out)
		}
	}
}

func TestWaiting_PrintsEachWaitOnceWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		c := &commandLine{err: &said}
		h := &Handle{}
		err := c.waiting(h, "starting web", func() error {
			time.Sleep(10 * time.Second)
			h.Progress("waiting for web to be ready")
			time.Sleep(10 * time.Second)
			return io.EOF
		})
		if got := said.String(); err != io.EOF || got != "starting web…\nwaiting for web to be ready…\n" {
			t.Errorf("%q, %v", got, err)
		}
		said.Reset()
		_ = c.waiting(h, "starting web", func() error { return nil })
		if said.Len() > 0 {
			t.Errorf("what took no time says %q", &said)
		}
	})
}

func TestWaiter_SpinsAndClearsOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		w := &waiter{out: &said, turns: true, begun: time.Now(), what: "stopping web"}
		end, shown := make(chan struct{}), make(chan struct{})
		go func() { w.show(end); close(shown) }()
		time.Sleep(650 * time.Millisecond)
		close(end)
		<-shown
		if got := said.String(); got != "\r\x1b[K| stopping web (0 s)\r\x1b[K/ stopping web (0 s)\r\x1b[K" {
			t.Errorf("%q", got)
		}
	})
}
