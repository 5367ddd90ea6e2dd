//go:build linux

package windows

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/windows/control"
)

// patience is how long a test waits for what should happen soon.
const patience = 30 * time.Second

// agent is the client of the service control manager.
var agent *rpc.Client

// connect starts the agent.
func connect(cmd *exec.Cmd) (*rpc.Client, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the agent: %w", err)
	}
	return rpc.NewClient(struct {
		io.Reader
		io.Writer
		io.Closer
	}{stdout, stdin, closer(func() error { return errors.Join(stdin.Close(), cmd.Wait()) })}), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// installed is a service of one test.
type installed struct {
	t    *testing.T
	name string
	args []string
	made bool
}

var services atomic.Int32

// newService has a service made of a program, which it deletes after the test.
func newService(t *testing.T, program string, args ...string) *installed {
	t.Helper()
	requireWindows(t)
	return &installed{
		t: t, name: fmt.Sprintf("%s-%d", program, services.Add(1)),
		args: append([]string{program}, args...),
	}
}

func call[A, R any](s *installed, method string, args A, reply *R) {
	s.t.Helper()
	if err := agent.Call("Manager."+method, args, reply); err != nil {
		s.t.Fatal(err)
	}
}

var nothing struct{}

// make makes the service, once everything about it is known.
func (s *installed) make() {
	s.t.Helper()
	if s.made {
		return
	}
	s.made = true
	path := filepath.Join(programs, s.args[0]+".exe")
	call(s, "Create", control.Service{Name: s.name, Path: `Z:` + strings.ReplaceAll(path, "/", `\`), Args: s.args[1:]}, &nothing)
	s.t.Cleanup(func() {
		var a control.Answer
		_ = agent.Call("Manager.Control", control.Control{Name: s.name, Code: controlStop}, &a)
		_ = agent.Call("Manager.Await", control.Await{Name: s.name, State: stopped, Bound: patience}, &[]control.Status{})
		if err := agent.Call("Manager.Delete", s.name, &nothing); err != nil {
			s.t.Error(err)
		}
	})
}

// dir is the folder of the executable, as Windows names it.
func (s *installed) dir() string { return `Z:` + strings.ReplaceAll(programs, "/", `\`) }

func (s *installed) start(args ...string) {
	s.t.Helper()
	s.make()
	var a control.Answer
	call(s, "Start", control.Start{Name: s.name, Args: args}, &a)
	if a.Errno != 0 {
		s.t.Fatalf("StartService: error %d, %+v", a.Errno, a.Status)
	}
}

// control sends a control, asserts the answer, and returns the state that comes with it.
func (s *installed) control(code, errno uint32) (state uint32) {
	s.t.Helper()
	var a control.Answer
	call(s, "Control", control.Control{Name: s.name, Code: code}, &a)
	if a.Errno != errno {
		s.t.Errorf("control %d is answered with error %d, want %d; %+v", code, a.Errno, errno, a.Status)
	}
	return a.Status.State
}

// refuses sends a control that is refused: the state stays what it is. The error is not
// quite that of Windows: Wine does not pass on what a handler answers, which the tests
// with the fake manager show, and for a stop it looks at what is accepted before it
// looks at the state.
func (s *installed) refuses(code, errno uint32) {
	s.t.Helper()
	before := s.query().State
	var a control.Answer
	call(s, "Control", control.Control{Name: s.name, Code: code}, &a)
	if a.Errno != 0 && a.Errno != errno && a.Errno != errInvalidControl {
		s.t.Errorf("control %d is answered with error %d, want %d", code, a.Errno, errno)
	}
	if after := s.query().State; after != before {
		s.t.Errorf("control %d has changed state %d to %d", code, before, after)
	}
}

// await waits for a state and returns every status that was seen before it.
func (s *installed) await(state uint32) (seen []control.Status) {
	s.t.Helper()
	call(s, "Await", control.Await{Name: s.name, State: state, Bound: patience}, &seen)
	return seen
}

func (s *installed) query() (status control.Status) {
	s.t.Helper()
	call(s, "Query", s.name, &status)
	return status
}

// stop stops the service as its operator does, and waits until it has stopped.
func (s *installed) stop() {
	s.t.Helper()
	s.control(controlStop, 0)
	s.await(stopped)
}

// is asserts how the service has ended.
func (s *installed) is(code, specific uint32) {
	s.t.Helper()
	if got := s.query(); got.State != stopped || got.ExitCode != code || got.SpecificCode != specific {
		s.t.Errorf("it has ended with %d/%d, want %d/%d; %+v", got.ExitCode, got.SpecificCode, code, specific, got)
	}
}

func (s *installed) preshutdown(timeout time.Duration) {
	s.t.Helper()
	s.make()
	call(s, "Preshutdown", control.Preshutdown{Name: s.name, Timeout: timeout}, &nothing)
}

// storm sends so many controls and says how long the answers took.
func (s *installed) storm(times int, codes ...uint32) *stormed {
	s.t.Helper()
	var r stormed
	call(s, "Storm", control.Storm{Name: s.name, Codes: codes, Times: times}, &r.Stormed)
	return &r
}

type stormed struct{ control.Stormed }

func (s *stormed) String() string {
	slices.Sort(s.Took)
	at := func(share float64) time.Duration { return s.Took[int(share*float64(len(s.Took)-1))] }
	return fmt.Sprintf("%d controls answered: p50 %s, p99 %s, max %s", len(s.Took), at(0.5), at(0.99), at(1))
}

// interrogate asks for the status; the manager may have none to ask for any more.
func (s *installed) interrogate() {
	s.t.Helper()
	var a control.Answer
	call(s, "Control", control.Control{Name: s.name, Code: controlInterrogate}, &a)
	if a.Errno != 0 && a.Errno != errCannotAcceptControl && a.Errno != 1062 {
		s.t.Errorf("INTERROGATE is answered with error %d", a.Errno)
	}
}
