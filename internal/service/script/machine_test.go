//go:build linux

package script_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/script"
	"github.com/go-glidepath/glidepath/internal/test/inittest"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var (
	onOpenRC = inittest.Bed{Boot: testbed.BootOpenRC}
	onSysV   = inittest.Bed{Boot: testbed.BootSysV}
	onRCS    = inittest.Bed{Boot: testbed.BootRCS}
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := inittest.Run(m, &onOpenRC, &onSysV, &onRCS)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func TestOpenRC_OnAMachine(t *testing.T) {
	testbed.Require(t)
	m := script.NewOpenRC(onOpenRC.Service())
	m.Safe = func(string, bool) error { return nil } // it would look at the host's folders
	t.Run("a whole life, twice", func(t *testing.T) { onOpenRC.Life(t, m) })
	t.Run("a stop that hangs is ended by a kill", func(t *testing.T) { onOpenRC.Stubborn(t, m) })
	t.Run("a start that fails is an error", func(t *testing.T) { onOpenRC.Failing(t, m) })
	t.Run("two services of one executable", func(t *testing.T) { onOpenRC.Twins(t, m) })
	t.Run("rights to low ports, and limits", func(t *testing.T) { onOpenRC.Ports(t, m) })
	t.Run("each start type", func(t *testing.T) { onOpenRC.Types(t, m) })
	t.Run("what it leaves behind is killed", func(t *testing.T) { onOpenRC.Children(t, m) })
	t.Run("it starts with the machine", func(t *testing.T) { onOpenRC.AtBoot(t, m, "openrc default") })
	t.Run("a service of kardianos/service is taken over", func(t *testing.T) { onOpenRC.Old(t, m) })
	t.Run("what crashes is started again", func(t *testing.T) {
		t.Parallel()
		s := onOpenRC.Spec(t, "crashing")
		inittest.Install(t, m, s)
		pid := onOpenRC.Crash(t, m, s)
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
		s := onOpenRC.Spec(t, "never")
		s.Recovery = service.Recovery{Never: true}
		inittest.Install(t, m, s)
		onOpenRC.Crash(t, m, s)
		inittest.Until(t, m, s, func(st service.Status) bool { return st.State == service.Failed && st.Detail == "has ended by itself" })
		if err := m.Start(t.Context(), s); err != nil {
			t.Error(err)
		}
		st := inittest.Expect(t, m, s, service.Running)
		// start-stop-daemon, which this one is started by, has a PAM session of its own.
		if status, err := os.ReadFile(onOpenRC.Machine.Path(fmt.Sprintf("/proc/%d/status", st.PID))); err != nil || !strings.Contains(string(status), "\nUmask:\t0077\n") {
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

func TestSysV_OnAMachine(t *testing.T) {
	testbed.Require(t)
	m := script.NewSysV(onSysV.Service())
	m.Safe = func(string, bool) error { return nil } // it would look at the host's folders
	onMachine(t, onSysV, m)
	t.Run("it starts with the machine", func(t *testing.T) { onSysV.AtBoot(t, m, "RUNLEVEL=2 PREVLEVEL=N /etc/init.d/rc 2") })
	t.Run("a service of kardianos/service is taken over", func(t *testing.T) { onSysV.Old(t, m) })
	t.Run("rights to low ports, and limits", func(t *testing.T) { onSysV.Ports(t, m) })
}

func TestRCS_OnAMachine(t *testing.T) {
	testbed.Require(t)
	m := script.NewRCS(onRCS.Service())
	m.Safe = func(string, bool) error { return nil }
	onMachine(t, onRCS, m)
	t.Run("it starts with the machine", func(t *testing.T) { onRCS.AtBoot(t, m, "/etc/init.d/rcS") })
	t.Run("a service of kardianos/service is taken over", func(t *testing.T) { onRCS.Old(t, m) })
}

func onMachine(t *testing.T, bed inittest.Bed, m *script.Manager) {
	t.Run("a whole life, twice", func(t *testing.T) { bed.Life(t, m) })
	t.Run("a stop that hangs is ended by a kill", func(t *testing.T) { bed.Stubborn(t, m) })
	t.Run("a start that fails is an error", func(t *testing.T) { bed.Failing(t, m) })
	t.Run("two services of one executable", func(t *testing.T) { bed.Twins(t, m) })
	t.Run("each start type", func(t *testing.T) { bed.Types(t, m) })
	t.Run("what it leaves behind is killed", func(t *testing.T) { bed.Children(t, m) })
	t.Run("exit codes are those of the LSB", func(t *testing.T) { exitCodes(t, bed, m) })
	t.Run("two starts at once make one process", func(t *testing.T) { atOnce(t, bed, m) })
	t.Run("what crashes stays down", func(t *testing.T) {
		t.Parallel()
		s := bed.Spec(t, "crashing")
		inittest.Install(t, m, s)
		bed.Crash(t, m, s)
		inittest.Until(t, m, s, func(st service.Status) bool { return st.State == service.Failed })
		if err := m.Start(t.Context(), s); err != nil {
			t.Error(err)
		}
		inittest.Expect(t, m, s, service.Running)
		if _, err := m.Remove(t.Context(), s, true); err != nil {
			t.Error(err)
		}
	})
}

func exitCodes(t *testing.T, bed inittest.Bed, m *script.Manager) {
	t.Parallel()
	s := bed.Spec(t, "coded")
	inittest.Install(t, m, s)
	as := func(run func(ctx context.Context, name string, args ...string) (testbed.Output, error), action string, want int) {
		t.Helper()
		out, err := run(t.Context(), "/etc/init.d/coded", action)
		if err != nil || out.Code != want {
			t.Errorf("%s: %+v, %v; want code %d", action, out, err, want)
		}
	}
	root, user := bed.Machine.Run, bed.Machine.RunUser
	as(root, "status", 3)
	as(root, "stop", 0)
	as(root, "try-restart", 0)
	as(root, "status", 3)
	as(root, "reload", 7)
	as(root, "force-reload", 0)
	as(root, "nonsense", 2)
	as(user, "start", 4)
	as(user, "status", 3)
	if out, err := root(t.Context(), "sh", "-c", "umask 077; /etc/init.d/coded start"); err != nil || out.Code != 0 {
		t.Error(out, err)
	}
	if out, err := user(t.Context(), "sh", "-c", "exec 9</run/coded.lock && flock -n 9"); err != nil || out.Code == 0 {
		t.Errorf("anybody can lock it: %+v, %v", out, err)
	}
	as(root, "start", 0)
	as(root, "status", 0)
	as(user, "status", 0)
	as(user, "stop", 4)
	before := inittest.Expect(t, m, s, service.Running)
	as(root, "force-reload", 0)
	if now := inittest.Expect(t, m, s, service.Running); now.PID != before.PID {
		t.Error("a reload has started it anew")
	}
	as(root, "try-restart", 0)
	as(root, "restart", 0)
	after := inittest.Expect(t, m, s, service.Running)
	if before.PID == after.PID {
		t.Error("it was not restarted")
	}
	if out, err := root(t.Context(), "sh", "-c", fmt.Sprintf("kill -KILL %d; sleep 0.2", after.PID)); err != nil || out.Code != 0 {
		t.Error(out, err)
	}
	as(root, "status", 1)
	as(root, "stop", 0)
	as(root, "status", 3)

	s.Executable = "/opt/gone"
	inittest.Install(t, m, s)
	as(root, "start", 5)
	s.Executable, s.StartType = bed.Executable(t, "probe"), service.Disabled
	inittest.Install(t, m, s)
	as(root, "start", 6)
	if _, err := m.Remove(t.Context(), s, true); err != nil {
		t.Error(err)
	}
}

func atOnce(t *testing.T, bed inittest.Bed, m *script.Manager) {
	t.Parallel()
	s := bed.Spec(t, "once", "-notes=/var/lib/once/notes")
	inittest.Install(t, m, s)
	out, err := bed.Machine.Run(t.Context(), "sh", "-c", "for i in 1 2 3 4 5 6; do /etc/init.d/once start & done; wait")
	if err != nil || out.Code != 0 || strings.Count(out.Stdout, "running already") != 5 {
		t.Errorf("they say %+v, %v", out, err)
	}
	inittest.Expect(t, m, s, service.Running)
	testbed.NewNotebook(t, bed.Machine.Path("/var/lib/once/notes")).Says("starting", "started")
	if _, err := m.Remove(t.Context(), s, true); err != nil {
		t.Error(err)
	}
}

func TestScripts_AnOldResultIsNotTakenForThatOfAChangedLibrary(t *testing.T) {
	testbed.LookAtSources(t, "../../../daemon", "../../../internal")
}
