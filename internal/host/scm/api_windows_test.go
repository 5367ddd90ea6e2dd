package scm

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/win32"
)

func TestDecode_CopiesTheDataOfEvents(t *testing.T) {
	session := windows.WTSSESSION_NOTIFICATION{Size: 8, SessionID: 3}
	c := decode(win32.ControlSessionChange, windows.WTS_SESSION_LOCK, unsafe.Pointer(&session))
	session.SessionID = 0
	if c.Code != win32.ControlSessionChange || c.Type != 7 || c.Session != 3 {
		t.Errorf("a session change is %+v", c)
	}

	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ticks := func(at time.Time) int64 {
		ft := windows.NsecToFiletime(at.UnixNano())
		return int64(ft.HighDateTime)<<32 | int64(ft.LowDateTime)
	}
	times := [2]int64{ticks(noon), ticks(noon.Add(-time.Hour))}
	c = decode(win32.ControlTimeChange, 0, unsafe.Pointer(&times))
	if !c.New.Equal(noon) || !c.Old.Equal(noon.Add(-time.Hour)) {
		t.Errorf("a time change is %+v", c)
	}

	for _, code := range []win32.Control{win32.ControlSessionChange, win32.ControlTimeChange, win32.ControlPowerEvent, win32.ControlStop, 200} {
		if c := decode(code, 5, nil); c != (Control{Code: code, Type: 5}) {
			t.Errorf("without data, control %d is %+v", code, c)
		}
	}
}

func TestShutdownTimeout_FromTheRegistry(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"20000": 20 * time.Second, " 5000 ": 5 * time.Second, "": 5 * time.Second, "x": 5 * time.Second, "0": 5 * time.Second, "-1": 5 * time.Second,
	} {
		if got := milliseconds(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if got := (&windowsAPI{}).ShutdownTimeout(); got <= 0 {
		t.Errorf("there is %s", got)
	}
}

func TestPreshutdownTimeout_DefaultIfUnknown(t *testing.T) {
	if got := (&windowsAPI{name: "no such service"}).PreshutdownTimeout(); got != 10*time.Second {
		t.Errorf("it has %s", got)
	}
}

func TestDetect_ProcessThatIsNoService(t *testing.T) {
	if startedByManager() {
		t.Error("its parent is services.exe")
	}
	if h, err := Detect(false); h != nil || err != nil {
		t.Errorf("got %v, %v", h, err)
	}
	if h, err := Detect(true); h != nil || !errors.Is(err, ErrNotService) {
		t.Errorf("forced: got %v, %v", h, err)
	}
}

func TestExitCode_ErrorsOfWindows(t *testing.T) {
	for _, test := range []struct {
		err      error
		code     int
		want     win32.Errno
		specific uint32
	}{
		{nil, 0, win32.NoError, 0},
		{fmt.Errorf("open: %w", syscall.ERROR_FILE_NOT_FOUND), 1, 2, 0},
		{fmt.Errorf("listen: %w", windows.WSAEADDRINUSE), 1, 10048, 0},
		{fmt.Errorf("config: %w", syscall.ERROR_FILE_NOT_FOUND), 78, win32.ErrorServiceSpecific, 78},
		{syscall.EADDRNOTAVAIL, 1, win32.ErrorServiceSpecific, 1}, // a number that Go invented
		{syscall.Errno(0), 1, win32.ErrorServiceSpecific, 1},
		{errors.New("boom"), 1, win32.ErrorServiceSpecific, 1},
		{errors.New("late"), 124, win32.ErrorServiceSpecific, 124},
	} {
		t.Run(fmt.Sprintf("%v with %d", test.err, test.code), func(t *testing.T) {
			if got, specific := exitCode(host.Status{Err: test.err, Code: test.code}); got != test.want || specific != test.specific {
				t.Errorf("%v with %d: got %d/%d, want %d/%d", test.err, test.code, got, specific, test.want, test.specific)
			}
		})
	}
}
