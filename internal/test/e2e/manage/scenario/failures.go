//go:build linux

package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
)

func failsToStart(t *testing.T, b Bed) {
	// 78 is an end for good, where the manager can tell.
	s := New(t, b, talk.Setup{FailStart: "config", Never: true})
	s.Do(0, "install")
	said := s.comesToNothing("start")
	if b.Can().Codes && !strings.Contains(said, "78") {
		t.Errorf("start says %q, want the exit code", said)
	}
	if !b.Can().Ready && strings.Contains(said, "has ended at once") && !strings.Contains(said, "the moon is configured wrongly") {
		t.Errorf("start says %q, want the last words", said)
	}
	s.failed(78, "its configuration is wrong", "the moon is configured wrongly")
	s.comesToNothing("install", "--now")

	s.Setup.FailStart = ""
	s.Do(0, "install", "--now")
	s.Runs()
}

func endsWithCode(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{FailStart: "42", Never: true})
	s.Do(0, "install")
	s.comesToNothing("start")
	s.failed(42, "42", "the moon has fallen down")
	s.Do(0, "uninstall")
	s.isGone()
}

// comesToNothing runs a command that starts a program which fails. Where nobody hears
// when it is ready, a slow machine may take it for one that has started.
func (s *Service) comesToNothing(words ...string) string {
	s.t.Helper()
	out := s.Run(Admin, words...)
	if out.Code == 0 && !s.bed.Can().Ready {
		Eventually(s.t, func() string {
			if s.bed.Says(s.t, s.Name).Running {
				return "a program that fails runs"
			}
			return ""
		})
		return out.Stdout + out.Stderr
	}
	return s.expect(1, out, words)
}

// failed asserts that everybody hears that the service has failed, and how.
func (s *Service) failed(code int, words, logged string) {
	s.t.Helper()
	can := s.bed.Can()
	if can.Failures {
		s.Is(Broken)
		status := s.Status(Admin, "failed", 1)
		said := s.Do(1, "doctor")
		if !strings.Contains(said, "PROBLEM") {
			s.t.Errorf("doctor says\n%s", said)
		}
		switch {
		case !can.Codes && status.ExitCode != nil && *status.ExitCode != code: // the program may have told
			s.t.Errorf("status --json says %+v, want the exit code %d or none", status, code)
		case !can.Codes:
		case status.ExitCode == nil || *status.ExitCode != code:
			s.t.Errorf("status --json says %+v, want the exit code %d", status, code)
		case !strings.Contains(said, words):
			s.t.Errorf("doctor says\n%swant %q", said, words)
		}
		if said := s.Do(1, "status"); can.Codes && !strings.Contains(said, words) {
			s.t.Errorf("status says %q, want %q", said, words)
		}
	}
	if can.Logs {
		if said := s.Do(0, "logs"); !strings.Contains(said, logged) {
			s.t.Errorf("logs says\n%swant %q", said, logged)
		}
		if said := s.Do(0, "logs", "-n", "1"); len(lines(said)) != 1 {
			s.t.Errorf("logs -n 1 says\n%swant one line", said)
		}
	}
}

// finishes has a job that finishes at once, also where the manager starts again what has
// ended.
func finishes(t *testing.T, b Bed) {
	for _, never := range []bool{true, false} {
		s := New(t, b, talk.Setup{Finishes: true, Never: never})
		for _, words := range [][]string{{"install", "--now"}, {"start"}, {"restart"}} {
			// A manager that starts it again may have done so already.
			if said := s.Do(0, words...); !strings.Contains(said, s.Name+": finished") && (never || !strings.Contains(said, ", restarted ")) {
				t.Errorf("%s says %q, want that it has finished", words, said)
			}
		}
		if !never {
			s.Do(0, "stop")
		}
		said, status := s.Do(3, "status"), s.Status(Admin, "stopped", 3)
		since := ", since "
		if b.Manager() == "Windows" { // which does not say when, and under Wine the state folder does not either
			since = ""
		}
		switch {
		case !strings.Contains(said, s.Name+": stopped, exit code 0"+since):
			t.Errorf("status says %q", said)
		case status.ExitCode == nil || *status.ExitCode != 0:
			t.Errorf("status --json says %+v, want exit code 0", status)
		}
		if said := s.Do(0, "doctor"); strings.Contains(said, "PROBLEM") {
			t.Errorf("doctor says\n%s", said)
		}
		s.Do(0, "uninstall", "--purge")
		s.isGone()
	}
}

func crashes(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{CrashAfter: 10 * time.Second})
	s.Do(0, "install", "--now")
	first := s.Runs()
	Eventually(t, func() string {
		if s.Given().PID == first.PID {
			return "it was not started again"
		}
		return ""
	})
	s.Do(0, "uninstall")
	s.isGone()
}

// panics has the text of a panic be found by those who may read it, before the service is
// started again and after.
func panics(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{FailStart: "panic", Never: true})
	s.Do(0, "install")
	s.comesToNothing("start")
	tells := func(when string) {
		t.Helper()
		out := s.Run(Admin, "doctor")
		if want := "  crash: it crashed once, at "; !strings.Contains(out.Stdout, want) || !strings.Contains(out.Stdout, ": panic: the moon is gone\n") {
			t.Errorf("%s, doctor says\n%s%s", when, out.Stdout, out.Stderr)
		}
		if b.Can().Logs {
			out := s.Run(Admin, "logs")
			if want := ": panic: the moon is gone; the full text is in "; !strings.Contains(out.Stderr, want) {
				t.Errorf("%s, logs says\n%s%s", when, out.Stdout, out.Stderr)
			}
		}
	}
	tells("while it is down")
	if b.Can().Unprivileged {
		out := s.Run(Somebody, "doctor")
		if !strings.Contains(out.Stdout, "note     crash: only an administrator can see crashes and how the last run ended\n") {
			t.Errorf("to somebody without rights, doctor says\n%s%s", out.Stdout, out.Stderr)
		}
		if out := s.Run(Somebody, "logs"); strings.Contains(out.Stderr, "crash") {
			t.Errorf("to somebody without rights, logs says\n%s", out.Stderr)
		}
	}

	s.Setup.FailStart = ""
	s.Do(0, "install", "--now")
	s.Runs()
	tells("while it runs again")
	if b.Can().Logs {
		if said := s.Do(0, "logs"); !strings.Contains(said, "the run before this one crashed: panic: the moon is gone") {
			t.Errorf("the next run has logged\n%s", said)
		}
	}
	s.Do(0, "uninstall", "--purge")
	s.isGone()
}

func hangs(t *testing.T, b Bed) {
	s := New(t, b, talk.Setup{HangInStop: true, StopTimeout: time.Second})
	s.Do(0, "install", "--now")
	g := s.Runs()
	begun := time.Now()
	if out := s.Run(Admin, "stop"); out.Code != 0 && out.Code != 1 {
		t.Errorf("stop: code %d: %s%s", out.Code, out.Stdout, out.Stderr)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("stop took %s", took)
	}
	if b.Alive(t, g.PID) {
		t.Errorf("process %d is still there", g.PID)
	}
	s.Do(0, "uninstall")
	s.isGone()
}
