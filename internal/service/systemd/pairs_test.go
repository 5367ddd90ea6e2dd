//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// TestPairs checks settings that are valid alone and wrong together. Package service tests
// those that Spec.Check refuses.
func TestPairs(t *testing.T) {
	socket := func(network, address string) func(*manage.Spec) {
		return func(s *manage.Spec) {
			s.Sockets = append(s.Sockets, service.Socket{Name: "x", Network: network, Address: address})
		}
	}
	writable := func(p string) func(*manage.Spec) {
		return func(s *manage.Spec) { s.Hardening.WritablePaths = []string{p} }
	}
	capability := func(c string) func(*manage.Spec) {
		return func(s *manage.Spec) { s.Hardening.Capabilities = []string{c} }
	}
	family := func(s *manage.Spec) { s.Hardening.AddressFamilies = []string{"AF_PACKET"} }
	line := func(l string) func(*manage.Spec) { return func(s *manage.Spec) { s.Systemd.Service = []string{l} } }
	named := func(s *manage.Spec) { s.Account = "www-data" }
	const (
		whole   = "keeps read-only as a whole"
		without = "a /dev without devices"
		packet  = "also need CAP_NET_RAW"
	)
	for _, c := range []struct {
		name   string
		spec   manage.Spec
		refuse string // what the error says
		warn   string // what a warning says
		have   string // what one of the units has
		lack   string // what none has
	}{
		{name: "localhost and a socket", spec: web(profile(service.Localhost), socket("tcp", ":80")), have: "[Socket]\nBindIPv6Only=both\nListenStream=80\nIPAddressDeny=any\nIPAddressAllow=localhost\n"},
		{name: "the network and a socket", spec: web(profile(service.Network), socket("tcp", ":80")), lack: "IPAddressDeny"},
		{name: "a sandbox and /dev/fuse", spec: web(writable("/dev/fuse")), refuse: without},
		{name: "a sandbox and /dev/shm", spec: web(writable("/dev/shm/web")), have: "ReadWritePaths=/dev/shm/web\n"},
		{name: "no sandbox and /dev/fuse", spec: web(profile(service.Unconfined), named, writable("/dev/fuse")), lack: "/dev/fuse"},
		{name: "devices and /dev/fuse", spec: web(writable("/dev/fuse"), line("PrivateDevices=no")), have: "ReadWritePaths=/dev/fuse\n"},
		{name: "raw I/O and /dev/mem", spec: web(writable("/dev/mem"), capability("CAP_SYS_RAWIO")), have: "ReadWritePaths=/dev/mem\n"},
		{name: "a sandbox and /", spec: web(writable("/")), refuse: whole},
		{name: "a sandbox and all homes", spec: web(writable("/home")), refuse: whole},
		{name: "a sandbox and a home", spec: web(writable("/home/me")), have: "BindPaths=/home/me\n"},
		{name: "a sandbox and /root", spec: web(writable("/root")), refuse: whole},
		{name: "a sandbox and the control groups", spec: web(writable("/sys/fs/cgroup")), refuse: whole},
		{name: "a sandbox and a control group", spec: web(writable("/sys/fs/cgroup/web")), have: "ReadWritePaths=/sys/fs/cgroup/web\n"},
		{name: "no sandbox and all homes", spec: web(profile(service.Unconfined), named, writable("/home")), lack: "/home"},
		{name: "a dynamic user and all homes", spec: web(profile(service.Unconfined), writable("/home")), refuse: whole},
		{name: "a user and all homes", spec: web(ofUser, writable("/home")), lack: "/home"},
		{name: "packets without the capability", spec: web(family), warn: packet},
		{name: "packets with the capability", spec: web(family, capability("CAP_NET_RAW")), have: "AF_PACKET"},
		{name: "a second account", spec: web(line("User=daemon")), refuse: `Systemd.Service has "User=daemon"`},
		{name: "no dynamic user", spec: web(line("DynamicUser=no")), refuse: `Systemd.Service has "DynamicUser=no"`},
		{name: "a group", spec: web(line("SupplementaryGroups=audio")), have: "SupplementaryGroups=audio\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.spec.Check(); err != nil {
				t.Error(err)
			}
			units, warnings, err := Render(c.spec, 257, c.spec.Executable)
			said, all := strings.Join(warnings, "\n"), ""
			for _, u := range units {
				all += u.Text
			}
			switch {
			case c.refuse != "":
				if !errors.Is(err, manage.ErrConfig) || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("%v, want %q", err, c.refuse)
				}
			case err != nil:
				t.Error(err)
			case !strings.Contains(said, c.warn), c.warn == "" && strings.Contains(said, packet):
				t.Errorf("the warnings are %q, want %q", said, c.warn)
			case !strings.Contains(all, c.have), c.lack != "" && strings.Contains(all, c.lack):
				t.Errorf("want %q and not %q in\n%s", c.have, c.lack, all)
			}
		})
	}
}

