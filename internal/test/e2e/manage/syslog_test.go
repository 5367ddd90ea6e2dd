//go:build linux

package manage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/scenario"
	"github.com/go-glidepath/glidepath/internal/test/e2e/manage/talk"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

// syslogd is one of those that there are.
type syslogd struct {
	name  string
	boot  func(ctx context.Context, binds ...string) (*testbed.Machine, error)
	bed   func(unix) scenario.Bed
	files map[string]string // its configuration, with what proves facilities and severities
	links map[string]string
	stop  string // a script
	start string
	proof string // a script: facility, severity and message of each record, in a line
	calls map[string]string
	keeps bool // what there was is still there after it was restarted
	apart bool // its files are for root and the group adm
}

const killed = ` 2>/dev/null; while pidof %[1]s >/dev/null; do sleep 0.1; done`

var syslogds = []syslogd{
	{
		name: "rsyslog",
		boot: testbed.BootOpenRC,
		bed:  func(u unix) scenario.Bed { u.manager = "OpenRC"; return &openrc{u} },
		files: map[string]string{"/etc/rsyslog.d/proof.conf": `template(name="proof" type="string" string="%syslogfacility-text% %syslogseverity-text% %syslogtag%%msg%\n")
*.* action(type="omfile" file="/var/log/proof" template="proof")
`},
		stop:  fmt.Sprintf("kill $(pidof rsyslogd)"+killed, "rsyslogd"),
		start: "rsyslogd >/dev/null 2>&1",
		proof: "cat /var/log/proof",
		keeps: true,
		apart: true,
	},
	{
		name: "inetutils",
		boot: testbed.BootSysV,
		bed:  func(u unix) scenario.Bed { u.manager = "SysV init"; return &sysv{u} },
		files: map[string]string{"/etc/syslog.conf": `*.*;auth,authpriv.none -/var/log/syslog
*.=info;*.=notice;*.=warn;auth,authpriv.none;cron,daemon.none -/var/log/messages
daemon.=debug /var/log/proof.debug
daemon.=info /var/log/proof.info
daemon.=warning /var/log/proof.warning
daemon.=err /var/log/proof.err
`},
		stop:  fmt.Sprintf("/etc/init.d/inetutils-syslogd stop"+killed, "syslogd"),
		start: "/etc/init.d/inetutils-syslogd start >/dev/null 2>&1",
		proof: `for s in debug info warning err; do sed "s/^.* \([^ ]*\[[0-9]*\]: \)/daemon $s \1/" /var/log/proof.$s; done`,
		keeps: true,
	},
	{
		name:  "busybox",
		boot:  testbed.BootRCS,
		bed:   func(u unix) scenario.Bed { u.manager = "rcS"; return &rcs{sysv{u}} },
		links: map[string]string{"/usr/sbin/syslogd": "../bin/busybox"},
		stop:  fmt.Sprintf("kill $(pidof syslogd)"+killed, "syslogd"),
		start: "/usr/sbin/syslogd -s 20 >/dev/null 2>&1", // a file every 20 KB
		proof: `cat /var/log/messages.0 /var/log/messages 2>/dev/null | sed -n 's/^.\{15\} [^ ]* \([a-z]*\)\.\([a-z]*\) /\1 \2 /p'`,
		calls: map[string]string{"warning": "warn"},
		keeps: true,
	},
	{
		name:  "busybox, in memory",
		boot:  testbed.BootRCS,
		bed:   func(u unix) scenario.Bed { u.manager = "rcS"; return &rcs{sysv{u}} },
		links: map[string]string{"/usr/sbin/syslogd": "../bin/busybox"},
		stop:  fmt.Sprintf("kill $(pidof syslogd)"+killed, "syslogd"),
		start: "/usr/sbin/syslogd -C64 >/dev/null 2>&1",
		proof: `logread | sed -n 's/^.\{15\} [^ ]* \([a-z]*\)\.\([a-z]*\) /\1 \2 /p'`,
		calls: map[string]string{"warning": "warn"},
	},
}

// rcs is a bed with the init of busybox.
type rcs struct{ sysv }

func (b *rcs) Says(t testing.TB, name string) scenario.Said {
	t.Helper()
	said := b.sysv.Says(t, name)
	said.Automatic = said.Installed
	return said
}

