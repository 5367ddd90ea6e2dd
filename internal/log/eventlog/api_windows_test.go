package eventlog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/windows"
)

func TestRefused_OnlyErrorsOfTheRecord(t *testing.T) {
	for err, want := range map[error]bool{
		windows.ERROR_INVALID_PARAMETER: true, windows.RPC_S_INVALID_BOUND: true,
		windows.RPC_S_SERVER_UNAVAILABLE: false, windows.RPC_S_CALL_FAILED: false, windows.ERROR_INVALID_HANDLE: false,
		windows.ERROR_EVENTLOG_CANT_START: false, windows.ERROR_LOG_FILE_FULL: false,
	} {
		if got := refused(fmt.Errorf("report: %w", err)); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}

func TestNew_AcceptsAnUnregisteredSource(t *testing.T) {
	c, err := New(Options{Source: "no such source"}, zap.DebugLevel)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, zap.InfoLevel, "m", zap.String("k", strings.Repeat("x", 50_000)))
	write(t, c, zap.InfoLevel, "m", zap.Int("k", 1))
	if err := errors.Join(c.Sync(), c.Close(t.Context())); err != nil || c.Lost() != 0 {
		t.Errorf("%v, %d lost", err, c.Lost())
	}
}

func TestNew_RefusesASourceWithAZero(t *testing.T) {
	if c, err := New(Options{Source: "a\x00b"}, zap.DebugLevel); c != nil || err == nil || !strings.Contains(err.Error(), `"a\x00b"`) {
		t.Errorf("got %v, %v", c, err)
	}
}
