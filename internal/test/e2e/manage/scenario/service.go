//go:build linux

package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/service/system/diff"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// patience is how long a test waits for what should happen soon.
const patience = 30 * time.Second

// Service is a program in a machine, and the service that it can be.
type Service struct {
	Name  string // what the manager calls it
	Exe   string
	Setup talk.Setup
	Args  []string // before the command
	Flags []string // of every command
	Force bool     // install has --force

	t     testing.TB
	bed   Bed
	shown string // by the last dry run
}

// New puts a program with a name of its own into the machine. What it makes there goes
// when the test ends. The name stays as it is if there is one.
func New(t testing.TB, b Bed, setup talk.Setup) *Service {
	t.Helper()
	if setup.Name == "" {
		setup.Name = NewName()
	}
	if setup.Parser == "" {
		setup.Parser = talk.Flag
	}
	return NewIn(t, b, setup, "/opt/"+setup.Name)
}

// NewName is a name that no other test has.
func NewName() string { return fmt.Sprintf("echo-%08x", rand.Uint32()) }

// NewIn is [New] in a folder.
func NewIn(t testing.TB, b Bed, setup talk.Setup, folder string) *Service {
	t.Helper()
	if setup.Name == "" {
		setup.Name = NewName()
	}
	if setup.Parser == "" {
		setup.Parser = talk.Flag
	}
	s := &Service{Name: setup.Name, Setup: setup, Flags: b.Flags(), Force: b.Can().Insist, t: t, bed: b}
	s.Exe = b.Put(t, folder)
	t.Cleanup(func() { b.Forget(t, s.Name) })
	return s
}

// Other is another service of the same executable.
func (s *Service) Other(setup talk.Setup) *Service {
	o := *s
	o.Setup = setup
	o.Name = setup.Name
	s.t.Cleanup(func() { s.bed.Forget(s.t, o.Name) })
	return &o
}

// Run runs the program as a command line: the program's arguments, then these.
func (s *Service) Run(who Who, words ...string) testbed.Output {
	s.t.Helper()
	if s.Force && words[0] == "install" {
		words = append(words, "--force")
	}
	setup, err := json.Marshal(s.Setup)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.bed.Exec(s.t, who, []string{talk.Variable + "=" + string(setup)}, s.Exe, slices.Concat(s.Args, words, s.Flags)...)
}

// Do runs the program as one who administers the machine, which must end with the
// code, and returns what it has written.
func (s *Service) Do(code int, words ...string) string {
	s.t.Helper()
	return s.expect(code, s.Run(Admin, words...), words)
}