func (b *rcs) Forget(t testing.TB, name string) {
	t.Helper()
	b.logs(t, name)
	b.tool(t, "sh", "-c", `for s in /etc/*.d/S??"$1"; do [ ! -x "$s" ] || "$s" stop; done`, "sh", name)
	b.bury(t, name)
}

func TestSyslog(t *testing.T) {
	testbed.Require(t)
	for _, d := range syslogds {
		t.Run(d.name, func(t *testing.T) {
			u := unix{machine: boot(t, d.boot), places: []string{"/etc", "/var", "/usr/local"}}
			d.set(t, &u)
			b := d.bed(u)
			t.Run("records are read back", func(t *testing.T) { d.readBack(t, &u, b) })
			t.Run("a syslogd that is started anew gets what comes", func(t *testing.T) { d.startedAnew(t, &u, b) })
			t.Run("what another program says is not shown", func(t *testing.T) { d.others(t, &u, b) })
			t.Run("without a syslogd the log is the output", func(t *testing.T) { d.without(t, &u, b) })
			t.Run("what the service has logged is seen by who looks for it", func(t *testing.T) { scenario.Logs(t, b) })
		})
	}
}

// set configures the syslogd and starts it.
func (d syslogd) set(t *testing.T, u *unix) {
	t.Helper()
	for file, text := range d.files {
		if err := os.WriteFile(u.machine.Path(file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range d.links {
		file := u.machine.Path(link)
		if err := errors.Join(os.RemoveAll(file), os.Symlink(to, file)); err != nil {
			t.Fatal(err)
		}
	}
	u.script0(t, d.stop+"; "+d.start+"; until [ -S /dev/log ]; do sleep 0.1; done")
}

// script0 runs a script that must not fail.
func (u *unix) script0(t testing.TB, script string) string {
	t.Helper()
	out := u.tool(t, "sh", "-c", script)
	if out.Code != 0 {
		t.Fatalf("%s: code %d: %s%s", script, out.Code, out.Stdout, out.Stderr)
	}
	return out.Stdout
}

// talkative is a service that runs and logs at all levels.
func talkative(t *testing.T, b scenario.Bed) *scenario.Service {
	t.Helper()
	s := scenario.New(t, b, talk.Setup{Talks: true, Environment: map[string]string{"LOG_LEVEL": "debug"}})
	s.Do(0, "install", "--now")
	s.Runs()
	return s
}

// eventually waits until a command shows a text.
func eventually(t *testing.T, what string, show func() string, want string) string {
	t.Helper()
	var said string
	scenario.Eventually(t, func() string {
		if said = show(); !strings.Contains(said, want) {
			return fmt.Sprintf("%s says\n%swant %q", what, said, want)
		}
		return ""
	})
	return said
}

func (d syslogd) readBack(t *testing.T, u *unix, b scenario.Bed) {
	s := talkative(t, b)
	s.Do(0, "reload")
	said := eventually(t, "logs", func() string { return s.Do(0, "logs") }, " INFO  reloaded\n")

	// As it was logged: each in one line, in order, with its time and level before it.
	tag := fmt.Sprintf(" %s[%d]: ", s.Name, s.Given().PID)
	shown := texts(t, said)
	at := 0
	for i, want := range talk.Talk {
		want = []string{"DEBUG ", "INFO  ", "WARN  ", "ERROR "}[i] + want
		n := slices.Index(shown[at:], want)
		if n < 0 {
			t.Fatalf("after line %d there is no %q in\n%s", at, want, said)
		}
		at += n + 1
	}
	whole := "ERROR talks at length long=" + strings.Repeat("x", talk.Long)
	if n := slices.Index(shown[at:], whole); n < 0 || !slices.Equal(shown[at+n+1:min(at+n+5, len(shown))], []string{"    text:", "        one", "        <0>two", "            three"}) {
		t.Errorf("a long value, and one of several lines, have become\n%s", strings.Join(shown[at:], "\n"))
	}
	if last := texts(t, s.Do(0, "logs", "-n", "2")); len(last) != 6 || last[0] != whole || last[5] != "INFO  reloaded" {
		t.Errorf("logs -n 2 says\n%s", strings.Join(last, "\n"))
	}

	// What syslogd makes of it.
	proof := u.script0(t, d.proof)
	for text, severity := range map[string]string{
		"DEBUG talks debug": "debug", "talks info": "info", "WARN talks warn": "warning", "ERROR talks error": "err", "    text:": "err", "        <0>two": "err", "echo starts": "info",
	} {
		if call, ok := d.calls[severity]; ok {
			severity = call
		}
		if want := "daemon " + severity + tag + text; !strings.Contains(proof, want) {
			t.Errorf("syslogd says\n%swant %q", proof, want)
		}
	}

	// Nothing of it is in the file for what is printed.
	if text := u.read("/var/log/" + s.Name + "/" + s.Name + ".out"); text != "" {
		t.Errorf("the output is\n%s", text)
	}
	if out := s.Run(scenario.Somebody, "logs"); out.Code != 4 || !strings.Contains(out.Stderr, "root") {
		t.Errorf("somebody gets code %d: %s", out.Code, out.Stderr)
	}
	u.script0(t, "rm -f /var/log/"+s.Name+"/*; chmod 755 /var/log/"+s.Name)
	switch out := s.Run(scenario.Somebody, "logs"); {
	case d.apart && (out.Code != 4 || !strings.Contains(out.Stderr, "read /var/log/syslog: run it as root")):
		t.Errorf("who may not read syslog gets code %d: %s", out.Code, out.Stderr)
	case !d.apart && (out.Code != 0 || !strings.Contains(out.Stdout, "talks error")):
		t.Errorf("who may read syslog gets code %d: %s%s", out.Code, out.Stdout, out.Stderr)
	}
}

func (d syslogd) startedAnew(t *testing.T, u *unix, b scenario.Bed) {
	s := talkative(t, b)
	eventually(t, "logs", func() string { return s.Do(0, "logs") }, "echo starts")
	first := s.Given()
	u.script0(t, d.stop)
	s.Do(0, "reload")
	scenario.Eventually(t, func() string {
		if s.Given().Reloads == 0 {
			return "it has not reloaded"
		}
		return ""
	})
	u.script0(t, d.start+"; until [ -S /dev/log ]; do sleep 0.1; done")
	said := eventually(t, "logs", func() string {
		s.Do(0, "reload")
		return s.Run(scenario.Admin, "logs", "-n", "5000").Stdout // each reload logs some lines
	}, "talks at length")
	if strings.Contains(said, "lost") {
		t.Errorf("what was logged meanwhile has not waited:\n%s", said)
	}
	if has := strings.Contains(said, "echo starts"); has != d.keeps {
		t.Errorf("what was logged before is there: %t\n%s", has, said)
	}
	if now := s.Runs(); now.PID != first.PID {
		t.Errorf("it was process %d, and is %d", first.PID, now.PID)
	}
}

func (d syslogd) others(t *testing.T, u *unix, b scenario.Bed) {
	s := talkative(t, b)
	u.script0(t, fmt.Sprintf(`logger -p daemon.info -t evil '%[1]s[1]: is not its'; logger -p daemon.info "-t%[1]sx" 'is not its'; logger -p daemon.info -t "$(printf 'evil\n%[1]s[1]')" 'is not its'`, s.Name))
	eventually(t, "syslogd", func() string { return u.script0(t, d.proof) }, s.Name+"[1]: is not its")
	said := eventually(t, "logs", func() string { return s.Do(0, "logs") }, "echo starts")
	if strings.Contains(said, "is not its") {
		t.Errorf("logs says\n%s", said)
	}
}

func (d syslogd) without(t *testing.T, u *unix, b scenario.Bed) {
	u.script0(t, d.stop+"; rm -f /dev/log")
	defer u.script0(t, d.start+"; until [ -S /dev/log ]; do sleep 0.1; done")
	s := talkative(t, b)
	eventually(t, "logs", func() string { return s.Do(0, "logs") }, " INFO  echo starts")
	if text := u.read(filepath.Join("/var/log", s.Name, s.Name+".out")); !strings.Contains(text, `"msg":"echo starts"`) {
		t.Errorf("the output is\n%s", text)
	}
}
