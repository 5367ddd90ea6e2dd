//go:build linux

package manage

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// systemd is a bed with systemd.
type systemd struct{ unix }

func TestSystemd(t *testing.T) {
	machine := boot(t, testbed.Boot)
	b := &systemd{unix{
		machine: machine, manager: "systemd",
		places: []string{"/etc", "/var", "/run/systemd/system", "/run/tmpfiles.d", "/usr/lib/systemd", "/usr/local"},
	}}
	b.settled = func() { b.systemctl(t, "daemon-reload") }
	scenario.Run(t, b)
	for _, test := range []struct {
		name string
		do   func(*testing.T, *systemd)
	}{
		{"a service that is started by its socket gets it", socket},
		{"a socket in the runtime folder of a service outlives the service", runtimeSocket},
		{"services that need it are named as they stop along", func(t *testing.T, b *systemd) { b.dependents(t) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.do(t, b)
		})
	}
	t.Run("services of a user", func(t *testing.T) {
		t.Parallel()
		scenario.Operate(t, &user{systemd: *b})
	})
}

// Can is all.
func (b *systemd) Can() scenario.Can {
	can := b.unix.Can()
	can.Sockets, can.Sysconfig, can.Kills = true, true, 50
	return can
}

func (b *systemd) systemctl(t testing.TB, args ...string) testbed.Output {
	t.Helper()
	return b.tool(t, "systemctl", args...)
}

func (b *systemd) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	return says(t, b.systemctl(t, "show", properties, "--", name+".service"))
}

const properties = "--property=LoadState,UnitFileState,ActiveState,SubState,MainPID"

// says reads what systemctl show has said.
func says(t testing.TB, out testbed.Output) scenario.Said {
	t.Helper()
	if out.Code != 0 {
		t.Fatalf("systemctl show: %s", out.Stderr)
	}
	values := map[string]string{}
	for line := range strings.Lines(out.Stdout) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			values[name] = value
		}
	}
	pid, err := strconv.Atoi(values["MainPID"])
	if err != nil {
		t.Fatal(err)
	}
	return scenario.Said{
		Installed: values["LoadState"] == "loaded",
		Automatic: values["UnitFileState"] == "enabled",
		Running:   values["ActiveState"] == "active",
		Failed:    values["ActiveState"] == "failed" || values["SubState"] == "auto-restart",
		PID:       pid,
	}
}

// State has the instances of a template in the folder of the template.
func (b *systemd) State(name string) string { return b.unix.State(strings.ReplaceAll(name, "@", "/")) }

func (b *systemd) Tight() []string { return []string{"/etc/systemd/system"} }

const theirs = "[Unit]\nDescription=somebody else's\n\n[Service]\nExecStart=/bin/sleep infinity\n"

func (b *systemd) Foreign(t testing.TB, name, _ string) {
	t.Helper()
	if err := os.WriteFile(b.machine.Path("/etc/systemd/system/"+name+".service"), []byte(theirs), 0o644); err != nil {
		t.Fatal(err)
	}
	b.settled()
}

func (b *systemd) Forget(t testing.TB, name string) {
	t.Helper()
	unit := name + ".service"
	if t.Failed() {
		ctx, cancel := scenario.Lasting(t)
		defer cancel()
		log, err := b.machine.Journal(ctx, unit)
		t.Logf("the journal of %s: %v\n%s\n%s", unit, err, log, b.systemctl(t, "cat", unit).Stdout)
	}
	forget(unit, func(args ...string) { b.systemctl(t, args...) })
	err := os.Remove(b.machine.Path("/etc/systemd/system/" + unit))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err == nil {
		b.settled()
	}
}

// forget has systemd let go of a unit.
func forget(unit string, systemctl func(args ...string)) {
	for _, args := range [][]string{{"kill", "--signal=KILL", unit}, {"stop", unit}, {"disable", unit}, {"reset-failed", unit}} {
		systemctl(args...) // it fails where there is nothing to do
	}
}

// socket has a service of systemd wait for somebody who connects.
func socket(t *testing.T, b *systemd) {
	name := scenario.NewName()
	address := "/run/" + name + ".sock"
	s := scenario.New(t, b, talk.Setup{
		Name: name, StartType: "socket",
		Sockets: []talk.Socket{{Name: "door", Network: "unix", Address: address}, {Name: "side-door", Network: "unix", Address: address + "2"}},
	})
	t.Cleanup(func() {
		for _, door := range []string{"-door", "-side-door"} {
			b.systemctl(t, "stop", name+door+".socket")
		}
	})
	before := s.Traces()
	s.Do(0, "install", "--now")
	s.Status(scenario.Admin, "stopped", 3)
	first := b.knock(t, address)
	scenario.Eventually(t, func() string { // it answers before systemd has heard that it is ready
		if said := b.Says(t, name); !said.Running {
			return fmt.Sprintf("it has answered, and systemd says %+v", said)
		}
		return ""
	})
	g := s.Runs()
	if want := fmt.Sprintf("door %d\n", g.PID); first != want {
		t.Errorf("the door says %q, want %q", first, want)
	}
	if said, want := b.knock(t, address+"2"), fmt.Sprintf("side-door %d\n", g.PID); said != want {
		t.Errorf("the side door says %q, want %q", said, want)
	}
	s.Do(0, "stop")
	s.Ended(g)
	s.Do(0, "uninstall", "--purge")
	s.Is(scenario.Absent)
	s.Same(before)
}

// knock connects to a socket of the machine, and returns what is said there.
func (b *systemd) knock(t *testing.T, address string) string {
	t.Helper()
	conn, err := net.Dial("unix", b.machine.Path(address))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	said, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}
