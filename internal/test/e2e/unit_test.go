//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// patience is how long a test waits for what should happen soon.
const patience = 30 * time.Second

// unit is a service of one test.
type unit struct {
	t       *testing.T
	name    string // with .service
	manager manager
}

// manager is an instance of systemd.
type manager struct {
	run     func(ctx context.Context, name string, args ...string) (testbed.Output, error)
	flags   []string
	dir     string // where it looks for units
	journal string // the field that names a unit
}

func systemManager(t *testing.T) manager {
	testbed.Require(t)
	return manager{run: machine.Run, dir: "/run/systemd/system", journal: "_SYSTEMD_UNIT"}
}

func userManager(t *testing.T) manager {
	testbed.Require(t)
	return manager{run: machine.RunUser, flags: []string{"--user"}, dir: "/run/systemd/user", journal: "_SYSTEMD_USER_UNIT"}
}

func (m manager) systemctl(ctx context.Context, args ...string) (testbed.Output, error) {
	return m.run(ctx, "systemctl", slices.Concat(m.flags, args)...)
}

// newUnit writes a unit of the system manager with these lines in [Service]. It is
// stopped and removed when the test ends.
func newUnit(t *testing.T, service ...string) *unit {
	t.Helper()
	t.Parallel()
	return newUnitOf(t, systemManager(t), service...)
}

var (
	numbers atomic.Int32
	illegal = regexp.MustCompile(`[^a-z0-9]+`)
)

func newUnitOf(t *testing.T, m manager, service ...string) *unit {
	t.Helper()
	base := strings.Trim(illegal.ReplaceAllString(strings.ToLower(strings.TrimPrefix(t.Name(), "Test")), "-"), "-")
	u := &unit{t: t, name: fmt.Sprintf("%s-%d.service", base, numbers.Add(1)), manager: m}
	pin := "pin-" + u.name + ".target"
	t.Cleanup(func() { u.remove(pin) })
	u.write(u.name, "[Service]\n"+strings.Join(service, "\n")+"\n")

	// systemd forgets a service that is over and that no other unit mentions: its
	// Result would then be "success", whatever it was.
	u.write(pin, "[Unit]\nDefaultDependencies=no\nAfter="+u.name+"\n")
	u.systemctl("start", pin)
	return u
}

// write writes a unit file. There is no daemon-reload: systemd finds a unit that is
// new by itself, and a daemon-reload takes from all units in a pending state what
// EXTEND_TIMEOUT_USEC has given them.
func (u *unit) write(name, text string) {
	u.t.Helper()
	dir := machine.Path(u.manager.dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		u.t.Fatal(err)
	}
	writeFile(u.t, filepath.Join(dir, name), text)
	// systemd sees by this time that there is something new. The kernel's own is
	// too coarse for tests that write at the same moment.
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil {
		u.t.Fatal(err)
	}
}

func (u *unit) remove(pin string) {
	// The context of the test has ended.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if u.t.Failed() {
		u.printJournal(ctx)
	}
	for _, args := range [][]string{
		{"kill", "--signal=KILL", u.name}, // a test that has failed may have left what does not stop
		{"stop", u.name, pin},
		{"reset-failed", u.name},
	} {
		// It fails where there is nothing to do.
		if _, err := u.manager.systemctl(ctx, args...); err != nil {
			u.t.Error(err)
		}
	}
	for _, name := range []string{u.name, pin} {
		if err := os.Remove(machine.Path(path.Join(u.manager.dir, name))); err != nil && !os.IsNotExist(err) {
			u.t.Error(err)
		}
	}
}

func (u *unit) printJournal(ctx context.Context) {
	_, _ = machine.Run(ctx, "journalctl", "--sync")
	out, err := machine.Run(ctx, "journalctl", "--no-pager", "--output=short-precise",
		u.manager.journal+"="+u.name, "+", "UNIT="+u.name, "+", "USER_UNIT="+u.name)
	u.t.Logf("the journal of %s: %v\n%s%s", u.name, err, out.Stdout, out.Stderr)
}

// try runs systemctl.
func (u *unit) try(args ...string) testbed.Output {
	u.t.Helper()
	out, err := u.manager.systemctl(u.t.Context(), args...)
	if err != nil {
		u.t.Fatal(err)
	}
	return out
}

