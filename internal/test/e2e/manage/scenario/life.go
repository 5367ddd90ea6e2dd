//go:build linux

package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// life is everything that an operator does with a service that works.
func life(t *testing.T, b Bed) {
	s := NewIn(t, b, talk.Setup{
		Name: NewName(), Parser: talk.Flag,
		Description: `Echo's "100%" $HOME of \ all; # things`,
		Arguments:   []string{"-word", "the developer's"},
		Environment: wordyEnvironment(),
		Pauses:      b.Can().Pause,
	}, b.Can().Folder+NewName())
	if b.Can().Directory {
		s.Setup.Directory = path.Dir(s.Exe)
	}
	for range 2 {
		s.Args = wordy()
		before := s.Traces()
		s.dryRun(before)
		s.Do(0, "install")
		s.isShown(before)
		s.Is(Installed)
		s.Status(Admin, "stopped", 3)

		s.Do(0, "start")
		first := s.Runs()
		s.Got()
		s.hasStatus(first)
		if said := s.Do(0, "doctor"); strings.Contains(said, "PROBLEM") {
			t.Errorf("doctor says of a service that runs:\n%s", said)
		}

		s.Do(0, "start") // it runs
		if again := s.Runs(); again.PID != first.PID {
			t.Errorf("start of a service that runs has made process %d of process %d", again.PID, first.PID)
		}
		s.reload(first)
		s.pause()

		s.Do(0, "restart")
		s.Ended(first)
		second := s.Runs()
		s.Got()

		s.update(second)
		s.Do(0, "restart")
		s.Ended(second)
		third := s.Runs()
		s.Got()

		there := s.Traces()
		s.hasNothingToDo(s.Do(0, "install"))
		s.Same(there)
		if now := s.Runs(); now.PID != third.PID {
			t.Error("install of what is there has restarted the service")
		}

		s.Do(0, "stop")
		s.Ended(third)
		s.Is(Installed)
		s.Status(Admin, "stopped", 3)
		s.Do(0, "stop") // it does not run
		s.Do(7, "reload")

		s.Do(0, "uninstall")
		s.isGone()
		s.Do(5, "uninstall")
		s.Do(5, "start")
		s.Do(5, "stop")
	}
}

// dryRun asserts that a dry run does nothing, and shows what there will be.
func (s *Service) dryRun(before Traces) {
	s.t.Helper()
	who := Admin
	if s.bed.Can().Unprivileged {
		who = Somebody
	}
	words := []string{"install", "--dry-run"}
	s.shown = s.expect(0, s.Run(who, words...), words)
	s.Same(before)
	s.Is(Absent)
}

// isShown asserts that all that there is now was shown by the dry run.
func (s *Service) isShown(before Traces) {
	s.t.Helper()
	for name, trace := range s.Traces() {
		// Links are what is made by the calls, and accounts have names of their own there.
		if _, ok := before[name]; !ok && !trace.Link && path.IsAbs(name) && !strings.Contains(name, ": ") && !strings.Contains(s.shown, name) {
			s.t.Errorf("the dry run has not shown %s, but\n%s", name, s.shown)
		}
	}
	lines := s.bed.Shown(s.t, s.Name)
	if len(lines) < 3 {
		s.t.Errorf("there is more to show than %q", lines)
	}
	for _, line := range lines {
		if !strings.Contains(s.shown, line) {
			s.t.Errorf("the dry run has not shown %q, but\n%s", line, s.shown)
		}
	}
}

// hasStatus asserts what status says of a service that runs, to everybody.
func (s *Service) hasStatus(g talk.Given) {
	s.t.Helper()
	everybody := []Who{Admin}
	if s.bed.Can().Unprivileged {
		everybody = append(everybody, Somebody)
	}
	for _, who := range everybody {
		status := s.Status(who, "running", 0)
		if status.PID != g.PID {
			s.t.Errorf("status says process %d, the program %d", status.PID, g.PID)
		}
		if ago := time.Since(status.Since); !status.Since.IsZero() && (ago < -time.Second || ago > time.Hour) {
			s.t.Errorf("status says that it has run since %s", status.Since)
		}
		if status.StartType != "automatic" {
			s.t.Errorf("the start type is %q", status.StartType)
		}
	}
}

func (s *Service) reload(before talk.Given) {
	s.t.Helper()
	s.Do(0, "reload")
	Eventually(s.t, func() string { // not every manager hears when it is done
		if s.Given().Reloads == 0 {
			return "it was not reloaded"
		}
		return ""
	})
	if now := s.Runs(); now.Reloads != 1 || now.PID != before.PID {
		s.t.Errorf("after the reload: %d reloads, process %d, which was %d", now.Reloads, now.PID, before.PID)
	}
}