// TestPlan_RefusesLowPortsOfUser has a socket that a user's systemd cannot open.
func TestPlan_RefusesLowPortsOfUser(t *testing.T) {
	for _, c := range []struct {
		address, sysctl string
		refused         bool
	}{
		{"127.0.0.1:80", "", true},
		{":1023", "", true},
		{"[::1]:1024", "", false},
		{"127.0.0.1:80", "80\n", false},
		{"127.0.0.1:79", "80\n", true},
	} {
		f, m := newFake(t, true)
		if c.sysctl != "" {
			f.write("/proc/sys/net/ipv4/ip_unprivileged_port_start", c.sysctl)
		}
		s := web(ofUser)
		s.Sockets = []service.Socket{{Name: "http", Network: "tcp", Address: c.address}}
		_, err := m.Plan(t.Context(), s, false)
		if refused := errors.Is(err, manage.ErrConfig); refused != c.refused || err != nil && !refused {
			t.Errorf("%s, from %q on: %v", c.address, c.sysctl, err)
		}
		s.User = false
		_, m = newFake(t, false)
		if _, err := m.Plan(t.Context(), s, false); err != nil {
			t.Errorf("%s of the machine: %v", c.address, err)
		}
	}
}

// TestPlan_RefusesToStartBeforeDelayedDependency has a cycle, which systemd would break by
// leaving out a service.
func TestPlan_RefusesToStartBeforeDelayedDependency(t *testing.T) {
	for _, c := range []struct {
		start   service.StartType
		after   string
		refused bool
	}{
		{service.Automatic, "basic.target multi-user.target", true},
		{service.Automatic, "basic.target", false},
		{service.Delayed, "basic.target multi-user.target", false},
		{service.Manual, "basic.target multi-user.target", false},
	} {
		f, m := newFake(t, false)
		f.answer = func(call string) (string, error, bool) {
			return "After=" + c.after + "\n", nil, call == "systemctl show --property=After -- db.service"
		}
		_, err := m.Plan(t.Context(), web(start(c.start), func(s *manage.Spec) { s.Dependencies = []string{"network", "db"} }), false)
		if refused := errors.Is(err, manage.ErrConfig); refused != c.refused || err != nil && !refused {
			t.Errorf("%s, of a service after %s: %v", c.start, c.after, err)
		}
	}
}

func TestPlan_RefusesDelayIfNeededEarlier(t *testing.T) {
	for other, refused := range map[string]bool{
		"After=basic.target\nWantedBy=multi-user.target\n":                   true,
		"After=basic.target multi-user.target\nWantedBy=multi-user.target\n": false,
		"After=basic.target\nWantedBy=\n":                                    false,
	} {
		f, m := newFake(t, false)
		f.answer = func(call string) (string, error, bool) {
			switch call {
			case "systemctl show --property=RequiredBy -- web.service":
				return "RequiredBy=shop.service\n", nil, true
			case "systemctl show --property=After,WantedBy -- shop.service":
				return other, nil, true
			}
			return "", nil, false
		}
		_, err := m.Plan(t.Context(), web(start(service.Delayed)), false)
		if got := errors.Is(err, manage.ErrConfig); got != refused || err != nil && !got {
			t.Errorf("needed by one with %q: %v", other, err)
		}
		if _, err := m.Plan(t.Context(), web(), false); err != nil {
			t.Errorf("not delayed, and needed by one with %q: %v", other, err)
		}
	}
}

// TestRender_LongestLine has the longest line that systemd 257 loads.
func TestRender_LongestLine(t *testing.T) {
	for length, want := range map[int]string{
		1<<20 - 1: "",
		1 << 20:   "the configuration is wrong: ExecStart= has 1048576 bytes: systemd takes at most 1048575 in a line",
	} {
		s := web()
		length -= len("ExecStart=/usr/local/bin/web")
		for length > 0 {
			n := min(length, 100_000)
			if length-n == 1 {
				n--
			}
			s.Arguments, length = append(s.Arguments, strings.Repeat("x", n-1)), length-n
		}
		_, _, err := Render(s, 257, s.Executable)
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
