package scm

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/zap"

	"github.com/go-glidepath/glidepath/internal/host"
	"github.com/go-glidepath/glidepath/internal/lifecycle"
	"github.com/go-glidepath/glidepath/internal/win32"
)

// confining is a manager that counts the calls of Confine, and may fail them.
type confining struct {
	limits
	calls int
	err   error
}

func (c *confining) Confine() error { c.calls++; return c.err }

func TestOpen_ConfinesUnlessChildrenAreKept(t *testing.T) {
	denied := errors.New("access is denied")
	for _, test := range []struct {
		keep  bool
		err   error
		calls int
		warns []string
	}{
		{false, nil, 1, nil},
		{false, denied, 1, []string{"processes that the service starts will not end with it"}},
		{true, denied, 0, nil},
	} {
		t.Run(fmt.Sprintf("keep %t, error %v", test.keep, test.err), func(t *testing.T) {
			api := &confining{err: test.err}
			h := newHost(api)
			var warned []string
			var asked int
			h.Open(host.Run{
				KeepChildren: test.keep,
				Post:         func(host.Request) { asked++ },
				Warn:         func(msg string, _ ...zap.Field) { warned = append(warned, msg) },
			})
			if api.calls != test.calls || !slices.Equal(warned, test.warns) {
				t.Errorf("%+v: %d calls, warned of %q", test, api.calls, warned)
			}
			h.Tell(host.Status{State: lifecycle.Running})
			if answer := h.control(Control{Code: win32.ControlStop}); answer != win32.NoError || asked != 1 {
				t.Errorf("%+v: a stop is answered with %d", test, answer) // it runs in spite of the failure
			}
		})
	}
}
