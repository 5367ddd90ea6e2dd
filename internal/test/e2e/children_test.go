//go:build linux

package e2e

import (
	"os"
	"strings"
	"testing"
)

// forTheService is what systemd says to the service, and to nobody else.
var forTheService = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}

func TestChildrenDoNotInheritWhatIsForTheService(t *testing.T) {
	dump := inMachine(t, "env")
	socket := inMachine(t, "sock")
	u := newUnit(t, "Type=notify", "WatchdogSec=30", execStart("probe", "-spawn="+dump))
	listener := strings.TrimSuffix(u.name, ".service") + ".socket"
	t.Cleanup(func() { _ = os.Remove(machine.Path(u.manager.dir + "/" + listener)) })
	u.write(listener, "[Socket]\nListenStream="+socket+"\nFileDescriptorName=front\n")
	u.systemctl("start", listener)
	u.start()

	given := environ(t, "/proc/"+u.show("MainPID")["MainPID"]+"/environ", "\x00")
	inherited := environ(t, dump, "\n")
	for _, name := range forTheService {
		if _, ok := given[name]; !ok {
			t.Errorf("systemd does not say %s: the test shows nothing", name)
		}
		if value, ok := inherited[name]; ok {
			t.Errorf("the child inherits %s=%s", name, value)
		}
	}
	if inherited["INVOCATION_ID"] == "" || inherited["INVOCATION_ID"] != given["INVOCATION_ID"] {
		t.Errorf("INVOCATION_ID is %q in the child, want %q", inherited["INVOCATION_ID"], given["INVOCATION_ID"])
	}
	u.is(running)
	u.systemctl("stop", listener, u.name)
	u.is(clean)
}

// environ reads the variables in a file of the machine.
func environ(t *testing.T, path, separator string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(machine.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]string)
	for line := range strings.SplitSeq(string(text), separator) {
		if name, value, ok := strings.Cut(line, "="); ok {
			values[name] = value
		}
	}
	return values
}