func (s *Service) pause() {
	s.t.Helper()
	if !s.bed.Can().Pause {
		s.Do(3, "pause")
		s.Do(3, "continue")
		return
	}
	s.Do(0, "pause")
	s.Status(Admin, "paused", 0)
	s.Do(0, "continue")
	s.Status(Admin, "running", 0)
}

// update installs the service with other arguments, which only a restart brings to it.
func (s *Service) update(running talk.Given) {
	s.t.Helper()
	old := s.Args
	s.Args = append([]string{"-quiet", "-word", "entirely new"}, old[:6]...)
	there := s.Traces()
	for _, words := range [][]string{{"install", "--dry-run"}, {"install"}} {
		said := s.Do(0, words...)
		if !strings.Contains(said, "updated") {
			s.t.Errorf("%q says %q", words, said)
		}
		var less, more bool
		for line := range strings.Lines(said) {
			less = less || strings.HasPrefix(line, "-") && strings.Contains(line, "Ünï côdé 日本語")
			more = more || strings.HasPrefix(line, "+") && strings.Contains(line, "entirely new")
		}
		if !less || !more {
			s.t.Errorf("%q shows the old arguments: %t, the new ones: %t\n%s", words, less, more, said)
		}
		if len(words) == 2 {
			s.Same(there)
		}
	}
	if now := s.Runs(); now.PID != running.PID {
		s.t.Error("the update has restarted the service")
	}
}

// hasNothingToDo asserts that an install says that all is there.
func (s *Service) hasNothingToDo(said string) {
	s.t.Helper()
	want := s.Name + ": nothing to do"
	if s.bed.Can().Forgets {
		want = s.Name + ": updated"
	}
	if !strings.HasPrefix(said, want) {
		s.t.Errorf("install of what is there says %q, want %q", said, want)
	}
}

// isGone asserts that nothing is left of a service but what it has written.
func (s *Service) isGone() {
	s.t.Helper()
	s.Is(Absent)
	s.Status(Admin, "not installed", 4)
	for name, trace := range s.Traces() {
		if !s.bed.Keeps(name) {
			s.t.Errorf("%s is left: %+v", name, trace)
		}
	}
}

func uninstallWhileRunning(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	if said := s.Do(0, "install", "--now"); !strings.Contains(said, "installed") || !strings.Contains(said, "running") {
		t.Errorf("install --now says %q", said)
	}
	g := s.Runs()
	s.Do(0, "uninstall")
	s.Ended(g)
	s.isGone()
}

func purge(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{NoReload: true})
	before := s.Traces()
	s.Do(0, "install", "--now")
	g := s.Runs()
	s.Do(0, "reload") // of the log: the program cannot
	s.Do(0, "uninstall", "--purge")
	if b.Alive(t, g.PID) {
		t.Errorf("process %d is still there", g.PID)
	}
	s.Is(Absent)
	s.Same(before)
}

func two(t *testing.T, b Bed) {
	one := New(t, b, talk.Setup{Environment: map[string]string{"WHICH": "one"}})
	other := one.Other(talk.Setup{Name: NewName(), Parser: talk.Flag, Environment: map[string]string{"WHICH": "other"}})
	other.Args = []string{"-word", "other"}
	one.Do(0, "install", "--now")
	other.Do(0, "install", "--now")
	first, second := one.Runs(), other.Runs()
	if first.PID == second.PID {
		t.Errorf("both are process %d", first.PID)
	}
	one.Got()
	other.Got()
	there := other.Traces()
	one.Do(0, "uninstall")
	one.isGone()
	other.Same(there)
	if now := other.Runs(); now.PID != second.PID {
		t.Errorf("the other is process %d, and was %d", now.PID, second.PID)
	}
	other.Do(0, "stop")
	other.Ended(second)
	other.Do(0, "uninstall")
	other.isGone()
}

