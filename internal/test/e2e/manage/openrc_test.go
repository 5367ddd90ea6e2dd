//go:build linux

package manage

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// openrc is a bed with OpenRC.
type openrc struct{ unix }

func TestOpenRC(t *testing.T) {
	machine := boot(t, testbed.BootOpenRC)
	b := &openrc{unix{machine: machine, manager: "OpenRC", places: []string{"/etc", "/var", "/usr/local"}}}
	scenario.Run(t, b)
	t.Run("services that need it are named as they stop along", func(t *testing.T) {
		// It is not parallel: while OpenRC restarts a service, it starts others, too, and
		// two such commands at once get into each other's way.
		b.dependents(t)
	})
}

// Can is without exit codes, which supervise-daemon keeps to itself, and without
// readiness.
func (b *openrc) Can() scenario.Can {
	can := b.unix.Can()
	can.Ready, can.Codes = false, false
	return can
}

func (b *openrc) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	name = script(name)
	said := scenario.Said{
		Installed: b.exists("/etc/init.d/" + name),
		Automatic: b.exists("/etc/runlevels/default/" + name),
	}
	if !said.Installed {
		return said
	}
	out := b.tool(t, "rc-service", name, "status")
	said.Running = out.Code == 0
	said.Failed = out.Code == 32
	if supervisor, err := strconv.Atoi(b.read("/run/supervise-" + name + ".pid")); err == nil {
		said.PID = b.child(supervisor)
	} else { // one that is never restarted has no supervisor
		said.PID, _ = strconv.Atoi(b.read("/run/" + name + ".pid"))
	}
	return said
}

func (b *openrc) Tight() []string { return []string{"/etc/init.d", "/etc/runlevels", "/var/lib"} }

func (b *openrc) Foreign(t testing.TB, name, exe string) {
	t.Helper()
	b.script(t, name, "#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=infinity\ncommand_background=yes\npidfile=/run/"+name+".pid\n")
}

// script is what the script of a service is called, also that of an instance.
func script(name string) string { return strings.ReplaceAll(name, "@", ".") }

// script puts a script of somebody else into /etc/init.d.
func (u *unix) script(t testing.TB, name, text string) {
	t.Helper()
	file := u.machine.Path("/etc/init.d/" + name)
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o755), os.Chmod(file, 0o755)); err != nil {
		t.Fatal(err)
	}
}

func (b *openrc) Forget(t testing.TB, name string) {
	t.Helper()
	b.logs(t, name)
	name = script(name)
	b.tool(t, "rc-service", "--ifexists", name, "stop")
	b.tool(t, "rc-update", "--all", "delete", name)
	b.bury(t, name)
}

// logs puts what there is of a service into the log of a test that has failed.
func (u *unix) logs(t testing.TB, name string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for file, trace := range u.Traces(t, name) {
		t.Logf("%s: %s", file, trace.Text)
	}
	t.Logf("the log of %s:\n%s", name, u.tool(t, "sh", "-c", `cat /var/log/"$1"/* /var/log/"$1".*`, "sh", name).Stdout)
}

// bury removes the script of a service and kills its processes.
func (u *unix) bury(t testing.TB, name string) {
	t.Helper()
	if err := os.Remove(u.machine.Path("/etc/init.d/" + name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	entries, err := os.ReadDir(u.machine.Path("/proc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && strings.Contains(u.read("/proc/"+e.Name()+"/cmdline"), name) {
			u.tool(t, "sh", "-c", "kill -9 "+strconv.Itoa(pid))
		}
	}
}
