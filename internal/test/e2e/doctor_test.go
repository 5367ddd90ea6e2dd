//go:build linux

package e2e

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

var update = flag.Bool("update", false, "write the golden files of what doctor says")

// failures are services that fail, each in a way of its own. In the scripts $S is the name
// of the service, which is that of the case.
var failures = []struct {
	name   string
	before string // a script that makes the machine such that it fails
	flags  string // of the program, when it is installed
	asks   string // of the program, when doctor is asked; as a rule none
	after  string // a script after it was installed and started
	who    string // "user" for a service of tester
}{
	{name: "hidden-home", before: "echo x >/home/tester/notes", flags: "-do read -path /home/tester/notes"},
	{name: "other-tmp", before: "echo x >/tmp/shared; chmod 644 /tmp/shared", flags: "-do read -path /tmp/shared"},
	{name: "read-only", flags: "-do write -path /etc/x"},
	{name: "kernel", flags: "-do write -path /proc/sys/kernel/panic"},
	{name: "jit", flags: "-do jit"},
	{name: "jit-lenient", flags: "-profile lenient -do jit", asks: "-profile lenient -do jit"},
	{name: "jit-user", flags: "-do jit", who: "user"},
	{name: "device", before: "touch /dev/widget; chmod 660 /dev/widget; chgrp dialout /dev/widget", flags: "-do open -path /dev/widget"},
	{name: "secret", before: "echo x >/etc/secret; chmod 600 /etc/secret", flags: "-do read -path /etc/secret"},
	{name: "secret-account", before: "useradd --system tokens; echo x >/etc/tokens; chmod 600 /etc/tokens", flags: "-account tokens -do read -path /etc/tokens", asks: "-account tokens -do read -path /etc/tokens"},
	{name: "own-file", flags: "", after: "$S stop >/dev/null; touch /var/lib/private/$S/db; $S -do write -path /var/lib/$S/db install >/dev/null; $S start"},
	{name: "home", flags: "-do home"},
	{name: "ping", flags: "-do ping"},
	{name: "packet", flags: "-do packet"},
	{name: "nice", flags: "-do nice"},
	{name: "low-port", flags: "-do listen -path 127.9.8.7:80"},
	{
		name: "taken", before: "cp $DENIED /usr/local/bin/squatter; squatter -do listen -path 127.9.8.7:7777 install --now >/dev/null 2>&1",
		flags: "-do listen -path 127.9.8.7:7777",
	},
	{name: "taken-socket", flags: "-socket 127.9.8.7:7777", asks: "-socket 127.9.8.7:7777"}, // by the same
	{name: "segv", flags: "-do segv"},
	{name: "last-run", flags: "-do write -path /etc/x", after: "$S -do packet install >/dev/null; $S start"},
	{name: "link", after: "$S stop >/dev/null; mv /var/lib/private/$S /srv/$S; rm /var/lib/$S; ln -s /srv/$S /var/lib/$S; $S start"},
	{name: "link-account", before: "useradd --system linked", flags: "-account linked", asks: "-account linked", after: "$S -account linked stop >/dev/null; mv /var/lib/$S /srv/$S; ln -s /srv/$S /var/lib/$S; $S -account linked start"},
	{name: "masked", after: "$S stop >/dev/null; rm /etc/systemd/system/$S.service; systemctl mask $S 2>/dev/null"},
	{name: "drop-in", after: `mkdir /etc/systemd/system/$S.service.d; printf '[Service]\nType=nonsense\nNoSuch=1\nExecStart=/bin/true\n' >/etc/systemd/system/$S.service.d/a.conf; systemctl daemon-reload; $S restart`},
	{name: "drop-in-ignored", after: `mkdir /etc/systemd/system/$S.service.d; printf '[Service]\nMemoryMax=lots\n' >/etc/systemd/system/$S.service.d/a.conf; systemctl daemon-reload; $S restart`},
	{name: "no-path", after: `mkdir /etc/systemd/system/$S.service.d; printf '[Service]\nReadWritePaths=/nowhere\n' >/etc/systemd/system/$S.service.d/a.conf; systemctl daemon-reload; $S restart`},
	{name: "not-executable", after: "cp $DENIED /opt/$S; chmod -x /usr/local/bin/$S; /opt/$S restart"},
	{name: "no-interpreter", after: `cp $DENIED /opt/$S; rm /usr/local/bin/$S; printf '#!/usr/bin/nothing\n' >/usr/local/bin/$S; chmod +x /usr/local/bin/$S; /opt/$S restart`},
	{name: "noexec", after: "cp $DENIED /opt/$S; mkdir /mnt/$S; mount -t tmpfs -o noexec,mode=755 t /mnt/$S; mv /usr/local/bin/$S /mnt/$S/; ln -s /mnt/$S/$S /usr/local/bin/$S; /opt/$S restart"},
	{name: "replaced", after: "cp -p $DENIED /usr/local/bin/$S.new; mv /usr/local/bin/$S.new /usr/local/bin/$S"},
	{name: "template", flags: "-template -do packet", asks: "-template -do packet", after: "$S -template -do packet install --instance a >/dev/null; $S -template start --instance a; $S -template -do packet doctor --instance a"},
	{name: "of-a-user", who: "user", after: "$S status; $S start; $S doctor"},
}

