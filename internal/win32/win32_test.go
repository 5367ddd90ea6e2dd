package win32

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestString_NamesFollowMicrosoft(t *testing.T) {
	for _, test := range []struct {
		value fmt.Stringer
		want  string
	}{
		{Stopped, "STOPPED"},
		{Paused, "PAUSED"},
		{State(0), "state 0"},
		{State(8), "state 8"},
		{ControlShutdown, "SHUTDOWN"},
		{ControlTimeChange, "TIMECHANGE"},
		{Control(200), "control 0xc8"},
		{Accepted(0), "nothing"},
		{AcceptTimeChange | AcceptStop | 0x1000, "STOP|TIMECHANGE|0x1000"},
	} {
		if got := test.value.String(); got != test.want {
			t.Errorf("%#v: got %q, want %q", test.value, got, test.want)
		}
	}
}

func TestState_PendingStates(t *testing.T) {
	for s := range State(10) {
		want := s == StartPending || s == StopPending || s == ContinuePending || s == PausePending
		if s.Pending() != want || s.Valid() != (s >= Stopped && s <= Paused) {
			t.Errorf("%s: pending %t, valid %t", s, s.Pending(), s.Valid())
		}
	}
}

func TestControl_IsUserDefinedFrom128To255(t *testing.T) {
	for c, want := range map[Control]bool{ControlStop: false, 127: false, 128: true, 255: true, 256: false} {
		if c.UserDefined() != want {
			t.Errorf("%s: %t, want %t", c, !want, want)
		}
	}
}

func TestAccept_OnlyInterrogateAndUserDefinedControlsAlwaysArrive(t *testing.T) {
	for c := range Control(300) {
		_, known := controls[c]
		if want := known && c != ControlInterrogate; (c.Accept() != 0) != want {
			t.Errorf("%s needs %s", c, c.Accept())
		}
		if c.Ends() && !known {
			t.Errorf("%s ends a service", c)
		}
	}
}

func TestAcceptAll_HasAName(t *testing.T) {
	if got := AcceptAll.String(); strings.Contains(got, "0x") || strings.Count(got, "|") != len(acceptedNames)-1 {
		t.Errorf("got %s", got)
	}
}

func TestErrno_SaysItsMeaningAndItsNumber(t *testing.T) {
	for e, text := range texts {
		if got, want := e.Error(), fmt.Sprintf("%s (error %d)", text, uint32(e)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Errno(9999).Error(); strings.HasPrefix(got, " ") || !strings.HasSuffix(got, " (error 9999)") {
		t.Errorf("an unknown error: %q", got)
	}
}

func TestNumber_FindsTheErrnoThatIsWrapped(t *testing.T) {
	for err, want := range map[error]Errno{
		nil: NoError, io.EOF: NoError, ErrorAccessDenied: ErrorAccessDenied,
		errors.Join(io.EOF, fmt.Errorf("open: %w", ErrorFileNotFound)): ErrorFileNotFound,
	} {
		if got := Number(err); got != want {
			t.Errorf("%v: got %d, want %d", err, got, want)
		}
	}
}
