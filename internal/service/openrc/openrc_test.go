//go:build unix

package openrc

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/internal/service"
	"github.com/go-glidepath/glidepath/internal/service/initd"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/ownedtest"
)

var rewrite = flag.Bool("update", false, "write the golden files")

func owner(s service.Spec) initd.Owner {
	switch s.Account {
	case "root":
		return initd.Owner{Name: "root", Group: "root"}
	case "":
		return initd.Owner{Name: "web", Group: "web", UID: 990, GID: 990}
	}
	return initd.Owner{Name: s.Account, Group: "www-data", UID: 33, GID: 33}
}

func TestScriptsAreThoseThatWereLookedAt(t *testing.T) {
	for name, s := range initfake.Specs() {
		initfake.Golden(t, "testdata/"+name, Render(s, owner(s), Version{0, 56}), *rewrite)
	}
	old := initfake.Specs()["low-ports"]
	initfake.Golden(t, "testdata/low-ports-0.44", Render(old, owner(old), Version{0, 44}), *rewrite)
}

func TestWarningsNameTheField(t *testing.T) {
	var b strings.Builder
	s := initfake.Specs()["full"]
	s.Start, s.Watchdog, s.FDStore = service.OnSocket, time.Minute, 3
	s.Recovery = service.Recovery{Delays: []time.Duration{time.Second, time.Minute}, CrashOnly: true}
	for _, v := range []Version{{0, 44}, {0, 56}} {
		fmt.Fprintf(&b, "%v\n%s\n", v, strings.Join(warnings(s, v), "\n"))
	}
	initfake.Golden(t, "testdata/warnings", b.String(), *rewrite)
}