// lines are the lines of what a command has said, without those that say what it waits
// for, of which there are more on a slow machine.
func lines(said string) (lines []string) {
	for line := range strings.Lines(said) {
		if !strings.HasSuffix(line, "…\n") {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *Service) expect(code int, out testbed.Output, words []string) string {
	s.t.Helper()
	said := out.Stdout + out.Stderr
	if out.Code != code {
		s.t.Fatalf("%s %q: code %d, want %d; it says:\n%s", s.Name, words, out.Code, code, said)
	}
	return said
}

// Is asserts what the manager says, but for the PID.
func (s *Service) Is(want Said) {
	s.t.Helper()
	got := s.bed.Says(s.t, s.Name)
	got.PID = want.PID
	if got != want {
		s.t.Fatalf("the manager says %+v, want %+v", got, want)
	}
}

// What a manager says of services of these tests.
var (
	Absent    = Said{}
	Installed = Said{Installed: true, Automatic: true}
	Running   = Said{Installed: true, Automatic: true, Running: true}
	Broken    = Said{Installed: true, Automatic: true, Failed: true}
)

// Given is what the service has got.
func (s *Service) Given() talk.Given {
	s.t.Helper()
	var g talk.Given
	text, err := os.ReadFile(filepath.Join(s.bed.State(s.Name), talk.GivenFile))
	if err == nil {
		err = json.Unmarshal(text, &g)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// Runs asserts that the service runs: that the manager says so, and means the process
// that the program says that it is. It returns what that has got.
func (s *Service) Runs() talk.Given {
	s.t.Helper()
	said, g := s.bed.Says(s.t, s.Name), s.Given()
	if !said.Running || said.PID != g.PID || g.Quit {
		s.t.Fatalf("the manager says %+v; the program, that it is process %d, and that Stop has returned: %t", said, g.PID, g.Quit)
	}
	return g
}

// Ended asserts that a process has ended, and how often Stop has been called.
func (s *Service) Ended(before talk.Given) {
	s.t.Helper()
	if s.bed.Alive(s.t, before.PID) {
		s.t.Fatalf("process %d is still there", before.PID)
	}
	if now := s.Given(); now.Stops != before.Stops+1 {
		s.t.Fatalf("Stop was called %d times, want %d", now.Stops-before.Stops, 1)
	}
}

// Got asserts that the arguments and the environment have arrived as they were.
func (s *Service) Got() {
	s.t.Helper()
	g := s.Given()
	args := g.Args[1:]
	if len(args) > 0 && strings.HasPrefix(args[0], talk.SetupFlag) {
		args = args[1:]
	}
	if want := slices.Concat(s.Setup.Arguments, s.Args); !slices.Equal(args, want) {
		s.t.Errorf("the arguments have become\n%q, want\n%q", args, want)
	}
	if s.Setup.Directory != "" && g.Dir != s.Setup.Directory {
		s.t.Errorf("it runs in %q, want %q", g.Dir, s.Setup.Directory)
	}
	environment := s.bed.Environment(s.t, s.Name, g)
	for name, value := range s.Setup.Environment {
		if got, ok := environment[name]; !ok || got != value {
			s.t.Errorf("%s has become %q (there: %t), want %q", name, got, ok, value)
		}
	}
	for _, name := range []string{"STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY"} {
		if !strings.Contains(environment[name], s.Setup.Name) {
			s.t.Errorf("%s is %q, want one with the name of the service in it", name, environment[name])
		}
	}
}

// Status is what status --json says.
type Status struct {
	Name      string    `json:"name"`
	Manager   string    `json:"manager"`
	State     string    `json:"state"`
	PID       int       `json:"pid"`
	Since     time.Time `json:"since"`
	StartType string    `json:"start_type"`
	ExitCode  *int      `json:"exit_code"`
	Detail    string    `json:"detail"`
	Restarts  int       `json:"restarts"`
}

// Status asserts the state that status says, as text and as JSON, and its exit code.
func (s *Service) Status(who Who, state string, code int, flags ...string) Status {
	s.t.Helper()
	words := append([]string{"status"}, flags...)
	if s.bed.Manager() == "OpenRC" {
		// Once, at load, it said "starting" after a stop, twice in a row. Why is not known, so
		// this waits and says that it had to.
		Eventually(s.t, func() string {
			if out := s.Run(who, words...); !strings.Contains(out.Stdout, state) {
				s.t.Logf("not yet %s: status says %s%s", state, out.Stdout, out.Stderr)
				return "status says " + out.Stdout + out.Stderr
			}
			return ""
		})
	}
	if text := s.expect(code, s.Run(who, words...), words); !strings.Contains(text, state) || !strings.Contains(text, s.Name) {
		s.t.Errorf("status says\n%swant %q and the name %s", text, state, s.Name)
	}
	words = append(words, "--json")
	out := s.Run(who, words...)
	s.expect(code, out, words)
	var status Status
	decoder := json.NewDecoder(strings.NewReader(out.Stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&status); err != nil {
		s.t.Fatalf("status --json says %q: %v", out.Stdout, err)
	}
	if status.State != state || status.Name != s.Name || status.Manager != s.bed.Manager() {
		s.t.Errorf("status --json says %s, want %q, %q", out.Stdout, state, s.bed.Manager())
	}
	return status
}

// Traces is what there is of the service.
func (s *Service) Traces() Traces { s.t.Helper(); return s.bed.Traces(s.t, s.Name) }

// Same asserts that nothing of the service has been touched.
func (s *Service) Same(before Traces) {
	s.t.Helper()
	if now := s.Traces(); !maps.Equal(now, before) {
		s.t.Fatalf("it should have stayed as it was, but %s", difference(before, now))
	}
}

func difference(before, now Traces) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		was := before[name]
		switch is, ok := now[name]; {
		case !ok:
			lines = append(lines, name+" is gone")
		case is.Text != was.Text:
			lines = append(lines, fmt.Sprintf("%s has changed:\n%s", name, diff.Unified(was.Text, is.Text)))
		case is != was:
			lines = append(lines, fmt.Sprintf("%s was %s of %s, is %s of %s", name, was.Mode, was.Modified, is.Mode, is.Modified))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, ok := before[name]; !ok {
			lines = append(lines, fmt.Sprintf("%s is new: %+v", name, now[name]))
		}
	}
	return strings.Join(lines, "\n")
}

// Lasting is a context for what a test does, also after its end.
func Lasting(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.Context()), 2*patience)
}

// Eventually waits until wrong has nothing to say any more.
func Eventually(t testing.TB, wrong func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		last := wrong()
		switch {
		case last == "":
			return
		case time.Now().After(deadline):
			t.Fatalf("still after %s: %s", patience, last)
		}
	}
}
