//go:build unix

package script

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/initfake"
	"github.com/go-glidepath/glidepath/internal/test/managertest"
)

// initOwner is the account of the services of initfake.
func initOwner(s manage.Spec) Owner {
	switch s.Account {
	case "root":
		return Owner{Name: "root", Group: "root"}
	case "":
		return Owner{Name: "web", Group: "web", UID: 990, GID: 990}
	}
	return Owner{Name: s.Account, Group: "www-data", UID: 33, GID: 33}
}

func TestInitDScripts_AreAsTheyWere(t *testing.T) {
	for name, s := range initfake.Specs() {
		managertest.Golden(t, "openrc/"+name+".sh", openrcScript(s, initOwner(s), openrcVersion{0, 56}))
		managertest.Golden(t, "sysv/"+name+".sh", sysvScript(s, initOwner(s)))
	}
	old := initfake.Specs()["low-ports"]
	managertest.Golden(t, "openrc/low-ports-0.44.sh", openrcScript(old, initOwner(old), openrcVersion{0, 44}))
}

func TestOpenRCWarnings_NameTheField(t *testing.T) {
	var b strings.Builder
	s := initfake.Specs()["full"]
	s.StartType, s.Watchdog, s.FileDescriptorStore = service.OnSocket, time.Minute, 3
	s.Recovery = service.Recovery{Delays: []time.Duration{time.Second, time.Minute}, CrashOnly: true}
	for _, v := range []openrcVersion{{0, 44}, {0, 56}} {
		fmt.Fprintf(&b, "%v\n%s\n", v, strings.Join(openrcWarnings(s, v), "\n"))
	}
	managertest.Golden(t, "openrc/warnings", b.String())
}

