package systemd

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-glidepath/glidepath/daemon/service"
	"github.com/go-glidepath/glidepath/internal/service/manage"
	"github.com/go-glidepath/glidepath/internal/test/testbed"
)

func TestSandbox_HoldsWithItsExceptions(t *testing.T) {
	t.Parallel()
	m := inside(t, false)
	for _, dir := range []string{"/srv/data dir", "/home/shared/up load", "/root/drop", "/srv/closed"} {
		if err := errors.Join(os.MkdirAll(machine.Path(dir), 0o777), os.Chmod(machine.Path(dir), 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	writeIn(t, "/etc/secret-é%key", "secret")
	i := echoService(t, m, vars("WRITE", "/srv/data dir:/home/shared/up load:/root/drop:/srv/closed:/home/tester:/tmp", "READ", "$CREDENTIALS_DIRECTORY/key"), func(s *manage.Spec) {
		s.Hardening.WritablePaths = []string{"/srv/data dir", "/home/shared/up load", "/root/drop"}
		s.Systemd.Credentials = map[string]string{"key": "/etc/secret-é%key"}
		s.Limits = service.Limits{OpenFiles: 4096, Tasks: 100, Memory: 1 << 29, CPU: 0.5, LogRecords: 1234}
		s.FileDescriptorStore = 3
	})
	i.install()
	i.start()
	said := i.report()
	for p, wrong := range said.Written {
		ok := slices.Contains(append(i.spec.Hardening.WritablePaths, "/tmp"), p)
		if (wrong == "<nil>") != ok {
			t.Errorf("written to %s: %s", p, wrong)
		}
	}
	if len(said.Written) != 6 || said.Read["$CREDENTIALS_DIRECTORY/key"] != "secret" {
		t.Errorf("it has said %+v", said)
	}
	got, err := machine.Show(t.Context(), i.spec.Name+".service", "LimitNOFILE", "LogRateLimitIntervalUSec", "LogRateLimitBurst", "TasksMax", "MemoryMax", "CPUQuotaPerSecUSec", "FileDescriptorStoreMax", "WatchdogUSec", "TimeoutStartUSec", "TimeoutStopUSec", "RestartSteps", "RestartMaxDelayUSec")
	i.must(err)
	for name, want := range map[string]string{
		"LimitNOFILE": "4096", "LogRateLimitIntervalUSec": "1s", "LogRateLimitBurst": "1234", "TasksMax": "100", "MemoryMax": "536870912", "CPUQuotaPerSecUSec": "500ms", "FileDescriptorStoreMax": "3", "WatchdogUSec": "30s",
		"TimeoutStartUSec": "1min 35s", "TimeoutStopUSec": "35s", "RestartSteps": "5", "RestartMaxDelayUSec": "1min",
	} {
		t.Run(name, func(t *testing.T) {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		})
	}
}

// bits has the numbers of capabilities: linux/capability.h.
var bits = map[string]int{
	"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8, "CAP_SYS_MODULE": 16, "CAP_SYS_RAWIO": 17, "CAP_SYS_CHROOT": 18,
	"CAP_SYS_PTRACE": 19, "CAP_SYS_PACCT": 20, "CAP_SYS_ADMIN": 21, "CAP_SYS_BOOT": 22, "CAP_SYS_NICE": 23, "CAP_SYS_RESOURCE": 24,
	"CAP_SYS_TIME": 25, "CAP_SYS_TTY_CONFIG": 26, "CAP_MKNOD": 27, "CAP_SYSLOG": 34, "CAP_WAKE_ALARM": 35, "CAP_PERFMON": 38, "CAP_BPF": 39,
}

// capabilities returns the set in one line of a /proc/PID/status.
func capabilities(t *testing.T, status, line string) uint64 {
	t.Helper()
	_, value, _ := strings.Cut(status, line+":\t")
	value, _, _ = strings.Cut(value, "\n")
	set, err := strconv.ParseUint(value, 16, 64)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return set
}

func TestSandbox_GrantsOnlyRequestedCapabilities(t *testing.T) {
	testbed.Require(t)
	out, err := machine.Run(t.Context(), "cat", "/proc/1/status")
	if err != nil {
		t.Fatal(err)
	}
	there := capabilities(t, out.Stdout, "CapBnd") // the container has not all of them
	all := slices.Sorted(maps.Keys(reliefs()))
	for name, test := range map[string]struct {
		account string
		caps    []string
	}{
		"all":                  {"", all},
		"one":                  {"", []string{"CAP_CHOWN"}},
		"one, as root":         {"root", []string{"CAP_SETUID"}},
		"none, as root":        {"root", nil},
		"some, as a user":      {"tester", []string{"CAP_SYS_NICE", "CAP_SYS_CHROOT"}},
		"none, without rights": {"tester", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := echoService(t, inside(t, false), vars("READ", "/proc/self/status"), func(s *manage.Spec) {
				s.Account = test.account
				s.Hardening.Capabilities = test.caps
			})
			i.install()
			i.start()
			var want uint64
			for _, c := range test.caps {
				bit, ok := bits[c]
				if !ok {
					t.Fatalf("%s has no number here", c)
				}
				want |= there & (1 << bit)
			}
			if got := capabilities(t, i.report().Read["/proc/self/status"], "CapEff"); got != want {
				t.Errorf("it has %x, want %x", got, want)
			}
		})
	}
}
