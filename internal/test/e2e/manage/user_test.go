//go:build linux

package manage

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// user is a bed with the systemd of tester, who administers it.
type user struct{ systemd }

const home = "/home/tester"

func (*user) Flags() []string { return []string{"--user"} }

func (b *user) Can() scenario.Can {
	can := b.systemd.Can()
	can.Whole, can.Unprivileged = false, false
	return can
}

func (b *user) Exec(t testing.TB, _ scenario.Who, env []string, exe string, args ...string) testbed.Output {
	t.Helper()
	return b.systemd.Exec(t, scenario.Somebody, env, exe, args...)
}

func (b *user) systemctl(t testing.TB, args ...string) testbed.Output {
	t.Helper()
	return b.Exec(t, scenario.Somebody, nil, "systemctl", append([]string{"--user"}, args...)...)
}

func (b *user) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	said := says(t, b.systemctl(t, "show", properties, "--", name+".service"))
	said.Automatic = said.Automatic && b.exists(home+"/.config/systemd/user/default.target.wants/"+name+".service")
	return said
}

func (b *user) State(name string) string {
	return b.machine.Path(home + "/.local/state/" + strings.ReplaceAll(name, "@", "/"))
}

func (b *user) Traces(t testing.TB, name string) scenario.Traces {
	t.Helper()
	u := b.unix
	u.places = []string{home, "/run/user/1000/systemd"}
	return u.Traces(t, name)
}

func (b *user) Shown(t testing.TB, name string) []string {
	t.Helper()
	return shown(b.Traces(t, name))
}

func (*user) Keeps(trace string) bool {
	for _, folder := range []string{"/.local/state/", "/.cache/", "/.config/"} {
		if rest, ok := strings.CutPrefix(trace, home+folder); ok && !strings.HasPrefix(rest, "systemd/") {
			return true
		}
	}
	return record(trace)
}

func (b *user) Foreign(t testing.TB, name, _ string) {
	t.Helper()
	folder := home + "/.config/systemd/user"
	const script = `mkdir -p "$1" && printf %s "$3" >"$1/$2.service"`
	if out := b.Exec(t, scenario.Admin, nil, "sh", "-c", script, "sh", folder, name, theirs); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	b.systemctl(t, "daemon-reload")
}

func (b *user) Forget(t testing.TB, name string) {
	t.Helper()
	if t.Failed() {
		out := b.Exec(t, scenario.Admin, nil, "journalctl", "--user", "--no-pager", "--unit="+name)
		t.Logf("the journal of %s:\n%s%s", name, out.Stdout, out.Stderr)
	}
	forget(name+".service", func(args ...string) { b.systemctl(t, args...) })
	out := b.Exec(t, scenario.Admin, nil, "rm", "-f", home+"/.config/systemd/user/"+name+".service")
	if out.Code != 0 {
		t.Error(out.Stderr)
	}
}
