package winsvc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// controlled calls run in a bubble of synthetic time, on a machine with an installed service.
func controlled(t *testing.T, run func(t *testing.T, m *Manager, f *fake, s *fakeService)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, f := newManager(t)
		install(t, m, web(), false)
		run(t, m, f, f.services["web"])
	})
}

func state(t *testing.T, m *Manager, want service.State) service.Status {
	t.Helper()
	got, err := m.Status(t.Context(), web())
	if err != nil || got.State != want {
		t.Errorf("the status is %+v, %v; want %s", got, err, want)
	}
	return got
}

func TestManager_VerbsWaitForTheirState(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		s.takes = 5 * time.Second
		var heard []string
		m.machine.Progress = func(what string) { heard = append(heard, what) }
		if got := state(t, m, service.Stopped); got.ExitCode != -1 || got.StartType != service.Automatic || got.PID != 0 {
			t.Errorf("before the first start: %+v", got)
		}
		for _, step := range []struct {
			verb func(context.Context, manage.Spec) error
			want service.State
			took time.Duration
		}{
			{m.Stop, service.Stopped, 0},
			{m.Start, service.Running, 5 * time.Second},
			{m.Start, service.Running, 0},
			{m.Reload, service.Running, 0},
			{m.Continue, service.Running, 0},
			{m.Pause, service.Paused, 5 * time.Second},
			{m.Pause, service.Paused, 0},
			{m.Continue, service.Running, 5 * time.Second},
			{m.Restart, service.Running, 10 * time.Second},
			{m.Pause, service.Paused, 5 * time.Second},
			{m.Stop, service.Stopped, 5 * time.Second},
			{m.Stop, service.Stopped, 0},
			{m.Restart, service.Running, 5 * time.Second},
		} {
			begun := time.Now()
			if err := step.verb(t.Context(), web()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took < step.took || took > step.took+time.Second {
				t.Errorf("%s after %s, want %s", step.want, took, step.took)
			}
			state(t, m, step.want)
		}
		if !slices.Contains(heard, "web is starting") || !slices.Contains(heard, "web is stopping (checkpoint 4)") {
			t.Errorf("progress: %q", heard)
		}
	})
}

func TestStatus_AllStates(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		for _, test := range []struct {
			status status
			want   service.State
			code   int
			detail string
		}{
			{status{State: win32.Stopped}, service.Stopped, 0, ""},
			{status{State: win32.Stopped, ExitCode: win32.ErrorServiceNeverStarted}, service.Stopped, -1, "1077"},
			{status{State: win32.Stopped, ExitCode: 1067}, service.Failed, 1067, "the process ended unexpectedly (error 1067)"},
			{status{State: win32.Stopped, ExitCode: win32.ErrorServiceSpecific, SpecificCode: 78}, service.Failed, 78, "its configuration is wrong"},
			{status{State: win32.Stopped, ExitCode: win32.ErrorServiceSpecific, SpecificCode: 5000}, service.Failed, 5000, "code 1066/5000"},
			{status{State: win32.StartPending, CheckPoint: 3, WaitHint: time.Second, PID: 4711}, service.Starting, -1, "checkpoint 3, wait hint 1s"},
			{status{State: win32.StopPending, PID: 4711}, service.Stopping, -1, "checkpoint 0"},
			{status{State: win32.Running, PID: 4711}, service.Running, -1, ""},
			{status{State: win32.ContinuePending, PID: 4711}, service.Continuing, -1, "checkpoint"},
			{status{State: win32.PausePending, PID: 4711}, service.Pausing, -1, "checkpoint"},
			{status{State: win32.Paused, PID: 4711}, service.Paused, -1, ""},
			{status{State: 9}, service.Unknown, -1, "state 9"},
		} {
			s.hangs = true
			for _, user := range []bool{false, true} { // no special rights are needed
				f.user = user
				s.status = test.status
				got := state(t, m, test.want)
				if got.PID != int(test.status.PID) || got.ExitCode != test.code || !strings.Contains(got.Detail, test.detail) {
					t.Errorf("%+v is %+v", test.status, got)
				}
				if since := got.Since; since.IsZero() != (test.status.PID == 0 || user) {
					t.Errorf("%+v is so since %s", test.status, since)
				}
			}
		}
		s.status = status{State: win32.Stopped}
		for start, set := range map[service.StartType]func(){
			service.Automatic: func() { s.config.Start = startAutomatic },
			service.Delayed:   func() { s.config.Start, s.infos[levelDelayed] = startAutomatic, info{Flag: true} },
			service.Manual:    func() { s.config.Start = startDemand },
			service.Disabled:  func() { s.config.Start = startDisabled },
		} {
			s.infos[levelDelayed] = info{}
			set()
			if got := state(t, m, service.Stopped); got.StartType != start {
				t.Errorf("the start type is %q, want %q", got.StartType, start)
			}
		}
		other := web()
		other.Name = "other"
		if got, err := m.Status(t.Context(), other); err != nil || got.State != service.NotInstalled {
			t.Errorf("of none: %+v, %v", got, err)
		}
	})
}

