package daemontest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/win32"
)

func TestStatus_NamesFollowMicrosoft(t *testing.T) {
	for _, test := range []struct {
		what fmt.Stringer
		want string
	}{
		{ContinuePending, "CONTINUE_PENDING"},
		{State(9), "state 9"},
		{ControlParamChange, "PARAMCHANGE"},
		{Control(win32.ControlPreshutdown), "PRESHUTDOWN"},
		{Control(200), "control 0xc8"},
		{Accepted(0), "nothing"},
		{AcceptStop | AcceptUserModeReboot | 0x4000, "STOP|USERMODEREBOOT|0x4000"},
		{
			Report{1500 * time.Millisecond, Status{State: StopPending, CheckPoint: 2, WaitHint: 3 * time.Second}},
			"     1.5s  STOP_PENDING, accepts nothing, checkpoint 2, wait hint 3s",
		},
		{
			Status{State: Stopped, Win32ExitCode: ErrorServiceSpecific, ServiceSpecificExitCode: 78},
			"STOPPED, accepts nothing, exit code 1066/78",
		},
	} {
		if got := test.what.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestErrno_UnknownErrorSaysItsNumber(t *testing.T) {
	err := fmt.Errorf("pause: %w", ErrorServiceCannotAcceptCtrl)
	if !errors.Is(err, ErrorServiceCannotAcceptCtrl) || err.Error() != "pause: the service cannot accept control messages at this time (error 1061)" {
		t.Errorf("got %v", err)
	}
	if got := Errno(9999).Error(); !strings.HasSuffix(got, "(error 9999)") {
		t.Errorf("got %q", got)
	}
}

func TestControl_ServiceNeverStartedIsNotActive(t *testing.T) {
	s := &SCM{}
	if err := s.Control(ControlStop); !errors.Is(err, ErrorServiceNotActive) || len(s.History()) > 0 || s.Query() != (Status{}) {
		t.Errorf("got %v, %v, %v", err, s.History(), s.Query())
	}
	defer func() {
		if recover() == nil {
			t.Error("it can be awaited")
		}
	}()
	s.Await(Running)
}
