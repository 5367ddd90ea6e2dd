//go:build unix

package script

import (
	"testing"
	"testing/synctest"

	"github.com/go-glidepath/glidepath/internal/service/system/command"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// failTwice makes the first two calls of tool for which match returns true fail with what the
// tool says while another command is at work.
func failTwice(m *initfake.Machine, tool, said string, match func(args []string) bool) (calls *int) {
	run, calls := m.Tools[tool], new(int)
	m.Tools[tool] = func(args []string) (string, error) {
		if match(args) {
			if *calls++; *calls <= 2 {
				return "", &command.Error{Line: tool, Code: 1, Stderr: said}
			}
		}
		return run(args)
	}
	return calls
}

func TestOpenRC_StopWaitsWhileTheServiceIsLocked(t *testing.T) {
	m := initfake.New(t)
	manager := newOpenRCDouble(m)
	managertest.Install(t, manager, initfake.Web())
	if err := manager.Start(t.Context(), initfake.Web()); err != nil {
		t.Fatal(err)
	}
	calls := failTwice(m, "rc-service", "* Call to flock failed: Resource temporarily unavailable\n* ERROR: web stopped by something else\n", func(args []string) bool { return args[1] == "stop" })
	synctest.Test(t, func(t *testing.T) {
		if err := manager.Stop(t.Context(), initfake.Web()); err != nil || *calls != 3 {
			t.Errorf("got %v after %d calls, want 3", err, *calls)
		}
	})
}

func TestSysV_InstallRepeatsWhatAnotherInstallDisturbed(t *testing.T) {
	m := initfake.New(t)
	manager := newSysVDouble(m, "update-rc.d")
	calls := failTwice(m, "update-rc.d", "insserv: Can not stat K05umountroot: No such file or directory\n", func(args []string) bool { return args[0] == "web" })
	synctest.Test(t, func(t *testing.T) { managertest.Install(t, manager, initfake.Web()) })
	if *calls != 3 {
		t.Errorf("update-rc.d was called %d times, want 3", *calls)
	}
	if m.Read("/etc/init.d/web") == "" {
		t.Error("there is no script")
	}
}
