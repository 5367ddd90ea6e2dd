package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/crash"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

func TestStatusComplete_StopThatFailed(t *testing.T) {
	for how, want := range map[string]struct{ code, says string }{
		"fail": {"1 (it failed; its log says how)", "stop: a cache could not be written"},
		"hang": {"124 (something still ran at the stop deadline)", "gave up at the stop deadline: Stop and 0 goroutine(s) still running "},
	} {
		t.Run(how, func(t *testing.T) {
			s := newShell(t)
			s.manager.state = folder(t)
			s.call("install")
			s.manager.status.State = service.Stopped
			end(t, s.manager.state, how)
			e, err := crash.Last(filepath.Join(s.manager.state, crashes), "web")
			if err != nil || e == nil || e.Trigger != string(TriggerCancelled) || e.Version != "v1.2.3" || e.Began.IsZero() || e.Ended.Before(e.Began) {
				t.Fatalf("it has kept %+v, %v", e, err)
			}
			said := "its last run ended at " + e.Ended.Local().Format(time.DateTime) + " with exit code " + want.code + ": " + want.says
			if code, out, _ := s.call("status"); code != 3 || !strings.Contains(out, "web: stopped; "+said) {
				t.Errorf("status: exit code %d\n%s, want\n%s", code, out, said)
			}
			if _, out, _ := s.call("status --json"); !strings.Contains(out, `"state":"stopped"`) || !strings.Contains(out, `,"last_failure":"`+said) {
				t.Errorf("status --json: %s", out)
			}
			if code, out, err := s.call("stop"); code != 0 || out != "web: stopped\n" || !strings.HasPrefix(err, "warning: web: "+said) {
				t.Errorf("stop: exit code %d\n%s\n%s", code, out, err)
			}
			if _, out, _ := s.call("doctor"); !strings.Contains(out, "warning  last run: "+said) {
				t.Errorf("doctor: %s", out)
			}
			if code, out, err := s.call("start"); code != 0 || strings.Contains(out+err, "last run") {
				t.Errorf("start: exit code %d\n%s\n%s", code, out, err)
			}
		})
	}
}

// Windows is told 0 after a stop that it asked for. A user who may not read how the run ended
// must not be told that all went well.
func TestStatusComplete_UnknownExitCodeIsNotShown(t *testing.T) {
	for _, test := range []struct {
		manager string
		code    int
		err     error
		want    int
	}{
		{"Windows", 0, fs.ErrPermission, -1},
		{"Windows", 78, fs.ErrPermission, 78},
		{"Windows", 0, nil, 0}, // it never ran, or crashed
		{"systemd", 0, fs.ErrPermission, 0},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			s := service.Status{State: service.Stopped, ExitCode: test.code}
			if completeFrom(&s, test.manager, nil, test.err); s.ExitCode != test.want {
				t.Errorf("%+v: the exit code is %d", test, s.ExitCode)
			}
		})
	}
}

func TestStatusComplete_FinishedJobIsASuccess(t *testing.T) {
	ended := fmt.Errorf("web does not run: %w", manage.ErrEnded)
	var tr transcript
	for _, test := range []struct {
		name string
		how  string // how it ends
		err  error  // the error of the manager
		now  service.Status
	}{
		{"a manager that knows", "stop", nil, service.Status{State: service.Stopped, Since: time.Now()}},
		{"a manager that may not look", "", nil, service.Status{State: service.Stopped, Since: time.Now()}},
		{"a manager that knows that it has ended", "stop", ended, service.Status{State: service.Failed, ExitCode: -1, Silent: true, Detail: "has ended by itself"}},
		{"a manager that starts it again", "stop", ended, service.Status{State: service.Starting, ExitCode: -1}},
		{"a job that fails", "fail", ended, service.Status{State: service.Failed, ExitCode: -1, Silent: true, Detail: "has ended by itself"}},
		{"a job that crashes", "panic", ended, service.Status{State: service.Failed, ExitCode: -1, Silent: true, Detail: "has ended by itself"}},
		{"a manager that knows how it has ended, but not when", "", nil, service.Status{State: service.Stopped}},
	} {
		s := newShell(t)
		s.manager.state = folder(t)
		tr.WriteString("# " + test.name + "\n\n")
		s.manager.installed = &manage.Spec{}
		s.manager.slow = func() {
			if test.how != "" {
				end(t, s.manager.state, test.how)
			}
			if !test.now.Since.IsZero() {
				test.now.Since = time.Now()
			}
		}
		s.manager.starts = &test.now
		s.manager.err = test.err
		for _, line := range []string{"start", "status", "status --json", "restart"} {
			tr.call(s, line)
		}
	}
	tr.golden(t, "finished")
}

