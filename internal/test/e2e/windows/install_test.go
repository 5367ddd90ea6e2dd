//go:build linux

package windows

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	svc "github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/requests"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestTheWholeLifeOfAnInstalledServiceTwiceOver(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.spec.Dependencies = []string{"network"}
	for range 2 {
		s.is(service.NotInstalled)
		s.fails("start", service.ErrNotInstalled, s.spec.Name)
		s.fails("remove", service.ErrNotInstalled, s.spec.Name)

		p := s.do("apply").Plan
		if p.Installed || p.Replaces != "" || !p.Changed() {
			t.Errorf("the plan is %+v", p)
		}
		for _, want := range []string{"no SIDs for services", "no required privileges", "no recovery from exit codes"} {
			if !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.HasPrefix(w, "this version of Windows has "+want) }) {
				t.Errorf("nothing is said of %q: %q", want, p.Warnings)
			}
		}
		if got := says(t, "sc", "query", s.spec.Name); !strings.Contains(got, "STOPPED") {
			t.Errorf("the manager says\n%s", got)
		}
		// Wine's sc has no qc; its manager keeps the database where that of Windows does.
		key := `HKLM\SYSTEM\CurrentControlSet\Services\`
		if got := says(t, "reg", "query", key+s.spec.Name); !strings.Contains(got, `.exe" Z:\tmp`) || !strings.Contains(got, s.spec.DisplayName) || !strings.Contains(got, `NT SERVICE\`+s.spec.Name) {
			t.Errorf("the manager has\n%s", got)
		}
		if got := says(t, "reg", "query", key+s.spec.Name, "/v", "DependOnService"); !strings.Contains(got, `Tcpip\0Afd`) {
			t.Errorf("it depends on\n%s", got)
		}
		if got := says(t, "reg", "query", key+s.spec.Name+`\Parameters`); !strings.Contains(got, "Glidepath    REG_SZ    1.2.3") {
			t.Errorf("its parameters are\n%s", got)
		}
		if got := says(t, "reg", "query", key+`EventLog\Application\`+s.spec.Name); !strings.Contains(got, `EventMessageFile    REG_EXPAND_SZ    %SystemRoot%\System32\EventCreate.exe`) {
			t.Errorf("its source is\n%s", got)
		}
		if got := s.is(service.Stopped); got.StartType != service.Manual || !strings.Contains(got.Detail, "has not been started") {
			t.Errorf("the status is %+v", got)
		}

		begun := time.Now().Add(-time.Minute)
		s.do("start")
		s.ran()
		first := s.is(service.Running)
		if first.PID == 0 || first.Since.Before(begun) || first.Since.After(time.Now().Add(time.Minute)) {
			t.Errorf("the status is %+v", first)
		}
		s.do("start") // once more, which does nothing
		if again := s.is(service.Running); again.PID != first.PID {
			t.Errorf("it was started twice: %+v", again)
		}
		s.do("pause")
		s.await("paused")
		s.is(service.Paused)
		s.fails("reload", nil, "it is paused")
		s.do("continue")
		s.await("continued")
		s.is(service.Running)
		s.do("reload")
		s.await("reloaded")
		s.do("restart")
		s.await("stopped")
		s.ran()
		if again := s.is(service.Running); again.PID == first.PID {
			t.Errorf("it was not restarted: %+v", again)
		}

		// An update while it runs is for its next start.
		s.spec.Arguments = append(s.spec.Arguments[:1], "-new")
		s.spec.Version = "1.3.0"
		s.spec.StartType = service.Disabled
		if p := s.do("apply").Plan; !p.Installed || p.Replaces != "" {
			t.Errorf("the plan of the update is %+v", p)
		}
		s.is(service.Running)
		s.do("stop")
		s.await("stopped")
		s.is(service.Stopped)
		s.do("stop")
		s.fails("start", nil, "it is disabled")
		s.spec.StartType = service.Manual
		s.do("apply")
		s.do("start")
		if got := s.ran().Args; !slices.Equal(got, []string{"-new"}) {
			t.Errorf("after the update, its arguments are %q", got)
		}

		removed := s.do("remove").Removed // which stops it
		s.await("stopped")
		if !slices.Contains(removed, "service "+s.spec.Name) {
			t.Errorf("removed: %q", removed)
		}
		s.is(service.NotInstalled)
		if got := says(t, "reg", "query", key+`EventLog\Application\`+s.spec.Name) + says(t, "reg", "query", key+s.spec.Name); strings.Contains(got, s.spec.Name) {
			t.Errorf("there is left\n%s", got)
		}
		s.spec.Arguments, s.spec.Version = s.spec.Arguments[:1], "1.2.3"
	}
}

func TestWhatIsInstalledAgainStaysAsItIs(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	first := s.do("apply").Plan
	second := s.do("apply").Plan
	for _, prefix := range []string{"service ", "event source "} {
		a := artefact(t, second, prefix)
		if a.Changed() || a.Old != artefact(t, first, prefix).New {
			t.Errorf("%s changes from\n%s to\n%s", a.Name, a.Old, a.New)
		}
	}
}

func TestArgumentsArriveUnchanged(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	awkward := []string{
		"", " ", "two words", `"quoted"`, `a"b`, `back\slash`, `trailing\`, `two words\`, `\"`, `\\`, "%PATH%", "50%", "%SystemRoot% and %TEMP%\\", "$HOME", "'", "*", "ü 服务", "\t", "",
	}
	s.spec.Arguments = append(s.spec.Arguments, awkward...)
	s.do("apply")
	s.do("start")
	if got := s.ran().Args; !slices.Equal(got, awkward) {
		t.Errorf("the arguments are\n%q, want\n%q", got, awkward)
	}
	s.do("stop")
}

