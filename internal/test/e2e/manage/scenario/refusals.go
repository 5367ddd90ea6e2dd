//go:build linux

package scenario

import (
	"maps"
	"path"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

func wrongUsage(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	before := s.Traces()
	for _, words := range [][]string{
		{"install", "now"},
		{"install", "--nwo"},
		{"install", "--now=yes"},
		{"instal"},
		{"install", "--instance"},
		{"install", "--instance", "a"}, // it is no template
		{"start", "--now"},
		{"logs", "-n", "many"},
		{"logs", "-n", "-1"},
		{"status", "--jsno"},
		{"uninstall", "everything"},
		{"start", "stop"},
	} {
		if said := s.Do(2, words...); len(lines(said)) != 1 {
			t.Errorf("%q says %q, want one line", words, said)
		}
	}
	s.Same(before)
	s.Is(Absent)
}

func wrongConfig(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	before := s.Traces()
	sane := s.Setup
	for name, change := range map[string]func(){
		"a line feed in an argument":         func() { s.Args = []string{"-word", "a\nb"} },
		"a line feed in a value":             func() { s.Setup.Environment = map[string]string{"A": "a\nExecStartPre=/bin/false"} },
		"a variable that is no name":         func() { s.Setup.Environment = map[string]string{"A B": "c"} },
		"a variable that the manager sets":   func() { s.Setup.Environment = map[string]string{"NOTIFY_SOCKET": "/x"} },
		"a directory that is not absolute":   func() { s.Setup.Directory = "x" },
		"a start type that there is not":     func() { s.Setup.StartType = "sometimes" },
		"a service to be started by nothing": func() { s.Setup.StartType = "socket" },
	} {
		change()
		for _, words := range [][]string{{"install", "--dry-run"}, {"install"}} {
			if said := s.Do(78, words...); len(lines(said)) != 1 {
				t.Errorf("%s: %q says %q, want one line", name, words, said)
			}
		}
		s.Setup, s.Args = sane, nil
	}
	s.Same(before)
	s.Is(Absent)
}

func noRights(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	before := s.Traces()
	s.refused("install")
	s.refused("install", "--now")
	s.Same(before)
	s.Is(Absent)

	s.Do(0, "install", "--now")
	g, there := s.Runs(), s.Traces()
	for _, verb := range []string{"start", "stop", "restart", "reload", "uninstall"} {
		s.Args = nil
		if verb == "start" {
			continue // it runs: there is nothing to do for which rights would be needed
		}
		s.refused(verb)
	}
	s.Args = []string{"-quiet"}
	s.refused("install")
	s.Args = nil
	s.Same(there)
	if now := s.Runs(); now.PID != g.PID || now.Reloads != 0 {
		t.Errorf("it was process %d, is %d, and was reloaded %d times", g.PID, now.PID, now.Reloads)
	}
	s.Do(0, "stop")
	s.refused("start")
	s.Is(Installed)
}

// refused asserts that somebody without rights is told so, and what to do.
func (s *Service) refused(words ...string) {
	s.t.Helper()
	said := s.expect(4, s.Run(Somebody, words...), words)
	if len(lines(said)) != 1 || !strings.Contains(said, "root") && !strings.Contains(said, "sudo") {
		s.t.Errorf("%q says %q, want one line with what to do", words, said)
	}
}

func unsafePlace(t *testing.T, b Bed) {
	name := NewName()
	s := NewIn(t, b, talk.Setup{Name: name}, path.Join(b.Can().Open, name))
	s.Force = false
	before := s.Traces()
	for _, words := range [][]string{{"install", "--dry-run"}, {"install"}, {"install", "--now"}} {
		if said := s.Do(1, words...); !strings.Contains(said, "write") || len(lines(said)) != 1 {
			t.Errorf("%q says %q, want one line with why", words, said)
		}
	}
	s.Same(before)
	s.Is(Absent)
	if said := s.Do(0, "install", "--force"); !strings.Contains(said, "warning") {
		t.Errorf("install --force does not warn: %q", said)
	}
	s.Do(0, "start")
	s.Runs()
}

func takeover(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	old := func(verb string) {
		t.Helper()
		if out := b.Exec(t, Admin, nil, b.Old(), s.Name, verb); out.Code != 0 {
			t.Fatalf("%s of the old service: code %d: %s%s", verb, out.Code, out.Stdout, out.Stderr)
		}
	}
	before := s.Traces()
	old("install")
	if b.Can().Older {
		old("start")
		Eventually(t, func() string {
			if !b.Says(t, s.Name).Running {
				return "the old service does not run"
			}
			return ""
		})
	}
	there := s.Traces()
	if said := s.Do(0, "install", "--dry-run"); !strings.Contains(said, "kardianos/service") {
		t.Errorf("the dry run does not say whose service it is: %q", said)
	}
	s.Same(there)
	if said := s.Do(0, "install"); !strings.Contains(said, "kardianos/service") {
		t.Errorf("install does not say whose service it is: %q", said)
	}
	s.Do(0, "restart")
	g := s.Runs()
	s.Got()
	said := s.Do(0, "install")
	s.hasNothingToDo(said)
	if strings.Contains(said, "kardianos") {
		t.Errorf("the second time it says %q", said)
	}
	s.Do(0, "stop")
	s.Ended(g)
	s.Do(0, "uninstall", "--purge")
	s.Is(Absent)
	now := s.Traces()
	maps.DeleteFunc(now, func(trace string, _ Trace) bool { return strings.HasPrefix(trace, "/var/log/"+s.Name+".") }) // by the old service
	if !maps.Equal(now, before) {
		t.Error(difference(before, now))
	}
}

func foreign(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	s.Force = false
	b.Foreign(t, s.Name, s.Exe)
	before := s.Traces()
	for _, words := range [][]string{{"install", "--dry-run"}, {"install"}} {
		if said := s.Do(1, words...); !strings.Contains(said, "another program") || len(lines(said)) != 1 {
			t.Errorf("%q says %q, want one line with why", words, said)
		}
	}
	s.Same(before)
	if said := s.Do(0, "install", "--force"); !strings.Contains(said, "warning") {
		t.Errorf("install --force does not warn: %q", said)
	}
	s.Do(0, "restart")
	s.Runs()
}
