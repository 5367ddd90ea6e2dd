package symptom

import (
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/internal/service/manage"
)

// strict returns a service in the default sandbox.
func strict() Service {
	return Service{
		Manager: "systemd", Spec: manage.Spec{Name: "web"}, State: "/var/lib/web",
		Limits: manage.Confinement{Dynamic: true, Account: "web", Directives: map[string]string{
			"ProtectHome": "yes", "ProtectSystem": "strict", "PrivateTmp": "yes", "PrivateDevices": "yes", "DevicePolicy": "closed",
			"ProtectProc": "invisible", "WorkingDirectory": "/srv/gone", "EnvironmentFile": "/etc/default/web\n/etc/default/gone",
			"PrivateNetwork": "no", "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes", "ProtectKernelLogs": "yes", "ProtectKernelModules": "yes",
			"MemoryDenyWriteExecute": "yes", "RestrictAddressFamilies": "AF_UNIX", "SystemCallFilter": "read write",
		}},
		Machine: Machine{
			Exists: func(file string) bool { return !strings.Contains(file, "gone") },
			Barred: func(file string, to Use) (string, string) {
				if strings.HasPrefix(file, "/etc/secret") {
					return "it may not " + string(to) + " " + file, "chmod it"
				}
				if file == "/etc/hosts" && to == Write {
					return "it may not write to /etc/hosts", "chmod it"
				}
				return "", ""
			},
			Group:   func(device string) string { return map[string]string{"/dev/ttyS0": "dialout"}[device] },
			Listens: func(_, address string) string { return map[string]string{"127.0.0.1:7777": "nc, process 9"}[address] },
		},
	}
}

// open returns the same service under another manager, without a sandbox.
func open() Service {
	s := strict()
	s.Manager, s.Limits = "OpenRC", manage.Confinement{Account: "web"}
	return s
}