func TestVersions(t *testing.T) {
	for text, want := range map[string]Version{
		"openrc (OpenRC) 0.56\n":                  {0, 56},
		"openrc (OpenRC [SYSTEMD-NSPAWN]) 0.45.2": {0, 45},
		"openrc (OpenRC) 1.0.1":                   {1, 0},
		"":                                        {},
		"openrc":                                  {},
	} {
		if got := parseVersion(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	if (Version{1, 0}).before(0, 45) || !(Version{0, 44}).before(0, 45) || (Version{0, 45}).before(0, 45) {
		t.Error("versions are compared wrongly")
	}
}

// newManager is one for a machine with the tools of OpenRC.
func newManager(m *initfake.Machine) *Manager {
	for _, level := range []string{"boot", "default"} {
		m.Write("/etc/runlevels/"+level+"/.keep", "")
	}
	m.Write("/run/openrc/started/.keep", "")
	m.Tools["openrc"] = func([]string) (string, error) { return "openrc (OpenRC) 0.56\n", nil }
	m.Tools["rc-update"] = func(args []string) (string, error) {
		switch args[0] {
		case "add":
			return "", os.Symlink("/etc/init.d/"+args[1], m.Path("/etc/runlevels/"+args[2]+"/"+args[1]))
		case "del":
			return "", os.Remove(m.Path("/etc/runlevels/" + args[2] + "/" + args[1]))
		}
		return "", nil
	}
	manager := New(m.Service())
	manager.m.Safe = func(string, bool) error { return nil }
	manager.m.Chown = func(string, int, int) error { return nil }
	return manager
}

func TestAServiceIsInstalledAndRemoved(t *testing.T) {
	m := initfake.New(t)
	p := initfake.Whole(t, m, newManager(m))
	if got := strings.Join(p.Calls, "; "); got != "rc-update add web default; rc-update --update" {
		t.Errorf("the plan calls %q", got)
	}
	if got := strings.Join(m.Lines, "\n"); !strings.Contains(got, "useradd --system") || !strings.Contains(got, "\nrc-update add web default\nrc-update --update\n") || !strings.HasSuffix(got, "\nrc-update del web default\nrc-update --update\nuserdel web") {
		t.Errorf("it called\n%s", got)
	}
}

func TestWithoutPurgeDataStay(t *testing.T) {
	m := initfake.New(t)
	initfake.Kept(t, m, newManager(m))
}

func TestAnInstallationThatFailsLeavesNothing(t *testing.T) {
	for name, prepare := range map[string]func(m *initfake.Machine){
		"new": func(*initfake.Machine) {},
		"over another": func(m *initfake.Machine) {
			m.Write("/etc/init.d/web", "#!/bin/sh\n")
			m.Link("/etc/runlevels/boot/web", "/etc/init.d/web")
		},
	} {
		t.Run(name, func(t *testing.T) {
			initfake.Undone(t, func(m *initfake.Machine) service.Manager { return newManager(m) }, prepare)
		})
	}
}

func TestTheNextCommandCleansUpWhatAKilledOneHasLeft(t *testing.T) {
	initfake.Killed(t, func(m *initfake.Machine) service.Manager { return newManager(m) })
}

func TestWhatBelongsToOthersStays(t *testing.T) {
	m := initfake.New(t)
	initfake.Foreign(t, m, newManager(m))
}

func TestWhatCannotBeInstalledIsRefused(t *testing.T) {
	initfake.Refuses(t, newManager(initfake.New(t)))
}

func TestAnUnsafeExecutableNeedsForce(t *testing.T) {
	manager := newManager(initfake.New(t))
	manager.m.Safe = func(string, bool) error { return fmt.Errorf("/opt: %w", service.ErrUnsafe) }
	if _, err := manager.Plan(t.Context(), initfake.Web(), false); !errors.Is(err, service.ErrUnsafe) {
		t.Errorf("got %v", err)
	}
	p, err := manager.Plan(t.Context(), initfake.Web(), true)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "other users") {
		t.Errorf("with force it is %+v, %v", p, err)
	}
}

func TestAServiceOfKardianosIsTakenOver(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	m.Write("/etc/init.d/web", "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"Web\"\ndescription=\"\"\ncommand=/opt/web\nname=$(basename $(readlink -f $command))\nsupervise_daemon_args=\"--stdout /var/log/${name}.log\"\n")
	m.Link("/etc/runlevels/default/web", "/etc/init.d/web")
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil || p.Replaces != "kardianos/service" || !p.Installed {
		t.Fatalf("the plan is %+v, %v", p, err)
	}
	if err := manager.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if !service.Marked(m.Read("/etc/init.d/web")) {
		t.Error("its script is there still")
	}
	if _, err := manager.Remove(t.Context(), initfake.Web(), true); err != nil {
		t.Error(err)
	}
}

func TestAFolderThatTheAccountMayNotEnterIsAWarning(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	if err := os.Chmod(m.Path("/opt"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil || !strings.Contains(strings.Join(p.Warnings, "\n"), "web may not enter /opt,") {
		t.Errorf("the plan is %+v, %v", p, err)
	}
}

// process puts one into /proc.
func process(m *initfake.Machine, pid, parent int, name, cmdline string, state byte) {
	m.Write("/proc/stat", "cpu 1 2\nbtime 1700000000\n")
	m.Write(fmt.Sprintf("/proc/%d/stat", pid), fmt.Sprintf("%d (%s) %c %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 12345 0\n", pid, name, state, parent))
	m.Write(fmt.Sprintf("/proc/%d/cmdline", pid), strings.ReplaceAll(cmdline, " ", "\x00"))
}

func TestStatusIsWhatOpenRCAndTheKernelSay(t *testing.T) {
	began := time.Unix(1700000000, 0).Add(123450 * time.Millisecond)
	for name, test := range map[string]struct {
		prepare func(m *initfake.Machine)
		never   bool
		want    service.Status
	}{
		"stopped":  {func(*initfake.Machine) {}, false, service.Status{State: service.Stopped}},
		"starting": {func(m *initfake.Machine) { m.Write("/run/openrc/starting/web", "") }, false, service.Status{State: service.Starting}},
		"running": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/options/web/start_count", "2")
			process(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			process(m, 11, 10, "a web) (", "web", 'S')
			process(m, 12, 1, "supervise-daemo", "supervise-daemon other --start", 'S')
			process(m, 13, 12, "other", "other", 'S')
		}, false, service.Status{State: service.Running, PID: 11, Since: began, Restarts: 2}},
		"stopping": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/stopping/web", "")
			process(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			process(m, 11, 10, "web", "web", 'S')
		}, false, service.Status{State: service.Stopping, PID: 11, Since: began}},
		"between two processes": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			process(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			process(m, 11, 10, "web", "web", 'Z')
		}, false, service.Status{State: service.Failed, Silent: true, Detail: "has ended, and waits to be started again"}},
		"about to execute the program": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			process(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			process(m, 11, 10, "supervise-daemo", "supervise-daemon web --start", 'S')
			process(m, 12, 11, "unix_chkpwd", "unix_chkpwd web", 'S')
		}, false, service.Status{State: service.Failed, Silent: true, Detail: "has ended, and waits to be started again"}},
		"without its supervisor": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/options/web/child_pid", "11")
			process(m, 11, 1, "web", "web", 'S')
		}, false, service.Status{State: service.Failed, Detail: "unsupervised", PID: 11, Since: began}},
		"given up": {func(m *initfake.Machine) { m.Write("/run/openrc/failed/web", "") }, false, service.Status{State: service.Failed, Detail: "failed"}},
		"crashed, and not started again": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/web.pid", "11\n")
		}, true, service.Status{State: service.Failed, Silent: true, Detail: "has ended by itself"}},
		"running without a supervisor": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/web.pid", "11\n")
			process(m, 11, 1, "web", "web", 'S')
		}, true, service.Status{State: service.Running, PID: 11, Since: began}},
	} {
		t.Run(name, func(t *testing.T) {
			m := initfake.New(t)
			manager := newManager(m)
			s := initfake.Web()
			if test.never {
				s.Recovery = service.Recovery{Never: true}
			}
			p, err := manager.Plan(t.Context(), s, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := manager.Apply(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			test.prepare(m)
			test.want.Start, test.want.ExitCode = service.Automatic, -1
			got, err := manager.Status(t.Context(), s)
			if err != nil || !got.Since.Equal(test.want.Since) {
				t.Errorf("since %v, want %v; %v", got.Since, test.want.Since, err)
			}
			got.Since, test.want.Since = time.Time{}, time.Time{}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestWithoutRightsItSaysWhatToDo(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	m.Tools["rc-service"] = func([]string) (string, error) {
		return "", errors.New("rc-service web start: exit code 1:  * web: superuser access required")
	}
	if err := manager.Start(t.Context(), initfake.Web()); !errors.Is(err, service.ErrPermission) || !strings.Contains(err.Error(), "sudo") {
		t.Errorf("got %v", err)
	}
}

func TestAServiceThatAnotherRestartHasStartedIsStarted(t *testing.T) {
	for name, other := range map[string]int{"another process": 12, "the same process": 11} {
		t.Run(name, func(t *testing.T) {
			m := initfake.New(t)
			manager := newManager(m)
			p, err := manager.Plan(t.Context(), initfake.Web(), false)
			if err != nil {
				t.Fatal(err)
			}
			if err := manager.Apply(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			run := func(pid int) {
				if err := os.RemoveAll(m.Path("/proc")); err != nil {
					t.Fatal(err)
				}
				m.Write("/run/openrc/started/web", "")
				process(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
				process(m, pid, 10, "web", "web", 'S')
			}
			run(11)
			m.Tools["rc-service"] = func([]string) (string, error) {
				run(other)
				return "", errors.New("exit code 1: * supervise-daemon: /opt/web/web is already running; * failed to start web")
			}
			synctest.Test(t, func(t *testing.T) {
				if err := manager.Restart(t.Context(), initfake.Web()); (err == nil) != (other == 12) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestWhoWaitsForAServiceThatTakesItsTimeGoesOnWaiting(t *testing.T) {
	for timeout, want := range map[time.Duration]bool{30 * time.Second: false, time.Minute: true} {
		s := initfake.Web()
		s.StartTimeout, s.StopTimeout = time.Second, timeout
		if got := strings.Contains(Render(s, owner(s), Version{0, 62}), "\tkeyword -timeout\n"); got != want {
			t.Errorf("a stop in %s: %t", timeout, got)
		}
	}
}

func TestWhatDoctorAdvisesFollowsNoLinks(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	s := initfake.Web()
	p, err := manager.Plan(t.Context(), s, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, f := range manager.Diagnose(t.Context(), s) { // its folders are of who runs this test
		if f.What == "folder" {
			// Without -h, that of busybox changes the owner of what a link leads to.
			if !strings.HasPrefix(f.Remedy, "chown -Rh ") {
				t.Errorf("it advises %s", f.Remedy)
			}
			return
		}
	}
	t.Error("it finds nothing wrong")
}

func TestTheExecutableIsReadBackFromWhatIsInstalled(t *testing.T) {
	for name, s := range initfake.Specs() {
		m := initfake.New(t)
		m.Write(initd.Of(s).Script, Render(s, owner(s), Version{0, 56}))
		if got, err := newManager(m).Launches(t.Context(), s); got != s.Executable || err != nil {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, s.Executable)
		}
		if got, ok := newManager(m).Passes(t.Context(), s); !ok || !slices.Equal(got, s.Args) {
			t.Errorf("%s: the arguments are %q, %t; want %q", name, got, ok, s.Args)
		}
	}
	if got, err := newManager(initfake.New(t)).Launches(t.Context(), initfake.Web()); got != "" || err != nil {
		t.Errorf("of what is not installed: %q, %v", got, err)
	}
}

func TestWhatDoesNotBelongToTheServiceStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := initfake.New(t)
		ownedtest.Run(t, newManager(m), initfake.Web(), m.Service().Tree, initd.Of(initfake.Web()).Dirs)
	})
}

func TestARemovalThatFailsIsTakenBack(t *testing.T) {
	if n := initfake.Unremoved(t, func(m *initfake.Machine) service.Manager { return newManager(m) }); n != 2 {
		t.Errorf("it calls %d tools", n)
	}
}

func TestWhatAnOperatorHasChosenStays(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	link := m.Path("/etc/runlevels/default/web")
	ownedtest.Stays(t, manager, initfake.Web(), true, func(enabled bool) {
		if enabled {
			m.Link("/etc/runlevels/default/web", "/etc/init.d/web")
		} else if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAServiceStaysInTheRunlevelThatItWasMovedTo(t *testing.T) {
	m := initfake.New(t)
	manager := newManager(m)
	plan := func() *service.Plan {
		p, err := manager.Plan(t.Context(), initfake.Web(), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.Apply(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	plan()
	if err := os.Rename(m.Path("/etc/runlevels/default/web"), m.Path("/etc/runlevels/boot/web")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p := plan()
		if got := strings.Join(manager.runlevels("web"), " "); got != "boot" || strings.Join(p.Notes, "; ") != "it stays in the runlevel boot, as somebody has left it since it was installed" || p.Changed() {
			t.Errorf("it is in %s: %q", got, p.Notes)
		}
	}
}