func TestLastWords_OnlyOfAFailureUnknownToTheManager(t *testing.T) {
	for name, test := range map[string]struct {
		hows  []string
		state service.State
	}{
		"never ran":                  {nil, service.Stopped},
		"stopped as asked":           {[]string{"stop"}, service.Stopped},
		"stopped as asked, at last":  {[]string{"fail", "stop"}, service.Stopped},
		"crashed after that":         {[]string{"fail", "panic"}, service.Stopped},
		"killed after that":          {[]string{"fail", "kill"}, service.Stopped},
		"the manager knows":          {[]string{"fail"}, service.Failed},
		"runs again, with no folder": {[]string{"fail"}, service.Running},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			s.manager.state = folder(t)
			s.call("install")
			for _, how := range test.hows {
				end(t, s.manager.state, how)
			}
			s.manager.status.State = test.state
			_, out, _ := s.call("status")
			if _, more, _ := s.call("doctor"); strings.Contains(out+more, "last run") {
				t.Errorf("it says\n%s%s", out, more)
			}
		})
	}
}

func TestFinished_NotWhatEndedBeforeItWasStarted(t *testing.T) {
	h := &Handle{manager: &register{state: folder(t)}, spec: manage.Spec{Name: "web"}}
	begun := time.Now()
	for name, s := range map[string]service.Status{
		"it waits for a connection": {State: service.Stopped, StartType: service.OnSocket, Since: begun},
		"it ended an hour before":   {State: service.Stopped, Since: begun.Add(-time.Hour)},
		"it runs":                   {State: service.Running, Since: begun},
	} {
		if got := h.finishedInWords(s, begun); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestStatus_AFailureThatTheManagerCannotTell(t *testing.T) {
	state := folder(t)
	end(t, state, "refuse")
	for name, test := range map[string]struct{ is, want service.Status }{
		"a manager that knows no exit codes": {service.Status{State: service.Stopped, ExitCode: -1}, service.Status{State: service.Failed, ExitCode: 1}},
		"one that was told that it stopped":  {service.Status{State: service.Stopped}, service.Status{State: service.Stopped, ExitCode: 1}},
	} {
		h := &Handle{manager: &register{state: state}, spec: manage.Spec{Name: "web"}}
		if h.complete(&test.is); test.is.State != test.want.State || test.is.ExitCode != test.want.ExitCode {
			t.Errorf("%s: %+v", name, test.is)
		}
	}
}

func TestDiagnoseLastRun_WarnsForAWeek(t *testing.T) {
	state := folder(t)
	end(t, state, "fail")
	h := &Handle{manager: &register{state: state}, spec: manage.Spec{Name: "web"}}
	s := service.Status{State: service.Stopped}
	h.complete(&s)
	for ago, want := range map[time.Duration]manage.Level{time.Minute: manage.Warning, news + time.Minute: manage.Note} {
		t.Run(ago.String(), func(t *testing.T) {
			told := 0
			h.diagnoseLastRun(s, time.Now().Add(ago), func(level manage.Level, what, detail, _ string) {
				if told++; level != want || what != "last run" || detail != s.LastFailure || detail == "" {
					t.Errorf("after %s: level %d, %s: %s", ago, level, what, detail)
				}
			}, func(name string, _ ...string) string { return name })
			if told != 1 {
				t.Errorf("after %s: told %d times", ago, told)
			}
		})
	}
}

func TestLastWords_WithoutPermission(t *testing.T) {
	denied := fmt.Errorf("read how the last run ended: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission})
	for _, test := range []struct {
		manager string
		err     error
		want    string
	}{
		{"Windows", denied, "only an administrator can see whether its last run failed"},
		{"Windows", errors.New("it is a link"), ""},
		{"systemd", denied, ""}, // systemd itself reports the failure
	} {
		t.Run(fmt.Sprintf("%s, %v", test.manager, test.err), func(t *testing.T) {
			if got := lastWords(test.manager, nil, test.err); got != test.want {
				t.Errorf("%s, %v: %q, want %q", test.manager, test.err, got, test.want)
			}
		})
	}
}