func TestLast_RemedyFitsWhatWasDenied(t *testing.T) {
	const state = "its state folder /var/lib/web"
	for _, test := range []struct {
		log           string
		means, remedy string // parts of them
		elsewhere     string // what it means under a manager without sandbox; "" if the same
	}{
		{"open /home/bob/notes: permission denied", "hides /home/bob/notes from it (ProtectHome=yes)", "Service.Hardening.WritablePaths (BindPaths=)", "does not let it use /home/bob/notes"},
		{"stat /root/x: no such file or directory", "hides /root/x from it (ProtectHome=yes)", "move that to " + state, "/root/x exists now"},
		{"open /run/user/1000/bus: permission denied", "(ProtectHome=yes)", "", "its account"},
		{"open /tmp/shared: no such file or directory", "a /tmp of its own, without /tmp/shared (PrivateTmp=yes)", state, "exists now"},
		{"open /dev/ttyS0: no such file or directory", "hides the device /dev/ttyS0 from it (PrivateDevices=yes)", "PrivateDevices=no, DeviceAllow=/dev/ttyS0 rw, SupplementaryGroups=dialout", "exists now"},
		{"open /dev/fuse: operation not permitted", "the device /dev/fuse", "DeviceAllow=/dev/fuse rw", "does not let it do something"},
		{"mmap: operation not permitted", "not let it execute memory that it has written", "service.Lenient (MemoryDenyWriteExecute=)", "the system does not let it execute memory"},
		{"wasm: mprotect: permission denied", "not let it execute memory", "service.Lenient", ""},
		{"libx.so: cannot enable executable stack as shared object requires: Operation not permitted", "not let it execute memory", "", ""},
		{"open /etc/secret.toml: permission denied", "it may not read /etc/secret.toml", "chmod it", ""},
		{"fork/exec /etc/secret.sh: permission denied", "it may not execute /etc/secret.sh", "chmod it", ""},
		{"mkdir /etc/secret.d: permission denied", "it may not write to /etc/secret.d", "chmod it", ""},
		{"rename /a /etc/secret: permission denied", "it may not write to /etc/secret", "chmod it", ""},
		{"open() \"/etc/secret.log\" failed (13: Permission denied)", "it may not read /etc/secret.log", "chmod it", ""},
		{"open /etc/hosts: permission denied", "it may not write to /etc/hosts", "chmod it", ""},
		{"stat /etc/hosts: permission denied", "does not let it use /etc/hosts", "Service.Account", ""},
		{"open /etc/x/gone: read-only file system", "let it write to /etc/x/gone (ProtectSystem=strict)", "name /etc/x in Service.Hardening.WritablePaths (ReadWritePaths=)", "is mounted read-only"},
		{"open /etc/x: Read-only file system", "let it write to /etc/x (ProtectSystem=strict)", "name /etc/x in", "is mounted read-only"},
		{"open /proc/sys/vm/swappiness: read-only file system", "(ProtectKernelTunables=yes)", "/etc/sysctl.d", "is mounted read-only"},
		{"mkdir /sys/fs/cgroup/x: read-only file system", "(ProtectControlGroups=yes)", "Delegate=yes", "is mounted read-only"},
		{"neither $XDG_CACHE_HOME nor $HOME are defined", "sets no HOME", "install it again, which sets HOME to " + state, "HOME is not set"},
		{"$HOME is not defined", "sets no HOME", "", "HOME is not set"},
		{"listen tcp 127.0.0.1:7777: bind: address already in use", "127.0.0.1:7777 is in use by nc, process 9", "stop that", ""},
		{"listen tcp :80: bind: address already in use", ":80 is in use", "ss -ltnp sport = :80", ""},
		{"listen udp4 1.2.3.4:53: bind: address already in use", "1.2.3.4:53 is in use", "ss -lunp sport = :53", ""},
		{"listen unix /run/web/s: bind: address already in use", "/run/web/s is in use", "ss -lxp", ""},
		{"bind(): Address already in use", "an address that it listens on is in use", "", ""},
		{"listen tcp :80: bind: permission denied", "below 1024", "service.LowPorts (AmbientCapabilities=CAP_NET_BIND_SERVICE)", ""},
		{"listen unix /etc/secret/s: bind: permission denied", "it may not write to /etc/secret/s", "chmod it", ""},
		{"socket: address family not supported by protocol", "does not allow that kind of socket", "Service.Hardening.AddressFamilies (RestrictAddressFamilies=)", "the system does not support"},
		{"listen ip4:icmp 0.0.0.0: socket: operation not permitted", "CAP_NET_RAW", "Service.Hardening.Capabilities (AmbientCapabilities=, SystemCallFilter=)", ""},
		{"chown /srv/mount: operation not permitted", "CAP_CHOWN", "", ""},
		{"mount: operation not permitted", "CAP_SYS_ADMIN", "", ""},
		{"setpriority: operation not permitted", "CAP_SYS_NICE", "", ""},
		{"quotactl: operation not permitted", "its account or its sandbox", "service.Lenient (SystemCallFilter=)", "its account does not"},
		{"dial tcp 1.2.3.4:80: connect: network is unreachable", "the network is not up", "Service.Dependencies", ""},
		{"accept: too many open files", "its limit of open files", "Service.Limits.OpenFiles (LimitNOFILE=)", ""},
		{"fork/exec /bin/true: resource temporarily unavailable", "its limit of processes", "Service.Limits.Tasks (TasksMax=)", ""},
		{"mmap: cannot allocate memory", "no memory left", "Service.Limits.Memory (MemoryMax=)", ""},
		{"write /var/lib/web/db: no space left on device", "the disk of /var/lib/web/db is full", "", ""},
		{`exec: "ffmpeg": executable file not found in $PATH`, "not in its PATH", "Service.Environment", ""},
		{"fork/exec /opt/x.py: no such file or directory", "/opt/x.py exists, but the interpreter of the script", "", ""},
		{"fork/exec /opt/x: exec format error", "not a program for this machine", "", ""},
		{"open web.toml: no such file or directory", "its path is not absolute", "Service.WorkingDirectory (WorkingDirectory=)", ""},
		{"open /etc/gone: no such file or directory", "there is no /etc/gone", "create it", ""},
		{"stat /etc/gone with space: and colon: no such file or directory", "there is no /etc/gone with space: and colon", "create it", ""},
		{`"error":"read: open /etc/gone /b: no such file or directory"`, "there is no /etc/gone /b", "create it", ""},
		{`error="open /etc/gone: x" other="y: no such file or directory"`, "there is no /etc/gone", "create it", ""},
		{"rename /a /etc/gone/x: no such file or directory", "there is no /etc/gone/x", "create it", ""},
		{"open /proc/1/environ: no such file or directory", "hides the processes of other users from it (ProtectProc=invisible)", "add ProtectProc=default", "exists now"},
		{"open /proc/gone: no such file or directory", "there is no /proc/gone", "", ""},
		{"open /tmp/gone/x: no such file or directory", "there is no /tmp/gone/x in the /tmp that it has of its own (PrivateTmp=yes)", "each time that it starts, or put that into " + state, "there is no /tmp/gone/x"},
		{
			"web.service: Failed to load environment files: No such file or directory\nweb.service: Failed to run 'start' task: No such file or directory",
			"there is no /etc/default/gone, from which it gets variables (EnvironmentFile=)", "put - before its path", "a file from which it gets variables did not exist",
		},
		{
			"web.service: Failed to load environment files: No such file or directory\nweb.service: Failed to spawn 'start' task: No such file or directory",
			"there is no /etc/default/gone, from which it gets variables (EnvironmentFile=)", "put - before its path", "a file from which it gets variables did not exist",
		},
		{
			"web.service: Changing to the requested working directory failed: No such file or directory\nweb.service: Failed at step CHDIR spawning /opt/web: No such file or directory",
			"there is no /srv/gone, its working directory (WorkingDirectory=)", "create it, or change Service.WorkingDirectory", "a file that it needs",
		},
		{
			"web.service: Failed to set up mount namespacing: /gone: No such file or directory\nweb.service: Failed at step NAMESPACE spawning /opt/web: No such file or directory",
			"there is no /gone, which its unit names", "Service.Hardening.WritablePaths", "",
		},
		{"panic: open /etc/hosts: permission denied", "it may not write to /etc/hosts", "", ""},
		{"panic: boom\n\ngoroutine 1 [running]:\n", "it has crashed", "the stack", ""},
		{"open C:\\x: Access is denied.", "its account does not", "", ""},
	} {
		for _, s := range []Service{strict(), open()} {
			means := test.means
			if s.Manager != "systemd" {
				if test.elsewhere != "" {
					means = test.elsewhere
				}
				means = directives.ReplaceAllString(means, "")
			}
			f, ok := Last("starting\n"+test.log, s)
			if !ok || !strings.Contains(f.Means, means) {
				t.Errorf("%s, %s: means %q, want %q", s.Manager, test.log, f.Means, means)
			}
			if s.Manager == "systemd" && !strings.Contains(f.Remedy, test.remedy) {
				t.Errorf("%s: the remedy is %q, want %q", test.log, f.Remedy, test.remedy)
			}
			if s.Manager != "systemd" && strings.Contains(f.Means+f.Remedy, "=)") {
				t.Errorf("%s: a directive of systemd under %s: %s -> %s", test.log, s.Manager, f.Means, f.Remedy)
			}
		}
	}
}