// forget removes all that there is of a case.
const forget = `; exec >/dev/null 2>&1
rm -rf /etc/systemd/system/$S.service.d
systemctl unmask $S
systemctl stop $S $S-web.socket $S@a
systemctl disable $S $S-web.socket $S@a
rm -rf /etc/systemd/system/$S* /var/lib/$S /var/lib/private/$S /srv/$S /usr/local/bin/$S /opt/$S /home/tester/.config/systemd/user/$S.service
umount /mnt/$S
systemctl daemon-reload
systemctl reset-failed $S`

// variable is what differs from one run to the next.
var variable = []struct {
	was    *regexp.Regexp
	become string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "TIME"},
	{regexp.MustCompile(`process \d+`), "process PID"},
	{regexp.MustCompile(`(uptime|start|stop|wait|took)=[0-9.]+(ns|µs|ms|s)`), "$1=SPAN"},
	{regexp.MustCompile(`(?m)^(installing|waiting|uninstalling) .*…\n`), ""},
	{regexp.MustCompile(`(?m)^ok .*\n`), ""}, // what is in order is not what somebody looks for
	{regexp.MustCompile(`(version )\d+`), "${1}N"},
}

func TestDoctorSaysWhatWasDeniedAndWhatToDo(t *testing.T) {
	testbed.Require(t)
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			s := strings.ReplaceAll("e2e-"+f.name, "-", "") // not the name of a user or folder
			flag := ""
			if f.who == "user" {
				flag = " --user"
			}
			// A service whose file cannot be executed is asked about with a copy.
			const asked = "P=$S; [ ! -x /opt/$S ] || P=/opt/$S; $P "
			out := in(t, machine, "export DENIED="+filepath.Join(programs, "denied")+" S="+s+"; cd /; exec 2>&1; cp $DENIED /usr/local/bin/$S\n"+
				f.before+"\n"+
				as(f.who, s+" "+f.flags+" install"+flag+" >/dev/null; "+s+" "+f.flags+" start"+flag+" >/dev/null")+
				as(f.who, f.after)+
				"echo '$ doctor'\n"+
				as(f.who, asked+f.asks+" doctor"+flag+"; echo exit code $?"))
			t.Cleanup(func() { in(t, machine, "S="+s+forget) })
			compare(t, f.name, out)
		})
	}
}

// as has a user run a script, root if who is "".
func as(who, script string) string {
	if who != "user" || script == "" {
		return script + "\n"
	}
	return "setpriv --reuid=tester --regid=tester --init-groups env HOME=/home/tester XDG_RUNTIME_DIR=/run/user/1000 sh -c '" + script + "'\n"
}

func in(t *testing.T, m *testbed.Machine, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	out, err := m.Run(ctx, "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return out.Stdout + out.Stderr
}

// compare compares what an operator has read with a file that somebody has looked at.
func compare(t *testing.T, name, out string) {
	t.Helper()
	for _, v := range variable {
		out = v.was.ReplaceAllString(out, v.become)
	}
	file := filepath.Join("testdata", "doctor", name+".golden")
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(out), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("%s is not what is said now; go test -update writes it:\n%s", file, out)
	}
}

func TestDoctorExplainsTheLastRunOnOpenRC(t *testing.T) {
	testbed.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	m, err := testbed.BootOpenRC(ctx, programs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	const runs = `
$S -do listen -path 127.9.8.7:80 install >/dev/null; $S start >/dev/null; sleep 1
$S -do read -path /etc/secret install >/dev/null; $S start >/dev/null; sleep 1
$S doctor; echo exit code $?
`
	out := in(t, m, "export PATH=/usr/local/bin:$PATH S=last; exec 2>/dev/null; cp "+filepath.Join(programs, "denied")+` /usr/local/bin/$S
echo x >/etc/secret; chmod 600 /etc/secret`+runs+"rsyslogd; sleep 1; echo with syslog"+runs)
	compare(t, "openrc", out)
}
