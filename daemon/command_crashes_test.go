package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/dirs"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// end runs a service with that state folder until it ends in the way how.
func end(t *testing.T, state, how string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestCrash_NextRunLogsHowTheLastOneCrashed$")
	cmd.Env = append(os.Environ(), crashChild+"="+how, "STATE_DIRECTORY="+state, "LOG_TARGET=json")
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// folder returns an empty state folder.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// text returns the only file with the text of a crash.
func text(t *testing.T, state string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, crashes, "*.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("there are %v, %v", files, err)
	}
	return files[0]
}

func TestDoctor_CrashIsReportedBeforeAndAfterTheNextStart(t *testing.T) {
	s := newShell(t)
	s.manager.state = folder(t)
	s.call("install")
	end(t, s.manager.state, "panic")
	for _, when := range []string{"before", "after"} {
		file := text(t, s.manager.state)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		said := "it crashed once, at " + info.ModTime().Format(time.DateTime) + " (version v1.2.3): panic: boom"
		_, out, _ := s.call("doctor")
		if want := "warning  crash: " + said + "\n         -> the full text is in " + file + "\n"; !strings.Contains(out, want) {
			t.Errorf("%s the next start, doctor says\n%s, want\n%s", when, out, want)
		}
		for log, nothing := range map[string]string{"": "web: no log records\n", "a line\n": ""} {
			s.manager.log = log
			code, out, err := s.call("logs")
			if want := nothing + "web: " + said + "; the full text is in " + file + "\n"; code != 0 || err != want || !strings.HasPrefix(out, log) {
				t.Errorf("%s the next start, logs say\n%s, want\n%s", when, err, want)
			}
		}
		if _, out, err := s.call("logs -f"); err != "" {
			t.Errorf("%s the next start, logs -f say\n%s\n%s", when, out, err)
		}
		end(t, s.manager.state, "stop")
	}
}

func TestDoctor_RunningOrKilledIsNotACrash(t *testing.T) {
	s := newShell(t)
	s.manager.state, s.manager.log = folder(t), "a line\n"
	s.call("install")
	for _, how := range []string{"", "stop", "kill"} {
		if how != "" {
			end(t, s.manager.state, how)
		}
		_, out, _ := s.call("doctor")
		if _, _, err := s.call("logs"); strings.Contains(out, " crash: ") || err != "" {
			t.Errorf("%q: %s\n%s", how, out, err)
		}
	}
}

func TestDoctor_CrashIsReportedOnce(t *testing.T) {
	s := newShell(t)
	s.manager.state = folder(t)
	s.call("install")
	s.manager.log = "panic: boom\nfatal error: boom\nbind: permission denied\n"
	if _, out, _ := s.call("doctor"); !strings.Contains(out, " log: it may not listen") {
		t.Errorf("doctor says\n%s", out)
	}
	s.manager.log = "fatal error: boom\npanic: boom\n"
	if _, out, _ := s.call("doctor"); !strings.Contains(out, " log: it has crashed: panic: boom") {
		t.Errorf("without a text, doctor says\n%s", out)
	}
	end(t, s.manager.state, "panic")
	if _, out, _ := s.call("doctor"); strings.Contains(out, " log: ") || !strings.Contains(out, " crash: ") {
		t.Errorf("with one, doctor says\n%s", out)
	}
	s.manager.log = "bind: permission denied\npanic: boom\n"
	if _, out, _ := s.call("doctor"); !strings.Contains(out, " log: it may not listen") {
		t.Errorf("with one, and something else, doctor says\n%s", out)
	}
}

func TestDoctor_LogElsewhereIsNotASymptom(t *testing.T) {
	s := newShell(t)
	s.call("install --now")
	s.manager.log = "warn " + logElsewhere + ": dial unixgram /dev/log: no such file or directory\n"
	if _, out, _ := s.call("doctor"); strings.Contains(out, " log: ") {
		t.Errorf("doctor says\n%s", out)
	}
}

func TestDoctor_NotInstalledHasNotCrashed(t *testing.T) {
	s := newShell(t)
	s.manager.state = folder(t)
	end(t, s.manager.state, "panic")
	_, out, _ := s.call("doctor")
	if code, _, err := s.call("logs"); strings.Contains(out, " crash: ") || code != 5 || strings.Contains(err, "crashed") {
		t.Errorf("%s\n%s", out, err)
	}
}

