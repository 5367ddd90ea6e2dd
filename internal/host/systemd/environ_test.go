package systemd

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParseEnviron(t *testing.T) {
	const pid, parent = 100, 50
	for _, test := range []struct {
		name    string
		wrapper int
		env     map[string]string
		want    Environ
		bad     bool
	}{
		{"nothing", 0, nil, Environ{}, false},
		{"a service", 0, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "100"}, Environ{notifySocket: "/n", started: true}, false},
		{"a child of a service", 0, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "50"}, Environ{notifySocket: "/n"}, false},
		{"behind a wrapper, as the program says", parent, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "50"}, Environ{notifySocket: "/n", mainPID: pid}, false},
		{"no wrapper, whatever the program says", parent, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "100"}, Environ{notifySocket: "/n", started: true}, false},
		{"a child of a wrapper's child", parent, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "7"}, Environ{notifySocket: "/n"}, false},
		{"a container whose PID 1 is the parent", 1, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "1"}, Environ{notifySocket: "/n"}, false},
		{"a child of a service's child", 0, map[string]string{"NOTIFY_SOCKET": "/n", "SYSTEMD_EXEC_PID": "7"}, Environ{notifySocket: "/n"}, false},
		{"a service of Type=simple", 0, map[string]string{"SYSTEMD_EXEC_PID": "100"}, Environ{started: true}, false},
		{"a watchdog", 0, map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "100"}, Environ{watchdog: 2 * time.Second}, false},
		{"a watchdog for whoever it is", 0, map[string]string{"WATCHDOG_USEC": "2000000"}, Environ{watchdog: 2 * time.Second}, false},
		{"a watchdog for another process", 0, map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "7"}, Environ{}, false},
		{"a watchdog beyond 32 bits", 0, map[string]string{"WATCHDOG_USEC": "3600000000"}, Environ{watchdog: time.Hour}, false},
		{"an infinite watchdog", 0, map[string]string{"WATCHDOG_USEC": "18446744073709551615"}, Environ{}, false},
		{"a watchdog of zero", 0, map[string]string{"WATCHDOG_USEC": "0"}, Environ{}, true},
		{"a watchdog in words", 0, map[string]string{"WATCHDOG_USEC": "2s"}, Environ{}, true},
		{"a negative watchdog", 0, map[string]string{"WATCHDOG_USEC": "-1"}, Environ{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parseEnviron(func(key string) string { return test.env[key] }, pid, test.wrapper)
			if bad := got.bad != nil; bad != test.bad {
				t.Errorf("error: %v", got.bad)
			} else if bad && !strings.Contains(got.bad.Error(), "WATCHDOG_USEC") {
				t.Errorf("the error does not name the variable: %v", got.bad)
			}
			got.bad = nil
			if got != test.want || got.Managed() != test.want.started {
				t.Errorf("got %+v, managed: %t, want %+v", got, got.Managed(), test.want)
			}
		})
	}
}

func TestTake_ClearsTheEnvironment(t *testing.T) {
	keys := []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"}
	for _, key := range keys {
		t.Setenv(key, "1")
	}
	t.Setenv("NOTIFY_SOCKET", "/n")
	t.Setenv("SYSTEMD_EXEC_PID", strconv.Itoa(os.Getpid()))
	if e := Take(false); e.notifySocket != "/n" || !e.Managed() {
		t.Errorf("got %+v", e)
	}
	for _, key := range keys {
		if value, ok := os.LookupEnv(key); ok {
			t.Errorf("%s=%s is left", key, value)
		}
	}
	if e := Take(false); e.notifySocket != "" || e.watchdog != 0 {
		t.Errorf("the second time: %+v", e)
	}
}