func instances(t *testing.T, b Bed) {
	a := New(t, b, talk.Setup{Template: true, Environment: map[string]string{"SHARED": "by all"}})
	template := a.Name
	other := a.Other(a.Setup)
	a.Name, a.Flags = template+"@a", slices.Concat(a.Flags, []string{"--instance", "a"})
	other.Name, other.Flags = template+"@b", slices.Concat(other.Flags, []string{"--instance=b"})
	t.Cleanup(func() {
		b.Forget(t, a.Name)
		b.Forget(t, other.Name)
	})
	before := b.Traces(t, template)

	a.Do(0, "install", "--now")
	first := a.Runs()
	a.Got()
	other.Do(0, "install", "--now")
	second := other.Runs()
	other.Got()
	one, two := b.Environment(t, a.Name, first), b.Environment(t, other.Name, second)
	if one["SERVICE_INSTANCE"] != "a" || two["SERVICE_INSTANCE"] != "b" {
		t.Errorf("the instances are told that they are %q and %q", one["SERVICE_INSTANCE"], two["SERVICE_INSTANCE"])
	}
	if one["STATE_DIRECTORY"] == two["STATE_DIRECTORY"] {
		t.Errorf("both have their state in %s", one["STATE_DIRECTORY"])
	}

	a.Do(0, "uninstall")
	a.Ended(first)
	if said := b.Says(t, a.Name); said.Running || said.Automatic { // under systemd all are there while one is
		t.Errorf("after the uninstallation the manager says %+v", said)
	}
	if now := other.Runs(); now.PID != second.PID {
		t.Errorf("the other was process %d, and is %d", second.PID, now.PID)
	}
	other.Do(0, "restart")
	other.Ended(second)
	other.Do(0, "uninstall", "--purge")
	other.Is(Absent)
	a.Do(5, "uninstall")
	a.Do(0, "install")
	a.Do(0, "uninstall", "--purge")
	if now := b.Traces(t, template); !maps.Equal(now, before) {
		t.Error(difference(before, now))
	}
}

func follow(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{})
	s.Do(0, "install", "--now")
	file := "/tmp/" + s.Name // where users may write as well
	followed := make(chan testbed.Output, 1)
	stop := func() { b.Exec(t, Admin, nil, "touch", file+".stop") }
	var following sync.WaitGroup
	t.Cleanup(func() {
		stop()
		following.Wait()
	})
	following.Go(func() { followed <- s.follow(file) })
	logged := func(what string) {
		t.Helper()
		Eventually(t, func() string {
			if said := b.Exec(t, Admin, nil, "cat", file+".followed").Stdout; !strings.Contains(said, what) {
				return fmt.Sprintf("logs -f -n 1 has said %q, want %q", said, what)
			}
			return ""
		})
	}
	logged("\n") // the last line of before
	s.Do(0, "reload")
	logged("echo reloads")
	stop()
	if out := <-followed; out.Code != 0 {
		t.Errorf("logs -f that was ended: code %d: %s", out.Code, out.Stderr)
	}
	if said := b.Exec(t, Admin, nil, "cat", file+".followed").Stdout; strings.Contains(said, "echo starts") {
		t.Errorf("logs -f -n 1 has begun too early:\n%s", said)
	}
}

// follow follows the log, from its last line on, until there is a file.
func (s *Service) follow(file string) testbed.Output {
	const script = `"$@" >"$file.followed" & until [ -e "$file.stop" ]; do sleep 0.1; done; kill -TERM $!; wait $!`
	setup, err := json.Marshal(s.Setup)
	if err != nil {
		s.t.Error(err)
	}
	words := slices.Concat([]string{"-c", script, "sh", s.Exe, "logs", "-f", "-n", "1"}, s.Flags)
	return s.bed.Exec(s.t, Admin, []string{talk.Variable + "=" + string(setup), "file=" + file}, "sh", words...)
}

func ownParser(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{Parser: talk.Own})
	s.Args = []string{"key=value", "install=", "a b=c d"}
	s.Do(0, "install", "--now")
	s.Runs()
	s.Got()
}

func noParser(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{Parser: talk.None})
	s.Args = []string{"--listen", ":80", "-v", "", "%h", "$HOME", "two words", `back\`}
	s.Do(0, "install", "--now")
	s.Runs()
	s.Got()
	s.hasNothingToDo(s.Do(0, "install", "--now"))
	s.Do(0, "uninstall")
	s.isGone()
}

func account(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{Account: "LocalSystem"})
	s.Do(0, "install", "--now")
	if g := s.Runs(); g.UID > 0 || !slices.Contains(b.Can().System, path.Base(strings.ReplaceAll(g.User, `\`, "/"))) {
		t.Errorf("it runs as %q, %d; want one of %q", g.User, g.UID, b.Can().System)
	}
	s.Setup.Account = ""
	s.Do(0, "install", "--now")
	if g := s.Runs(); b.Can().Unprivileged && (g.UID == 0 || g.User == "root") {
		t.Errorf("it runs as %q, %d; want an account of its own", g.User, g.UID)
	}
}