// Wine's manager does not give services the environment that their keys have; what is
// in the key is read back by a program of Windows.
func TestTheEnvironmentIsInTheRegistryUnchanged(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.spec.Environment = map[string]string{"A": `two "words" %PATH% $HOME a\`, "B": "", "C": "ü 服务"}
	s.do("apply")
	want := []string{`A=two "words" %PATH% $HOME a\`, "B=", `STATE_DIRECTORY=C:\ProgramData\` + s.spec.Name + `\state`}
	got := says(t, "reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\`+s.spec.Name, "/v", "Environment")
	_, text, _ := strings.Cut(got, "REG_MULTI_SZ    ")
	list := strings.Split(strings.TrimSpace(text), `\0`)
	read := artefact(t, s.do("plan").Plan, "service ").Old
	for _, w := range want {
		if !slices.Contains(list, w) || !strings.Contains(read, "\nEnvironment: "+strings.TrimRight(w, " ")+"\n") {
			t.Errorf("there is no %s in\n%q, or in\n%s", w, list, read)
		}
	}
	if !strings.Contains(read, "\nEnvironment: C=ü 服务\n") { // which the other program has no letters for
		t.Errorf("there is no C in\n%s", read)
	}
}

func TestAStartThatFailsIsSaidInWords(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.spec.Arguments = append(s.spec.Arguments, "fail")
	s.do("apply")
	s.fails("start", nil, "its configuration is wrong")
	if got := s.is(service.Failed); got.ExitCode != 78 || !strings.Contains(got.Detail, "code 1066/78") {
		t.Errorf("the status is %+v", got)
	}
	s.finds(svc.Problem, "state", "its configuration is wrong")
	s.fails("pause", service.ErrNotRunning, "")
}

func (s *managed) finds(level svc.Level, what, text string) {
	s.t.Helper()
	found := s.do("diagnose").Findings
	if !slices.ContainsFunc(found, func(f svc.Finding) bool {
		return f.Level == level && f.What == what && strings.Contains(f.Detail, text)
	}) {
		s.t.Errorf("no %q of %s among %+v", text, what, found)
	}
}

func TestWhatKeepsItFromRunningIsFound(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.finds(svc.Problem, "service", "not installed")
	s.do("apply")
	s.finds(svc.OK, "event source", "")
	s.finds(svc.Note, "state", "has not been started")
	s.finds(svc.Warning, "executable", "belongs to") // a user of Wine's
	s.fails("logs", nil, "no event log that can be read")
}

func TestAServiceThatRunsIsRemoved(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.do("apply")
	s.do("start")
	folder := filepath.Join(machine.Path("/var/lib/windows/drive_c/ProgramData"), s.spec.Name)
	if _, err := os.Stat(filepath.Join(folder, "state")); err != nil {
		t.Error(err)
	}
	removed := s.do("remove", func(r *requests.Request) { r.Purge = true }).Removed
	s.await("stopped")
	if want := []string{"service " + s.spec.Name, `event source "` + s.spec.Name + `"`, `folder C:\ProgramData\` + s.spec.Name}; !slices.Equal(removed, want) {
		t.Errorf("removed: %q", removed)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
	s.is(service.NotInstalled)
}

func TestTwoInstalledServicesOfOneExecutable(t *testing.T) {
	t.Parallel()
	a, b := newManaged(t), newManaged(t)
	for _, s := range []*managed{a, b} {
		s.do("apply")
		s.do("start")
	}
	if a.is(service.Running).PID == b.is(service.Running).PID {
		t.Error("they share a process")
	}
	a.do("remove")
	b.is(service.Running)
	b.do("stop")
}

func TestTwoServicesCannotHaveOneDisplayName(t *testing.T) {
	t.Parallel()
	a, b := newManaged(t), newManaged(t)
	a.do("apply")
	b.spec.DisplayName = strings.ToUpper(a.spec.DisplayName)
	b.fails("apply", nil, "another service has this name")
	b.is(service.NotInstalled)
	if _, err := os.Stat(filepath.Join(machine.Path("/var/lib/windows/drive_c/ProgramData"), b.spec.Name)); !os.IsNotExist(err) {
		t.Errorf("its folder was left: %v", err)
	}
}

func TestAServiceOfAnotherToolIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	old := control.Service{Name: s.spec.Name, Path: s.spec.Executable, Args: []string{testbed.WindowsPath(s.notes), "-old"}}
	if err := agent.Call("Manager.Create", old, &nothing); err != nil {
		t.Fatal(err)
	}
	s.do("start")
	if got := s.ran().Args; !slices.Equal(got, []string{"-old"}) {
		t.Errorf("the arguments are %q", got)
	}
	p := s.do("apply").Plan
	if !p.Installed || p.Replaces == "" || !slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "-old") && strings.Contains(w, "taken over") }) {
		t.Errorf("the plan is %+v", p)
	}
	if got := artefact(t, p, "service "); !strings.Contains(got.Old, "Account: LocalSystem\n") || !strings.Contains(got.New, `Account: NT SERVICE\`) {
		t.Errorf("it changes from\n%s to\n%s", got.Old, got.New)
	}
	s.do("restart")
	if got := s.ran().Args; len(got) != 0 {
		t.Errorf("the arguments are %q", got)
	}
	if p := s.do("plan").Plan; p.Replaces != "" {
		t.Errorf("it replaces %s again", p.Replaces)
	}
}

func TestWithoutForceNothingOfOthersIsTouched(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	gently := func(r *requests.Request) { r.Force = false }
	// The file system of Wine knows no administrators.
	if a := s.try("apply", gently); !slices.Contains(a.Is, service.ErrUnsafe.Error()) || !strings.Contains(a.Err, "Program Files") {
		t.Errorf("an executable of a user: %q, %q", a.Err, a.Is)
	}
	s.is(service.NotInstalled)
	foreign := newService(t, "hello")
	foreign.make()
	s.spec.Name = foreign.name
	for _, verb := range []string{"apply", "remove"} {
		if a := s.try(verb, gently); !slices.Contains(a.Is, service.ErrForeign.Error()) || !strings.Contains(a.Err, "hello.exe") {
			t.Errorf("%s a service of another program: %q, %q", verb, a.Err, a.Is)
		}
	}
	if got := foreign.query().State; got != stopped {
		t.Errorf("it is in state %d", got)
	}
}

// probe has the probe as the service, which does as its flags say.
func (s *managed) probe(flags ...string) {
	s.spec.Executable = testbed.WindowsPath(filepath.Join(programs, "probe.exe"))
	s.spec.Arguments = flags
	s.do("apply")
}

func TestVerbsWaitAndSayHowItGetsOn(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.probe("-start-after=2500ms", "-stop-after=2500ms")
	for verb, want := range map[string]service.State{"start": service.Running, "stop": service.Stopped} {
		if verb == "stop" {
			s.do("start")
		} else {
			s.do("stop")
		}
		begun := time.Now()
		heard := s.do(verb).Progress
		if took := time.Since(begun); took < 2*time.Second || took > 10*time.Second {
			t.Errorf("%s took %s", verb, took)
		}
		if !slices.ContainsFunc(heard, func(h string) bool { return strings.Contains(h, "ing (checkpoint ") }) {
			t.Errorf("%s: heard %q", verb, heard)
		}
		s.is(want)
	}
}

func TestAVerbThatTheProgramDoesNotFollowFails(t *testing.T) {
	t.Parallel()
	s := newManaged(t)
	s.probe("-able", "-pause=fail", "-reload=none")
	s.do("start")
	s.fails("pause", nil, "it is running again")
	s.is(service.Running)
	s.do("stop")
	s.probe() // has no abilities
	s.do("start")
	s.fails("pause", service.ErrNotSupported, "the program does not support it")
	s.do("reload") // of its log
	s.do("stop")
	s.probe("-start-fail")
	s.fails("start", nil, "file not found (error 2)")
	if got := s.is(service.Failed); got.ExitCode != 2 {
		t.Errorf("the status is %+v", got)
	}
	s.probe("-stop-fail")
	s.do("start")
	s.do("stop") // it has stopped, as asked, and Windows is told no failure
	s.is(service.Stopped)
}
