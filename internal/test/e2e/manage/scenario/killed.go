//go:build linux

package scenario

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// killed kills install and uninstall at random moments, and has the next command find a
// state that it can go on from, and leave nothing else.
func killed(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	before := s.Traces()
	longest := map[string]time.Duration{}
	verbs := []string{"install --now", "install", "uninstall", "uninstall --purge"}
	for _, verb := range verbs {
		begun := time.Now()
		s.Run(Admin, strings.Fields(verb)...)
		longest[verb] = time.Since(begun)
		if strings.HasPrefix(verb, "uninstall") {
			s.Do(0, "install", "--now")
		}
	}
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	cut := 0
	for range b.Can().Kills {
		begin, then := verbs[random.IntN(len(verbs))], verbs[random.IntN(len(verbs))]
		after := time.Duration(random.Int64N(int64(longest[begin])))
		if s.killedAfter(after, strings.Fields(begin)...) {
			cut++
		}
		s.toolsEnd()
		what := fmt.Sprintf("%s after %s that was killed after %s", then, begin, after)
		if out := s.Run(Admin, "status"); out.Code == 2 || out.Code > 4 || len(lines(out.Stdout+out.Stderr)) != 1 {
			t.Errorf("%s: status ends with code %d: %s%s", what, out.Code, out.Stdout, out.Stderr)
		}
		out := s.Run(Admin, strings.Fields(then)...)
		switch {
		case out.Code == 5 && strings.HasPrefix(then, "uninstall"): // it was not installed any more, or not yet
		case out.Code != 0:
			t.Fatalf("%s: code %d: %s%s", what, out.Code, out.Stdout, out.Stderr)
		}
		s.clean(what, then, before)
	}
	t.Logf("%d of %d were killed before they were done", cut, b.Can().Kills)
	if cut == 0 {
		t.Error("nothing was killed before it was done")
	}
}

// killedAfter runs the program and kills it, and reports whether it was not done by then.
func (s *Service) killedAfter(after time.Duration, words ...string) bool {
	s.t.Helper()
	killer := *s
	killer.Exe, killer.Args = "timeout", append([]string{"--foreground", "--signal=KILL", fmt.Sprintf("%.3f", max(after, time.Millisecond).Seconds()), s.Exe}, s.Args...)
	killer.Force = false
	out := killer.Run(Admin, words...)
	return out.Code == 137
}

// toolsEnd waits for the tools that a killed command has called: they go on without it.
func (s *Service) toolsEnd() {
	s.t.Helper()
	const list = `for f in /proc/[0-9]*/cmdline; do tr '\000' ' ' <"$f"; echo; done 2>/dev/null; true`
	Eventually(s.t, func() string {
		for line := range strings.Lines(s.bed.Exec(s.t, Admin, nil, "sh", "-c", list).Stdout) {
			for _, tool := range []string{"update-rc.d", "insserv", "rc-update", "rc-service", "useradd", "userdel", "systemctl"} {
				if strings.Contains(line, tool) && strings.Contains(line, s.Name) {
					return line
				}
			}
		}
		return ""
	})
}

// clean asserts that the machine is in the state that a command leaves.
func (s *Service) clean(what, then string, before Traces) {
	s.t.Helper()
	traces := s.Traces()
	for name := range traces {
		if strings.Contains(name, "/."+s.Name+".") {
			s.t.Errorf("%s: %s is left", what, name)
		}
	}
	if s.locked() {
		s.t.Errorf("%s: its lock is left", what)
	}
	switch then {
	case "install --now":
		s.Runs()
	case "install":
		if said := s.bed.Says(s.t, s.Name); !said.Installed || !said.Automatic {
			s.t.Fatalf("%s: the manager says %+v", what, said)
		}
	case "uninstall":
		s.isGone()
	default:
		s.Is(Absent)
		if difference := difference(before, traces); difference != "" {
			s.t.Fatalf("%s: %s", what, difference)
		}
	}
}

// locked reports whether there is the file of the service's lock.
func (s *Service) locked() bool {
	s.t.Helper()
	return s.bed.Exec(s.t, Admin, nil, "test", "-e", "/run/glidepath-"+s.Name+".lock").Code == 0
}

// busy has a second command find that the first is at work.
func busy(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{HangInStop: true, StopTimeout: time.Minute})
	s.Do(0, "install", "--now")
	g := s.Runs()
	var out testbed.Output
	var first sync.WaitGroup
	first.Go(func() { out = s.Run(Admin, "uninstall", "--purge") })
	end := sync.OnceFunc(func() { // it has hung for long enough
		b.Exec(t, Admin, nil, "sh", "-c", "kill -KILL "+strconv.Itoa(g.PID))
		first.Wait()
	})
	t.Cleanup(end)
	Eventually(t, func() string {
		if s.locked() {
			return ""
		}
		return "nobody has the lock"
	})
	for _, words := range [][]string{{"install"}, {"install", "--now"}, {"uninstall"}} {
		said := s.Do(75, words...)
		if len(lines(said)) != 1 || !strings.Contains(said, "another command is changing the service: uninstall, process ") {
			t.Errorf("%q says %q, want one line with what is under way", words, said)
		}
	}
	s.Do(0, "install", "--dry-run")
	// A process that dies before its manager stops it is replaced by another, which hangs too.
	Eventually(t, func() string {
		if s.Given().Stops > g.Stops {
			return ""
		}
		return "nobody has told the program to stop"
	})
	end()
	s.expect(0, out, []string{"uninstall", "--purge"})
	s.Is(Absent)
	if s.locked() {
		t.Error("the lock is left")
	}
}
