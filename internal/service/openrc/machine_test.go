//go:build linux

package openrc

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/test/inittest"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var bed = inittest.Bed{Boot: testbed.BootOpenRC}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := inittest.Run(m, &bed)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func TestOnOpenRC(t *testing.T) {
	testbed.Require(t)
	m := New(bed.Service())
	m.m.Safe = func(string, bool) error { return nil } // it would look at the host's folders
	t.Run("a whole life, twice", func(t *testing.T) { bed.Life(t, m) })
	t.Run("a stop that hangs is ended by a kill", func(t *testing.T) { bed.Stubborn(t, m) })
	t.Run("a start that fails is an error", func(t *testing.T) { bed.Failing(t, m) })
	t.Run("two services of one executable", func(t *testing.T) { bed.Twins(t, m) })
	t.Run("rights to low ports, and limits", func(t *testing.T) { bed.Ports(t, m) })
	t.Run("each start type", func(t *testing.T) { bed.Types(t, m) })
	t.Run("what it leaves behind is killed", func(t *testing.T) { bed.Children(t, m) })
	t.Run("it starts with the machine", func(t *testing.T) { bed.AtBoot(t, m, "openrc default") })
	t.Run("a service of kardianos/service is taken over", func(t *testing.T) { bed.Old(t, m) })
	t.Run("what crashes is started again", func(t *testing.T) {
		t.Parallel()
		s := bed.Spec(t, "crashing")
		inittest.Install(t, m, s)
		pid := bed.Crash(t, m, s)
		st := inittest.Until(t, m, s, func(st service.Status) bool { return st.State == service.Running && st.PID != pid })
		if st.Restarts != 1 {
			t.Errorf("it is %+v", st)
		}
		if _, err := m.Remove(t.Context(), s, true); err != nil {
			t.Error(err)
		}
	})
	t.Run("what has no recovery stays down", func(t *testing.T) {
		t.Parallel()
		s := bed.Spec(t, "never")
		s.Recovery = service.Recovery{Never: true}
		inittest.Install(t, m, s)
		bed.Crash(t, m, s)
		inittest.Until(t, m, s, func(st service.Status) bool { return st.State == service.Failed && st.Detail == "has ended by itself" })
		if err := m.Start(t.Context(), s); err != nil {
			t.Error(err)
		}
		st := inittest.Expect(t, m, s, service.Running)
		// start-stop-daemon, which this one is started by, has a PAM session of its own.
		if status, err := os.ReadFile(bed.Machine.Path(fmt.Sprintf("/proc/%d/status", st.PID))); err != nil || !strings.Contains(string(status), "\nUmask:\t0077\n") {
			t.Errorf("%v; its umask is not 0077:\n%s", err, status)
		}
		if err := m.Reload(t.Context(), s); err != nil {
			t.Error(err)
		}
		if err := m.Stop(t.Context(), s); err != nil {
			t.Error(err)
		}
		inittest.Expect(t, m, s, service.Stopped)
		if _, err := m.Remove(t.Context(), s, true); err != nil {
			t.Error(err)
		}
	})
}