func TestStart_FinishedJobIsNoError(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		s.takes, s.starts = time.Second, status{State: win32.Stopped}
		if err := m.Start(t.Context(), web()); err != nil {
			t.Error(err)
		}
		if got := state(t, m, service.Stopped); got.ExitCode != 0 {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestStart_FailureSaysWhy(t *testing.T) {
	for _, test := range []struct {
		name  string
		setUp func(f *fake, s *fakeService)
		want  string
	}{
		{"an exit code of the program's", func(_ *fake, s *fakeService) {
			s.starts = status{State: win32.Stopped, ExitCode: win32.ErrorServiceSpecific, SpecificCode: 78}
		}, "its configuration is wrong"},
		{"an exit code of Windows", func(_ *fake, s *fakeService) {
			s.starts = status{State: win32.Stopped, ExitCode: 10048}
		}, "error 10048"},
		{"it never connected", func(_ *fake, s *fakeService) {
			s.starts = status{State: win32.Stopped, ExitCode: win32.ErrorServiceRequestTimeout}
		}, "within 30 s (error 1053)"},
		{"it pauses by itself", func(_ *fake, s *fakeService) { s.starts = status{State: win32.Paused} }, "paused itself"},
		{"it is paused", func(_ *fake, s *fakeService) { s.status = status{State: win32.Paused} }, "continue it instead"},
		{"it is disabled", func(_ *fake, s *fakeService) { s.config.Start = startDisabled }, "another start type"},
		{"its account", func(_ *fake, s *fakeService) { s.logOn = true }, "no right to log on as a service, or its password is wrong"},
		{"no executable", func(f *fake, _ *fakeService) { delete(f.folders, `C:\Program Files\web\web.exe`) }, "file not found"},
		{"a dependency that is none", func(f *fake, _ *fakeService) { delete(f.services, "afd") }, "does not exist, or is marked for deletion (error 1075)"},
		{"a dependency that does not start", func(f *fake, _ *fakeService) {
			f.services["afd"].status, f.services["afd"].config.Start = status{State: win32.Stopped}, startDisabled
		}, "did not start (error 1068)"},
		{"it is being deleted", func(_ *fake, s *fakeService) { s.deleted = true; s.held = 5 }, "close services.msc"},
		{"its account may not", func(f *fake, _ *fakeService) { f.failing, f.with = len(f.calls)+4, win32.ErrorAccessDenied }, "its account is not allowed to run the executable"},
		{"it hangs", func(_ *fake, s *fakeService) { s.hangs = true }, "has made no progress for 1m30s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
				s.takes = time.Second
				test.setUp(f, s)
				if err := m.Start(t.Context(), web()); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestStart_WaitsForTheStartOfAnotherService(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		f.locked = 3
		if err := m.Start(t.Context(), web()); err != nil {
			t.Error(err)
		}
		state(t, m, service.Running)
	})
}

func TestManager_SendsNothingIfTheStateIsReached(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		f.calls = nil
		if err := m.Stop(t.Context(), web()); err != nil {
			t.Error(err)
		}
		s.status = s.running(win32.Running)
		if err := errors.Join(m.Start(t.Context(), web()), m.Continue(t.Context(), web())); err != nil {
			t.Error(err)
		}
		for _, c := range f.calls {
			if strings.HasPrefix(c, "StartService") || strings.HasPrefix(c, "ControlService") {
				t.Errorf("it calls %s", c)
			}
		}
	})
}

func TestStop_WaitsForAStart(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		s.takes = 3 * time.Second
		s.turn(win32.StartPending, s.running(win32.Running))
		begun := time.Now()
		if err := m.Stop(t.Context(), web()); err != nil || time.Since(begun) < 6*time.Second {
			t.Errorf("got %v after %s", err, time.Since(begun))
		}
		state(t, m, service.Stopped)
	})
}

func TestStop_IsRepeatedIfRefused(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		s.status = s.running(win32.Running)
		s.refuses, s.refusing = win32.ErrorServiceCannotAcceptCtrl, 2
		if err := m.Stop(t.Context(), web()); err != nil {
			t.Error(err)
		}
		state(t, m, service.Stopped)
	})
}

func TestStop_FailureSaysWhy(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		s.status = s.running(win32.Running)
		user := f.add("user", config{Dependencies: []string{"WEB"}, DisplayName: "user"})
		user.status = user.running(win32.Running)
		if err := m.Stop(t.Context(), web()); err == nil || !strings.Contains(err.Error(), "stop user first") {
			t.Errorf("got %v", err)
		}
		if _, err := m.Remove(t.Context(), web(), false); err == nil || !strings.Contains(err.Error(), "stop user first") {
			t.Errorf("got %v", err)
		}
		if s.deleted {
			t.Error("it is deleted")
		}
		user.status = status{State: win32.Stopped}
		s.status.Accepted = 0
		if err := m.Stop(t.Context(), web()); err == nil || !strings.Contains(err.Error(), "end process 4711") {
			t.Errorf("got %v", err)
		}
		s.status.Accepted, s.refuses = win32.AcceptStop, win32.ErrorServiceCannotAcceptCtrl
		begun := time.Now()
		if err := m.Stop(t.Context(), web()); win32.Number(err) != win32.ErrorServiceCannotAcceptCtrl || time.Since(begun) > 2*patience {
			t.Errorf("got %v after %s", err, time.Since(begun))
		}
		s.refuses = win32.ErrorServiceRequestTimeout
		if err := m.Stop(t.Context(), web()); win32.Number(err) != win32.ErrorServiceRequestTimeout {
			t.Errorf("got %v", err)
		}
	})
}