// systemctl runs systemctl, which must succeed.
func (u *unit) systemctl(args ...string) {
	u.t.Helper()
	if out := u.try(args...); out.Code != 0 {
		u.t.Fatalf("systemctl %q: code %d: %s", args, out.Code, out.Stderr)
	}
}

func (u *unit) start()  { u.t.Helper(); u.systemctl("start", u.name) }
func (u *unit) stop()   { u.t.Helper(); u.systemctl("stop", u.name) }
func (u *unit) reload() { u.t.Helper(); u.systemctl("reload", u.name) }

// begin asks for a start, and does not wait for it.
func (u *unit) begin() { u.t.Helper(); u.systemctl("start", "--no-block", u.name) }

// kill sends a signal to the main process, from outside of systemd.
func (u *unit) kill(signal string) {
	u.t.Helper()
	// The shell's own: the machine has no procps.
	out, err := u.manager.run(u.t.Context(), "sh", "-c", "kill -s "+signal+" "+u.show("MainPID")["MainPID"])
	if err != nil || out.Code != 0 {
		u.t.Fatalf("kill -s %s: %v %s", signal, err, out.Stderr)
	}
}

// show returns properties of the unit.
func (u *unit) show(properties ...string) map[string]string {
	u.t.Helper()
	out := u.try("show", "--property="+strings.Join(properties, ","), "--", u.name)
	if out.Code != 0 {
		u.t.Fatalf("show %s: %s", u.name, out.Stderr)
	}
	values := make(map[string]string)
	for line := range strings.Lines(out.Stdout) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			values[name] = value
		}
	}
	return values
}

// props is what properties of a unit should be.
type props map[string]string

// A unit that has ended as it should, and one that runs.
var (
	running = props{"ActiveState": "active", "SubState": "running", "Result": "success", "NRestarts": "0"}
	clean   = props{"ActiveState": "inactive", "SubState": "dead", "Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0", "NRestarts": "0"}
)

// failed is a unit that has failed by the exit code of its main process, and is
// not to be restarted.
func failed(code int) props {
	return props{"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": strconv.Itoa(code), "NRestarts": "0"}
}

// wrong says how the unit is not as it should be, "" if it is.
func (u *unit) wrong(want props) string {
	u.t.Helper()
	var names []string
	for name := range want {
		names = append(names, name)
	}
	got := u.show(names...)
	var wrong []string
	for name, value := range want {
		if got[name] != value {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", name, got[name], value))
		}
	}
	return strings.Join(wrong, "; ")
}

// is asserts that the unit is as it should be.
func (u *unit) is(want props) {
	u.t.Helper()
	if wrong := u.wrong(want); wrong != "" {
		u.t.Errorf("%s: %s", u.name, wrong)
	}
}

// becomes waits until the unit is as it should be.
func (u *unit) becomes(want props) {
	u.t.Helper()
	eventually(u.t, func() string { return u.wrong(want) })
}

// between is the time between two moments that systemd has written down, such as
// ExecMainStart and ActiveEnter.
func (u *unit) between(from, to string) time.Duration {
	u.t.Helper()
	from, to = from+"TimestampMonotonic", to+"TimestampMonotonic"
	values := u.show(from, to)
	var usec [2]int64
	for i, name := range []string{from, to} {
		n, err := strconv.ParseInt(values[name], 10, 64)
		if err != nil || n == 0 {
			u.t.Fatalf("%s is %q: want a time", name, values[name])
		}
		usec[i] = n
	}
	return time.Duration(usec[1]-usec[0]) * time.Microsecond
}

// slack is what a stretch of time may seem too short: a process knows of its
// beginning before systemd has written that down.
const slack = 500 * time.Millisecond

// lasts asserts that there was at least d between two moments.
func (u *unit) lasts(from, to string, d time.Duration) {
	u.t.Helper()
	if got := u.between(from, to); got < d-slack {
		u.t.Errorf("%s between %s and %s, want %s", got, from, to, d)
	}
}

// execStart is a line of a unit that runs one of the built programs.
func execStart(program string, args ...string) string {
	return "ExecStart=" + strings.Join(append([]string{filepath.Join(programs, program)}, args...), " ")
}

// inMachine is the name of a file of the test in the machine, which goes with it.
func inMachine(t *testing.T, suffix string) string {
	t.Helper()
	testbed.Require(t)
	return fmt.Sprintf("/run/e2e-%d.%s", numbers.Add(1), suffix)
}