func TestDoctor_CrashIsAWarningForAWeekAndUntilTheExecutableIsReplaced(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	state, executable := folder(t), filepath.Join(t.TempDir(), "web")
	end(t, state, "panic")
	file := text(t, state)
	if err := os.WriteFile(executable, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	h := &Handle{manager: &register{state: state}, spec: manage.Spec{Config: service.Config{Executable: executable}, Name: "web"}}
	for _, test := range []struct {
		ago, built time.Duration
		level      manage.Level
		says       string
	}{
		{time.Hour, 2 * time.Hour, manage.Warning, "panic: boom"},
		{news, news + time.Hour, manage.Warning, "panic: boom"},
		{news + time.Second, news + time.Hour, manage.Note, "panic: boom"},
		{time.Hour, time.Minute, manage.Note, "panic: boom; the executable is newer"},
		{time.Hour, time.Hour - 900*time.Millisecond, manage.Warning, "panic: boom"}, // in the same second
		{-time.Hour, 2 * time.Hour, manage.Warning, "panic: boom"},                   // the clock was wrong
	} {
		t.Run(fmt.Sprintf("crashed %s ago, built %s ago", test.ago, test.built), func(t *testing.T) {
			crashed, built := now.Add(-test.ago), now.Add(-test.built)
			if err := errors.Join(os.Chtimes(file, crashed, crashed), os.Chtimes(executable, built, built)); err != nil {
				t.Fatal(err)
			}
			var all []string
			h.diagnoseCrashes(h.spec.Executable, now, func(level manage.Level, what, detail, _ string) {
				all = append(all, detail)
				if level != test.level || what != "crash" || !strings.HasSuffix(detail, ": "+test.says) {
					t.Errorf("%+v: level %d, %s: %s", test, level, what, detail)
				}
			})
			if len(all) != 1 {
				t.Errorf("%+v: %q", test, all)
			}
		})
	}
}

func TestCrashSummary_CountsCrashes(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.Local)
	last := crash.Report{Ended: at, Text: "panic: boom\n"}
	for n, want := range map[int]string{
		1:          "it crashed once, at 2026-05-06 07:08:09: panic: boom",
		2:          "it crashed 2 times, the last time at 2026-05-06 07:08:09: panic: boom",
		crash.Keep: fmt.Sprintf("it crashed at least %d times, the last time at 2026-05-06 07:08:09: panic: boom", crash.Keep),
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			all := make([]crash.Report, n)
			all[0] = last
			if got := crashSummary(all); got != want {
				t.Errorf("%d: %s", n, got)
			}
		})
	}
}

func TestDoctor_UntrustedCrashFolderIsAWarning(t *testing.T) {
	s := newShell(t)
	s.manager.state, s.manager.log = folder(t), "a line\n"
	s.call("install")
	file := filepath.Join(s.manager.state, crashes)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ := s.call("doctor")
	if !strings.Contains(out, "warning  crash: the crashes of earlier runs: "+file+" is a link or a file") {
		t.Errorf("doctor says\n%s", out)
	}
	if _, _, err := s.call("logs"); err != "" {
		t.Errorf("logs say\n%s", err)
	}
}

// oldSystemd is a register with the folders of users that systemd had before 254.
type oldSystemd struct{ *register }

func (o oldSystemd) Folders(manage.Spec) dirs.Dirs {
	return dirs.Dirs{State: filepath.Join(o.state, "none"), Configuration: o.state}
}

func TestCrashed_FindsUserCrashesOfOldSystemd(t *testing.T) {
	r := &register{state: folder(t)}
	end(t, r.state, "panic")
	for _, user := range []bool{true, false} {
		h := &Handle{manager: oldSystemd{r}, spec: manage.Spec{Config: service.Config{User: user}, Name: "web"}}
		if all, err := h.crashed(); err != nil || len(all) != map[bool]int{true: 1}[user] {
			t.Errorf("of a user: %t: %+v, %v", user, all, err)
		}
	}
}

func TestCrashed_IsEmptyIfTheManagerHasNoFolders(t *testing.T) {
	state := folder(t)
	end(t, state, "panic")
	t.Chdir(state)
	h := &Handle{manager: &register{}, spec: manage.Spec{Config: service.Config{User: true}, Name: "web"}}
	if all, err := h.crashed(); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
}