func TestParseOpenRCVersion(t *testing.T) {
	for text, want := range map[string]openrcVersion{
		"openrc (OpenRC) 0.56\n":                  {0, 56},
		"openrc (OpenRC [SYSTEMD-NSPAWN]) 0.45.2": {0, 45},
		"openrc (OpenRC) 1.0.1":                   {1, 0},
		"":                                        {},
		"openrc":                                  {},
	} {
		if got := parseOpenRCVersion(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
	if (openrcVersion{1, 0}).before(0, 45) || !(openrcVersion{0, 44}).before(0, 45) || (openrcVersion{0, 45}).before(0, 45) {
		t.Error("versions are compared wrongly")
	}
}

func TestOpenRC_ServiceIsInstalledAndRemoved(t *testing.T) {
	m := initfake.New(t)
	p := initfake.Whole(t, m, newOpenRCDouble(m))
	if got := strings.Join(p.Calls, "; "); got != "rc-update add web default; rc-update --update" {
		t.Errorf("the plan calls %q", got)
	}
	if got := strings.Join(m.Lines, "\n"); !strings.Contains(got, "useradd --system") || !strings.Contains(got, "\nrc-update add web default\nrc-update --update\n") || !strings.HasSuffix(got, "\nrc-update del web default\nrc-update --update\nuserdel web") {
		t.Errorf("it called\n%s", got)
	}
}

func TestOpenRC_FailedInstallationLeavesNothing(t *testing.T) {
	for name, prepare := range map[string]func(m *initfake.Machine){
		"new": func(*initfake.Machine) {},
		"over another": func(m *initfake.Machine) {
			m.Write("/etc/init.d/web", "#!/bin/sh\n")
			m.Link("/etc/runlevels/boot/web", "/etc/init.d/web")
		},
	} {
		t.Run(name, func(t *testing.T) {
			initfake.Undone(t, func(m *initfake.Machine) manage.Manager { return newOpenRCDouble(m) }, prepare)
		})
	}
}

func TestOpenRC_NextCommandCleansUpWhatAKilledOneHasLeft(t *testing.T) {
	initfake.Killed(t, func(m *initfake.Machine) manage.Manager { return newOpenRCDouble(m) })
}

func TestOpenRC_TakesOverAServiceOfKardianos(t *testing.T) {
	m := initfake.New(t)
	manager := newOpenRCDouble(m)
	m.Write("/etc/init.d/web", "#!/sbin/openrc-run\nsupervisor=supervise-daemon\nname=\"Web\"\ndescription=\"\"\ncommand=/opt/web\nname=$(basename $(readlink -f $command))\nsupervise_daemon_args=\"--stdout /var/log/${name}.log\"\n")
	m.Link("/etc/runlevels/default/web", "/etc/init.d/web")
	p, err := manager.Plan(t.Context(), initfake.Web(), false)
	if err != nil || p.Replaces != "kardianos/service" || !p.Installed {
		t.Fatalf("the plan is %+v, %v", p, err)
	}
	if err := manager.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if !manage.Marked(m.Read("/etc/init.d/web")) {
		t.Error("its script is there still")
	}
	if _, err := manager.Remove(t.Context(), initfake.Web(), true); err != nil {
		t.Error(err)
	}
}

func TestOpenRC_StatusIsWhatOpenRCAndTheKernelSay(t *testing.T) {
	began := time.Unix(1700000000, 0).Add(123450 * time.Millisecond)
	for name, test := range map[string]struct {
		prepare func(m *initfake.Machine)
		never   bool
		want    service.Status
	}{
		"stopped": {func(*initfake.Machine) {}, false, service.Status{State: service.Stopped}},
		"starting": {func(m *initfake.Machine) {
			m.Write("/run/openrc/starting/web", "")
			addProcess(m, 9, 1, "web", "/sbin/openrc-run /etc/init.d/web --lockfd 4 start", 'S')
		}, false, service.Status{State: service.Starting}},
		"restarting": {func(m *initfake.Machine) {
			m.Write("/run/openrc/starting/web", "")
			addProcess(m, 9, 1, "web", "/sbin/openrc-run /etc/init.d/web restart", 'S')
		}, false, service.Status{State: service.Starting}},
		"running, after a start that was killed": {func(m *initfake.Machine) {
			m.Write("/run/openrc/starting/web", "")
			addProcess(m, 8, 1, "other", "/sbin/openrc-run /etc/init.d/other start", 'S')
			addProcess(m, 9, 1, "web", "/sbin/openrc-run /etc/init.d/web status", 'S')
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "web", "web", 'S')
		}, false, service.Status{State: service.Running, PID: 11, Since: began}},
		"running, without a supervisor, after a start that was killed": {func(m *initfake.Machine) {
			m.Write("/run/openrc/starting/web", "")
			m.Write("/run/web.pid", "11\n")
			addProcess(m, 11, 1, "web", "web", 'S')
		}, true, service.Status{State: service.Running, PID: 11, Since: began}},
		"running, after a stop that was killed": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/stopping/web", "")
			addProcess(m, 9, 1, "web", "/sbin/openrc-run /etc/init.d/web start", 'S')
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "web", "web", 'S')
		}, false, service.Status{State: service.Running, PID: 11, Since: began}},
		"a start that was killed": {func(m *initfake.Machine) {
			m.Write("/run/openrc/starting/web", "")
		}, false, service.Status{State: service.Failed, Detail: "its start or stop was cut short"}},
		"running": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/options/web/start_count", "2")
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "a web) (", "web", 'S')
			addProcess(m, 12, 1, "supervise-daemo", "supervise-daemon other --start", 'S')
			addProcess(m, 13, 12, "other", "other", 'S')
		}, false, service.Status{State: service.Running, PID: 11, Since: began, Restarts: 2}},
		"stopping": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/stopping/web", "")
			addProcess(m, 9, 1, "web", "/sbin/openrc-run /etc/init.d/web stop", 'S')
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "web", "web", 'S')
		}, false, service.Status{State: service.Stopping, PID: 11, Since: began}},
		"between two processes": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "web", "web", 'Z')
		}, false, service.Status{State: service.Failed, Silent: true, Detail: "has ended, and waits to be started again"}},
		"about to execute the program": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 11, 10, "supervise-daemo", "supervise-daemon web --start", 'S')
			addProcess(m, 12, 11, "unix_chkpwd", "unix_chkpwd web", 'S')
		}, false, service.Status{State: service.Failed, Silent: true, Detail: "has ended, and waits to be started again"}},
		"without its supervisor": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/openrc/options/web/child_pid", "11")
			addProcess(m, 11, 1, "web", "web", 'S')
		}, false, service.Status{State: service.Failed, Detail: "unsupervised", PID: 11, Since: began}},
		"given up": {func(m *initfake.Machine) { m.Write("/run/openrc/failed/web", "") }, false, service.Status{State: service.Failed, Detail: "failed"}},
		"crashed, and not started again": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/web.pid", "11\n")
		}, true, service.Status{State: service.Failed, Silent: true, Detail: "has ended by itself"}},
		"running without a supervisor": {func(m *initfake.Machine) {
			m.Write("/run/openrc/started/web", "")
			m.Write("/run/web.pid", "11\n")
			addProcess(m, 11, 1, "web", "web", 'S')
		}, true, service.Status{State: service.Running, PID: 11, Since: began}},
	} {
		t.Run(name, func(t *testing.T) {
			m := initfake.New(t)
			manager := newOpenRCDouble(m)
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
			test.want.StartType, test.want.ExitCode = service.Automatic, -1
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

func TestOpenRC_SaysWhatToDoWithoutRights(t *testing.T) {
	m := initfake.New(t)
	manager := newOpenRCDouble(m)
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

func TestOpenRC_RestartByAnotherCommandIsARestart(t *testing.T) {
	for name, other := range map[string]int{"another process": 12, "the same process": 11} {
		t.Run(name, func(t *testing.T) {
			m := initfake.New(t)
			manager := newOpenRCDouble(m)
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
				addProcess(m, 10, 1, "supervise-daemo", "supervise-daemon web --start", 'S')
				addProcess(m, pid, 10, "web", "web", 'S')
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

func TestOpenRCScript_ServicesThatTakeTheirTimeAreWaitedFor(t *testing.T) {
	for timeout, want := range map[time.Duration]bool{30 * time.Second: false, time.Minute: true} {
		s := initfake.Web()
		s.StartTimeout, s.StopTimeout = time.Second, timeout
		if got := strings.Contains(openrcScript(s, initOwner(s), openrcVersion{0, 62}), "\tkeyword -timeout\n"); got != want {
			t.Errorf("a stop in %s: %t", timeout, got)
		}
	}
}

func TestOpenRC_FailedRemovalIsTakenBack(t *testing.T) {
	if n := initfake.Unremoved(t, func(m *initfake.Machine) manage.Manager { return newOpenRCDouble(m) }); n != 2 {
		t.Errorf("it calls %d tools", n)
	}
}

func TestOpenRC_ServiceStaysInItsRunlevel(t *testing.T) {
	m := initfake.New(t)
	manager := newOpenRCDouble(m)
	plan := func() *manage.Plan {
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
		if got := strings.Join(openrc{initd{host{m.Service()}}}.runlevels(initfake.Web()), " "); got != "boot" || strings.Join(p.Notes, "; ") != "it stays in the runlevel boot, as somebody has left it since it was installed" || p.Changed() {
			t.Errorf("it is in %s: %q", got, p.Notes)
		}
	}
}

// openrcTree is the dependency tree of OpenRC 0.62, of which web is needed by a, a by b, and
// idle, which does not run, needs web too.
const openrcTree = `depinfo_0_service='web'
depinfo_0_iafter_0='net'
depinfo_0_needsme_0='a'
depinfo_0_needsme_1='idle'
depinfo_0_needsme_2='gone'
depinfo_1_service='a'
depinfo_1_ineed_0='web'
depinfo_1_needsme_0='b'
depinfo_2_service='b'
depinfo_2_ineed_0='a'
depinfo_2_needsme_0='web'
depinfo_3_service='idle'
depinfo_3_ineed_0='web'
depinfo_3_usesme_0='user'
depinfo_4_service='user'
depinfo_4_iuse_0='web'
`

func TestOpenRC_NamesTheServicesThatItStopsAsWell(t *testing.T) {
	f := initfake.New(t)
	m := newOpenRCDouble(f)
	if d, err := m.Dependents(t.Context(), initfake.Web()); err != nil || !d.Along || len(d.Running)+len(d.Stopped) > 0 {
		t.Errorf("without a tree: %+v, %v", d, err)
	}
	f.Write("/run/openrc/deptree", openrcTree)
	for _, name := range []string{"a", "b", "web", "user"} {
		f.Write("/run/openrc/started/"+name, "")
	}
	for _, name := range []string{"a", "b", "idle"} {
		f.Write("/etc/init.d/"+name, "")
	}
	d, err := m.Dependents(t.Context(), initfake.Web())
	if err != nil || !slices.Equal(d.Running, []string{"b", "a"}) || !slices.Equal(d.Stopped, []string{"idle"}) {
		t.Errorf("got %+v, %v", d, err)
	}
	if len(f.Lines) > 0 {
		t.Errorf("it calls %q", f.Lines)
	}
}