func TestLast_LastSignCounts(t *testing.T) {
	for _, test := range []struct{ log, want string }{
		{"open /etc/x: read-only file system\nopen /dev/dri/card0: no such file or directory\n", "open /dev/dri/card0: no such file or directory"},
		{"open /dev/dri/card0: no such file or directory\nopen /etc/x: read-only file system\n", "open /etc/x: read-only file system"},
		{"Jan  2 15:04:05 host web[9]: too many open files\n", "too many open files"},
		{"panic: x\n\xff\xfe too many open files", "\xff\xfe too many open files"},
		{`web[9]: Start failed error="start: listen \"x\": too many open files" trigger=failure`, `start: listen "x": too many open files`},
		{`{"level":"error","error":"start: \"x\": too many open files","event":"stopped"}`, `start: "x": too many open files`},
	} {
		if f, ok := Last(test.log, strict()); !ok || f.Said != test.want {
			t.Errorf("%q: %q, want %q", test.log, f.Said, test.want)
		}
	}
	for _, log := range []string{"", "starting\nready\n", "panic: boom"} {
		if f, ok := Last(log, strict(), CrashSigns...); ok {
			t.Errorf("%q means %+v", log, f)
		}
	}
	if f, _ := Last("too many open files\npanic: boom", strict(), CrashSigns...); f.Said != "too many open files" {
		t.Errorf("a sign before one that does not count: %+v", f)
	}
}