func TestControl_FailureSaysWhy(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		verbs := map[string]func(context.Context, manage.Spec) error{"reload": m.Reload, "pause": m.Pause, "continue": m.Continue}
		for name, verb := range verbs {
			if err := verb(t.Context(), web()); !errors.Is(err, service.ErrNotRunning) {
				t.Errorf("%s, stopped: %v", name, err)
			}
		}
		s.accepts = win32.AcceptStop
		s.status = s.running(win32.Running)
		for _, name := range []string{"reload", "pause"} {
			if err := verbs[name](t.Context(), web()); !errors.Is(err, service.ErrNotSupported) {
				t.Errorf("%s, of a program that cannot: %v", name, err)
			}
		}
		s.accepts = win32.AcceptStop | win32.AcceptParamChange | win32.AcceptPauseContinue
		s.status = s.running(win32.Running)
		s.refuses, s.refusing = win32.ErrorCallNotImplemented, 1
		if err := m.Reload(t.Context(), web()); !errors.Is(err, service.ErrNotSupported) {
			t.Errorf("a reload that the program does not know: %v", err)
		}
		s.pauses = win32.Running
		if err := m.Pause(t.Context(), web()); err == nil || !strings.Contains(err.Error(), "running again") {
			t.Errorf("a pause that fails: %v", err)
		}
		s.pauses = win32.Stopped
		if err := m.Pause(t.Context(), web()); err == nil || !strings.Contains(err.Error(), "it stopped: ") {
			t.Errorf("a pause that ends it: %v", err)
		}
		s.pauses = 0
		s.status = s.running(win32.Running)
		if err := errors.Join(m.Pause(t.Context(), web())); err != nil {
			t.Fatal(err)
		}
		if err := m.Reload(t.Context(), web()); err == nil || !strings.Contains(err.Error(), "continue it first") {
			t.Errorf("a reload while paused: %v", err)
		}
	})
}

func TestManager_WaitEndsWithTheContext(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, _ *fake, s *fakeService) {
		s.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := m.Start(ctx, web()); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "which is starting") {
			t.Errorf("got %v", err)
		}
		if _, err := m.Remove(ctx, web(), false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestManager_VerbsFailIfNotInstalled(t *testing.T) {
	m, _ := newManager(t)
	_, removed := m.Remove(t.Context(), web(), true)
	for name, err := range map[string]error{
		"start": m.Start(t.Context(), web()), "stop": m.Stop(t.Context(), web()), "restart": m.Restart(t.Context(), web()),
		"reload": m.Reload(t.Context(), web()), "pause": m.Pause(t.Context(), web()), "continue": m.Continue(t.Context(), web()), "remove": removed,
	} {
		if !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManager_VerbsAskOnlyForRightsTheyNeed(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		for _, test := range []struct {
			name string
			verb func(context.Context, manage.Spec) error
			want string
		}{
			{"status", func(ctx context.Context, s manage.Spec) error { _, err := m.Status(ctx, s); return err }, "0x5"},
			{"start", m.Start, "0x14"},
			{"reload", m.Reload, "0x44"},
			{"pause", m.Pause, "0x44"},
			{"continue", m.Continue, "0x44"},
			{"stop", m.Stop, "0x2c"},
			{"restart", m.Restart, "0x3c"},
			{"remove", func(ctx context.Context, s manage.Spec) error { _, err := m.Remove(ctx, s, false); return err }, "0x1002d"},
		} {
			f.calls = nil
			if err := test.verb(t.Context(), web()); err != nil {
				t.Fatal(err)
			}
			if f.calls[0] != "OpenSCManager 0x1" || f.calls[1] != "OpenService web "+test.want {
				t.Errorf("%s asks for %q", test.name, f.calls[:2])
			}
		}
	})
}

func TestStatus_NeedsOnlyTheRightToQueryTheState(t *testing.T) {
	controlled(t, func(t *testing.T, m *Manager, f *fake, s *fakeService) {
		s.security, f.user = "D:(A;;LC;;;IU)(A;;GA;;;BA)", true
		s.status = s.running(win32.Running)
		if got := state(t, m, service.Running); got.PID != 4711 || got.StartType != "" {
			t.Errorf("the status is %+v", got)
		}
		s.security = "D:(A;;GA;;;BA)"
		if _, err := m.Status(t.Context(), web()); !errors.Is(err, service.ErrPermission) {
			t.Errorf("got %v", err)
		}
	})
}
