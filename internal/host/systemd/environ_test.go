package systemd

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTheEnvironmentIsUnderstood(t *testing.T) {
	const pid, parent = 100, 50
	for _, test := range []struct {
		name string
		env  map[string]string
		want Environ
		bad  bool
	}{
		{"nothing", nil, Environ{}, false},
		{"a service", map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "100"}, Environ{notifySocket: "/n", started: true, managed: true}, false},
		{"a service behind a wrapper", map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "50"}, Environ{notifySocket: "/n", mainPID: pid, managed: true}, false},
		{"a child of a service's child", map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "7"}, Environ{notifySocket: "/n"}, false},
		{"a service of Type=simple", map[string]string{"SYSTEMD_EXEC_PID": "100"}, Environ{started: true, managed: true}, false},
		{"a watchdog", map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "100"}, Environ{watchdog: 2 * time.Second}, false},
		{"a watchdog for whoever it is", map[string]string{"WATCHDOG_USEC": "2000000"}, Environ{watchdog: 2 * time.Second}, false},
		{"a watchdog for somebody else", map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "7"}, Environ{}, false},
		{"a watchdog beyond 32 bits", map[string]string{"WATCHDOG_USEC": "3600000000"}, Environ{watchdog: time.Hour}, false},
		{"an infinite watchdog", map[string]string{"WATCHDOG_USEC": "18446744073709551615"}, Environ{}, false},
		{"a watchdog of zero", map[string]string{"WATCHDOG_USEC": "0"}, Environ{}, true},
		{"a watchdog in words", map[string]string{"WATCHDOG_USEC": "2s"}, Environ{}, true},
		{"a negative watchdog", map[string]string{"WATCHDOG_USEC": "-1"}, Environ{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := read(func(key string) string { return test.env[key] }, pid, parent)
			if bad := got.bad != nil; bad != test.bad {
				t.Errorf("error: %v", got.bad)
			} else if bad && !strings.Contains(got.bad.Error(), "WATCHDOG_USEC") {
				t.Errorf("the error does not name the variable: %v", got.bad)
			}
			got.bad = nil
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestChildrenDoNotInheritWhatSystemdHasSaid(t *testing.T) {
	keys := []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"}
	for _, key := range keys {
		t.Setenv(key, "1")
	}
	t.Setenv("NOTIFY_SOCKET", "/n")
	t.Setenv("SYSTEMD_EXEC_PID", strconv.Itoa(os.Getpid()))
	if e := Take(); e.notifySocket != "/n" || !e.Managed() {
		t.Errorf("got %+v", e)
	}
	for _, key := range keys {
		if value, ok := os.LookupEnv(key); ok {
			t.Errorf("%s=%s is left", key, value)
		}
	}
	if e := Take(); e.notifySocket != "" || e.watchdog != 0 {
		t.Errorf("the second time: %+v", e)
	}
}
